package catalog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

func (w *world) dynamic(t testing.TB, d event.Dynamic) *catalog.Endpoint {
	t.Helper()
	e, err := w.EnsureDynamic(w.project.ID, &d)
	must(t, err)
	if e != w.Snapshot().Endpoint(e.ID) {
		t.Error("the endpoint is not the one of the snapshot")
	}
	return e
}

// typesOf are the event types of the endpoint's only subscription.
func typesOf(t testing.TB, e *catalog.Endpoint) []string {
	t.Helper()
	if n := len(e.Subscriptions()); n != 1 {
		t.Fatalf("%d subscriptions, want 1", n)
	}
	return e.Subscriptions()[0].FilterConfig.EventTypes
}

func TestDynamicEndpointIsMade(t *testing.T) {
	w := setup(t)
	e := w.dynamic(t, event.Dynamic{URL: "https://Hooks.Example.com:8443/a?b=c"})
	if e.URL != "https://hooks.example.com:8443/a?b=c" || e.Name != "hooks.example.com:8443" || !e.Dynamic || e.Status != event.EndpointActive ||
		len(e.Secrets) != 1 || len(e.Secrets[0].Value) != 25 || e.HTTPTimeout != event.DefaultHTTPTimeout || !e.AdvancedSignatures {
		t.Errorf("endpoint %+v", e.Endpoint)
	}
	if got := typesOf(t, e); !slices.Equal(got, []string{"*"}) || e.Subscriptions()[0].Name != "hooks.example.com:8443 subscription" {
		t.Errorf("subscription %+v", e.Subscriptions()[0].Subscription)
	}
	before, writes := w.Snapshot(), w.store.Len()
	for _, url := range []string{e.URL, "https://Hooks.Example.com:8443/a?b=c"} {
		if again := w.dynamic(t, event.Dynamic{URL: url, Secret: e.Secrets[0].Value, EventTypes: []string{"*"}}); again != e {
			t.Errorf("%s is another endpoint", url)
		}
	}
	if w.Snapshot() != before || w.store.Len() != writes {
		t.Error("something was written though all was as asked for")
	}
	if again, err := w.open(t).EnsureDynamic(w.project.ID, &event.Dynamic{URL: e.URL}); err != nil || again.ID != e.ID {
		t.Errorf("after a restart: %v %v", again, err)
	}
	other, _, _, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	if o, err := w.EnsureDynamic(other.ID, &event.Dynamic{URL: e.URL}); err != nil || o.ID == e.ID || o.ProjectID != other.ID {
		t.Errorf("another project gets %v, %v", o, err)
	}
}

func TestDynamicMarksWhatIsThere(t *testing.T) {
	w := setup(t)
	e, err := w.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "mine", URL: "https://x", Secrets: []event.Secret{{Value: "old"}}})
	must(t, err)
	sub := w.subscription(t, e, "a", "b")
	w.clock.Advance(time.Second)
	got := w.dynamic(t, event.Dynamic{URL: "https://x"})
	if got.ID != e.ID || !got.Dynamic || got.Name != "mine" || got.Secrets[0].Value != "old" || !got.UpdatedAt.Time().Equal(w.clock.Now()) || e.Dynamic {
		t.Errorf("endpoint %+v", got.Endpoint)
	}
	if !slices.Equal(typesOf(t, got), []string{"a", "b"}) || got.Subscriptions()[0].ID != sub.ID {
		t.Errorf("types %q", typesOf(t, got))
	}
	bare := w.endpoint(t, "bare")
	if got := w.dynamic(t, event.Dynamic{URL: bare.URL, EventTypes: []string{"x"}}); got.ID != bare.ID || typesOf(t, got)[0] != "x" {
		t.Errorf("endpoint %+v", got.Endpoint)
	}
	// A subscription to a source is none for events of the API.
	taken := w.endpoint(t, "taken")
	w.subscriptionTo(t, w.source(t, "s").ID, taken.ID)
	if got := w.dynamic(t, event.Dynamic{URL: taken.URL}); len(got.Subscriptions()) != 2 || got.Subscriptions()[1].Extra != nil {
		t.Errorf("subscriptions %v", got.Subscriptions())
	}
}

