package catalog_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

var someone = event.Audit{
	Actor: event.Actor{Kind: event.ActorAPIKey, ID: event.ID{7}, Name: "deploy"}, Address: "203.0.113.9", RequestID: "r-1",
}

// brief is an audit log in few words.
func brief(trail []event.Audit) string {
	var all []string
	for _, a := range trail {
		text := fmt.Sprintf("%s %s %s %q %s", a.Actor.Kind, a.Action, a.Object.Kind, a.Object.Name, a.Outcome)
		if a.Count > 0 {
			text += fmt.Sprint(" ", a.Count)
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// TestEveryWriteIsAudited: who, what and which object, in the write itself.
func TestEveryWriteIsAudited(t *testing.T) {
	w := setup(t)
	if got := brief(w.store.TakeTrail()); got != `server project.create project "shop" done; server key.create key "shop key" done` {
		t.Errorf("a new project: %s", got)
	}
	by := w.By(someone)
	var e, key event.ID
	steps := []struct {
		do   func() error
		want string
	}{
		{func() error {
			made, err := by.CreateEndpoint(event.Endpoint{ProjectID: w.project.ID, Name: "hook", URL: "https://example.com"})
			e = made.ID
			return err
		}, `api_key endpoint.create endpoint "hook" done`},
		{func() error {
			_, err := by.CreateSubscription(event.Subscription{ProjectID: w.project.ID, EndpointID: e, Name: "sub"})
			return err
		}, `api_key subscription.create subscription "sub" done`},
		{func() error {
			_, err := by.UpdateEndpoint(w.project.ID, e, func(e *event.Endpoint) error { e.Name = "hook 2"; return nil })
			return err
		}, `api_key endpoint.update endpoint "hook 2" done`},
		{func() error { _, err := by.ExpireSecret(w.project.ID, e, "", time.Hour); return err }, `api_key secret.rotate endpoint "hook 2" done`},
		{func() error {
			_, err := by.ChangeStatus(w.project.ID, e, "by hand", func(event.EndpointStatus) (event.EndpointStatus, error) { return event.EndpointPaused, nil })
			return err
		}, `api_key endpoint.status endpoint "hook 2" done`},
		{func() error { return by.DeleteEndpoint(w.project.ID, e) }, `api_key endpoint.delete endpoint "hook 2" done 2`},
		{func() error {
			made, _, err := by.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "reader", Scopes: event.ScopeRead})
			key = made.ID
			return err
		}, `api_key key.create key "reader" done`},
		{func() error { return by.DeleteKey(w.project.ID, key) }, `api_key key.revoke key "reader" done`},
		{func() error { return by.DeleteKey(w.project.ID, key) }, ""}, // there is none any more
		{func() error {
			_, err := by.UpdateProject(w.project.ID, func(*event.Project) error { return event.Invalid("name", "bad") })
			return err
		}, ""},
	}
	for i, s := range steps {
		if err := s.do(); (err != nil) != (s.want == "") {
			t.Fatalf("step %d: %v", i, err)
		}
		trail := w.store.TakeTrail()
		if got := brief(trail); got != s.want {
			t.Errorf("step %d: %s, want %s", i, got, s.want)
		}
		for _, a := range trail {
			if a.Address != someone.Address || a.RequestID != someone.RequestID || a.Actor != someone.Actor || a.ProjectID != w.project.ID || a.ProjectName != "shop" {
				t.Errorf("step %d: %+v", i, a)
			}
		}
	}
}

// TestAuditShowsWhatChanged: values of fields that may be read, digests of the others,
// which tell that a value came back; nothing of what did not change.
func TestAuditShowsWhatChanged(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "hook")
	w.store.TakeTrail()
	update := func(change func(*event.Endpoint)) map[string]event.AuditChange {
		t.Helper()
		_, err := w.By(someone).UpdateEndpoint(w.project.ID, e.ID, func(e *event.Endpoint) error { change(e); return nil })
		must(t, err)
		changes := map[string]event.AuditChange{}
		for _, c := range w.store.TakeTrail()[0].Changes {
			changes[c.Field] = c
		}
		return changes
	}
	bearer := func(token string) func(*event.Endpoint) {
		return func(e *event.Endpoint) {
			e.Authentication = &event.Authentication{Type: event.AuthBearer, Bearer: &event.BearerAuth{Token: token}}
		}
	}
	got := update(func(e *event.Endpoint) {
		e.URL, e.RateLimit = "https://example.com/a?token=tok-in-query", 7
		bearer("token-one")(e)
	})
	if c := got["rate_limit"]; c.After != "7" {
		t.Errorf("rate_limit: %+v", c)
	}
	if c := got["url"]; c.Before != "https://example.com/hook" || !strings.HasPrefix(c.After, "https://example.com/a?digest:") {
		t.Errorf("url: %+v", c)
	}
	if c := got["authentication.type"]; c.After != "bearer" {
		t.Errorf("authentication.type: %+v", c)
	}
	one := got["authentication.bearer.token"]
	if one.Before != "" || !strings.HasPrefix(one.After, "digest:") || len(got) != 5 { // rate_limit_duration has a default
		t.Errorf("%+v", got)
	}
	two := update(bearer("token-two"))["authentication.bearer.token"]
	three := update(bearer("token-one"))["authentication.bearer.token"]
	if two.Before != one.After || two.After == one.After || three.After != one.After {
		t.Errorf("the digests are %+v, %+v, %+v", one, two, three)
	}
	if again := update(bearer("token-one")); len(again) != 0 {
		t.Errorf("nothing changed, and the record has %+v", again)
	}
}