func TestDynamicEventTypes(t *testing.T) {
	w := setup(t)
	f := func(types, want []string, writes bool) {
		t.Helper()
		before := w.Snapshot()
		e := w.dynamic(t, event.Dynamic{URL: "https://x", EventTypes: types})
		if got := typesOf(t, e); !slices.Equal(got, want) || (w.Snapshot() != before) != writes {
			t.Errorf("types %q, written %v; want %q", got, w.Snapshot() != before, want)
		}
	}
	given := []string{"b", "a", "b"}
	f(given, []string{"b", "a"}, true)
	given[0] = "changed by the caller"
	f([]string{"a", "b"}, []string{"b", "a"}, false)
	f([]string{"b", "a", "a"}, []string{"b", "a"}, false)
	f(nil, []string{"b", "a"}, false)
	f([]string{"a"}, []string{"a"}, true)
	f([]string{"*"}, []string{"*"}, true)
	f([]string{"a", "*"}, []string{"*"}, false)
	id := w.dynamic(t, event.Dynamic{URL: "https://x"}).Subscriptions()[0].ID
	f([]string{"c"}, []string{"c"}, true)
	if got := w.dynamic(t, event.Dynamic{URL: "https://x"}).Subscriptions()[0].ID; got != id {
		t.Error("the subscription became another one")
	}
}

func TestDynamicSecret(t *testing.T) {
	w := setup(t)
	f := func(secret string, want ...string) *catalog.Endpoint {
		t.Helper()
		e := w.dynamic(t, event.Dynamic{URL: "https://x", Secret: secret})
		var got []string
		for _, s := range e.Secrets {
			got = append(got, s.Value)
		}
		if !slices.Equal(got, want) {
			t.Errorf("secrets %q, want %q", got, want)
		}
		return e
	}
	e := f("one", "one")
	_, err := w.ExpireSecret(w.project.ID, e.ID, "two", time.Hour)
	must(t, err)
	f("", "one", "two")
	f("one", "one", "two")
	f("two", "one", "two")
	f("three", "three")
	_, err = w.ExpireSecret(w.project.ID, e.ID, "four", time.Hour)
	must(t, err)
	w.clock.Advance(time.Hour)
	f("three", "three") // has ended
	_, err = w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error {
		e.SignatureMode, e.Secrets = event.SignStandard, []event.Secret{{Value: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}
		return nil
	})
	must(t, err)
	_, err = w.EnsureDynamic(w.project.ID, &event.Dynamic{URL: "https://x", Secret: "plain"})
	wantInvalid(t, err, "secret")
}

func TestDynamicRefused(t *testing.T) {
	w := setup(t)
	for name, c := range map[string]struct {
		d     event.Dynamic
		field string
	}{
		"no url":        {event.Dynamic{}, "url"},
		"refused":       {event.Dynamic{URL: "https://refused"}, "url"},
		"long url":      {event.Dynamic{URL: "https://" + strings.Repeat("x", event.MaxURLBytes)}, "url"},
		"long secret":   {event.Dynamic{URL: "https://x", Secret: strings.Repeat("x", event.MaxSecretBytes+1)}, "secret"},
		"empty type":    {event.Dynamic{URL: "https://x", EventTypes: []string{"a", ""}}, "event_types[1]"},
		"bad pattern":   {event.Dynamic{URL: "https://x", EventTypes: []string{"regex:("}}, "event_types[0]"},
		"too many":      {event.Dynamic{URL: "https://x", EventTypes: slices.Repeat([]string{"a"}, 1001)}, "event_types"},
		"secret's line": {event.Dynamic{URL: "https://x", Secret: "a\nb"}, "secret"},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.Snapshot()
			_, err := w.EnsureDynamic(w.project.ID, &c.d)
			wantInvalid(t, err, c.field)
			if w.Snapshot() != before {
				t.Error("something was written")
			}
		})
	}
	_, err := w.EnsureDynamic(event.NewID(), &event.Dynamic{URL: "https://x"})
	wantIs(t, err, event.ErrNotFound)
	broken := errors.New("disk")
	w.store.Fail(broken)
	_, err = w.EnsureDynamic(w.project.ID, &event.Dynamic{URL: "https://x"})
	wantIs(t, err, broken)
	if _, endpoints, subs := w.Snapshot().Counts(); endpoints+subs != 0 {
		t.Error("a failed write left its trace")
	}
}

func TestDynamicEnforcesTLS(t *testing.T) {
	w := setup(t)
	old := w.dynamic(t, event.Dynamic{URL: "http://old"})
	w.configure(t, func(c *event.ProjectConfig) { c.SSL.EnforceSecureEndpoints = true })
	_, err := w.EnsureDynamic(w.project.ID, &event.Dynamic{URL: "http://new"})
	wantInvalid(t, err, "url")
	// What is there already is not held against a setting that came later.
	if e := w.dynamic(t, event.Dynamic{URL: "http://old", EventTypes: []string{"a"}}); e.ID != old.ID {
		t.Error("another endpoint")
	}
}

func TestDynamicIndexFollows(t *testing.T) {
	w := setup(t)
	a, b := w.dynamic(t, event.Dynamic{URL: "https://a"}), w.dynamic(t, event.Dynamic{URL: "https://b"})
	move := func(e *catalog.Endpoint, url string) {
		t.Helper()
		_, err := w.UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { e.URL = url; return nil })
		must(t, err)
	}
	find := func(url string, want event.ID) {
		t.Helper()
		if got := w.dynamic(t, event.Dynamic{URL: url}); got.ID != want {
			t.Errorf("%s is %s, want %s", url, got.ID, want)
		}
	}
	move(b, "https://a") // two of one URL: the oldest
	find("https://a", a.ID)
	must(t, w.DeleteEndpoint(w.project.ID, a.ID))
	find("https://a", b.ID)
	move(b, "https://c")
	find("https://c", b.ID)
	must(t, w.DeleteEndpoint(w.project.ID, b.ID))
	if e := w.dynamic(t, event.Dynamic{URL: "https://c"}); e.ID == b.ID {
		t.Error("a deleted endpoint is found")
	}
	_, err := w.UpdateEndpoint(w.project.ID, w.dynamic(t, event.Dynamic{URL: "https://c"}).ID, func(e *event.Endpoint) error {
		e.Dynamic = false
		return nil
	})
	must(t, err)
	if n := w.store.Len(); w.dynamic(t, event.Dynamic{URL: "https://c"}) == nil || w.store.Len() != n {
		t.Error("the endpoint was not found by its URL")
	}
}

func TestDynamicHashCollision(t *testing.T) {
	w := setup(t)
	a, b := w.dynamic(t, event.Dynamic{URL: "https://a"}), w.dynamic(t, event.Dynamic{URL: "https://b"})
	if gotA, gotB := catalog.Collide(w.Snapshot(), a, b); gotA != a || gotB != b {
		t.Errorf("found %v and %v", gotA, gotB)
	}
}

func TestEnsureDynamicRace(t *testing.T) {
	w := setup(t)
	for i := range 10 {
		var wg sync.WaitGroup
		got := make([]*catalog.Endpoint, 8)
		for n := range got {
			wg.Go(func() {
				got[n], _ = w.EnsureDynamic(w.project.ID, &event.Dynamic{URL: fmt.Sprint("https://x/", i), Secret: "s", EventTypes: []string{"a"}})
			})
		}
		wg.Wait()
		for _, e := range got {
			if e == nil || e != got[0] {
				t.Fatalf("callers got %v", got)
			}
		}
	}
	if _, endpoints, subs := w.Snapshot().Counts(); endpoints != 10 || subs != 10 {
		t.Errorf("%d endpoints, %d subscriptions, want 10 of each", endpoints, subs)
	}
}