// TestAuditHoldsNoSecret plants secrets in every field that takes one, and reads the whole
// audit log.
func TestAuditHoldsNoSecret(t *testing.T) {
	w := sealedWorld(t, "k1")
	key := plant(t, w)
	link, err := w.CreatePortalLink(event.PortalLink{ProjectID: w.project.ID, Name: "people", OwnerID: "o"})
	must(t, err)
	_, keyText, err := w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "k"})
	must(t, err)
	must(t, w.DeleteProject(w.project.ID))
	trail := w.store.TakeTrail()
	text, err := json.Marshal(trail)
	must(t, err)
	for _, secret := range append(slices.Clone(planted), strings.Split(key, "\n")[2], link.Token, keyText) {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is in the audit log", secret)
		}
	}
	if len(trail) < 20 || !strings.Contains(string(text), "authentication.basic_auth.password") {
		t.Errorf("the audit log has %d records: %s", len(trail), text)
	}
}

// TestAuditOfManyAtOnce is one record with their number.
func TestAuditOfManyAtOnce(t *testing.T) {
	w := setup(t)
	w.store.TakeTrail()
	for _, n := range []int{100, 101} {
		list := make([]catalog.Subscribed, n)
		for i := range list {
			list[i].Endpoint = event.Endpoint{Name: "e", URL: "https://example.com"}
			list[i].Subscription = event.Subscription{Name: "s"}
		}
		_, err := w.By(someone).CreateSubscribed(w.project.ID, list)
		must(t, err)
		trail := w.store.TakeTrail()
		if n <= 100 && len(trail) != n || n > 100 && (len(trail) != 1 || trail[0].Count != n) {
			t.Errorf("%d endpoints at once: %d records", n, len(trail))
		}
	}
}

// TestAuditOfAProjectsEnd: what takes several writes is recorded in the first and the last.
func TestAuditOfAProjectsEnd(t *testing.T) {
	w := setup(t)
	for range 1100 {
		w.endpoint(t, "e")
	}
	w.store.TakeTrail()
	must(t, w.By(someone).DeleteProject(w.project.ID))
	const want = `api_key project.delete project "shop" begun 1103; api_key project.delete project "shop" done 1103`
	if got := brief(w.store.TakeTrail()); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
