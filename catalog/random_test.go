package catalog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"posthaste/catalog"
	"posthaste/event"
)

// Whatever is written, and whichever writes fail, a restart finds the catalog as it
// was, whatever the order of the records; its indexes agree; and a project that is
// deleted leaves nothing.
func TestRandomWrites(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		w := setup(t)
		w.configure(t, func(c *event.ProjectConfig) { c.MultipleEndpointSubscriptions = true })
		m := &mutator{r: r, w: w}
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			m.step()
		}
		must(t, w.FlushKeyUse())
		if problem := disagreement(w.Snapshot(), w.project.ID); problem != "" {
			r.Fatal(problem)
		}
		again, err := catalog.Open(shuffled{w.store}, options(w))
		must(t, err)
		if problem := disagreement(again.Snapshot(), w.project.ID); problem != "" {
			r.Fatalf("after a restart: %s", problem)
		}
		before, after := contents(w.Catalog), contents(again)
		for id := range before {
			if !reflect.DeepEqual(before[id], after[id]) {
				r.Fatalf("%s\n before %+v\n after  %+v", id, before[id], after[id])
			}
		}
		if len(before) != len(after) || len(before) != w.store.Len() {
			r.Fatalf("%d objects before, %d after, %d records", len(before), len(after), w.store.Len())
		}
		must(t, again.DeleteProject(w.project.ID))
		if n := w.store.Len(); n != len(again.Snapshot().Keys(event.ID{})) {
			r.Fatalf("%d records are left", n)
		}
	})
}

// shuffled is a store that gives its records in another order each time.
type shuffled struct{ catalog.Store }

func (s shuffled) LoadCatalog(fn func(event.CatalogRecord) error) error {
	var all []event.CatalogRecord
	_ = s.Store.LoadCatalog(func(rec event.CatalogRecord) error { all = append(all, rec); return nil })
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, rec := range all {
		if err := fn(rec); err != nil {
			return err
		}
	}
	return nil
}

// mutator writes what rapid draws.
type mutator struct {
	r *rapid.T
	w *world
}

func (m *mutator) step() {
	w, p := m.w, m.w.project.ID
	w.clock.Advance(time.Duration(rapid.IntRange(0, 90).Draw(m.r, "seconds")) * time.Second)
	fails := rapid.IntRange(0, 9).Draw(m.r, "fails") == 0
	if fails {
		w.store.Fail(errors.New("disk"))
		defer w.store.Fail(nil)
	}
	writes := []func(){
		func() {
			_, _ = w.CreateEndpoint(event.Endpoint{ProjectID: p, Name: "e", URL: m.url(), AppID: m.app(), OwnerID: m.owner(), Dynamic: m.coin()})
		},
		func() {
			_, _ = w.UpdateEndpoint(p, m.endpoint(), func(e *event.Endpoint) error {
				e.URL, e.AppID, e.OwnerID, e.Dynamic = m.url(), m.app(), m.owner(), m.coin()
				return nil
			})
		},
		func() { _ = w.DeleteEndpoint(p, m.endpoint()) },
		func() {
			_, _ = w.CreateSubscription(event.Subscription{ProjectID: p, Name: "s", EndpointID: m.endpoint(), Extra: m.extra()})
		},
		func() {
			_, _ = w.UpdateSubscription(p, m.subscription(), func(s *event.Subscription) error {
				s.EndpointID, s.Extra = m.endpoint(), m.extra()
				return nil
			})
		},
		func() { _ = w.DeleteSubscription(p, m.subscription()) },
		func() { _, _ = w.CreateSource(event.Source{ProjectID: p, Name: "s", Verifier: m.verifier()}) },
		func() {
			_, _ = w.UpdateSource(p, m.source(), func(s *event.Source) error { s.Verifier, s.IsDisabled = m.verifier(), m.coin(); return nil })
		},
		func() { _ = w.DeleteSource(p, m.source()) },
		func() { _, _ = w.CreateApplication(event.Application{ProjectID: p, Name: "a"}) },
		func() { _ = w.DeleteApplication(p, *m.app()) },
		func() {
			_, _ = w.CreatePortalLink(event.PortalLink{
				ProjectID: p, Name: "l", OwnerID: m.owner(), Endpoints: []event.ID{m.endpoint()}, CanManageEndpoint: m.coin(), AuthType: event.PortalOneTime,
			})
		},
		func() { _, _, _, _ = w.ExchangePortalToken([]byte(m.link().Token)) },
		func() { _ = w.RevokePortalLink(p, m.link().ID) },
		func() {
			k := event.APIKey{Name: "k", AllowFrom: []string{"10.0.0.1"}}
			if m.coin() {
				k.ProjectID, k.OwnerID = p, m.owner()
			}
			_, text, _ := w.CreateKey(k)
			w.Authenticate([]byte(text))
		},
		func() { _ = w.FlushKeyUse() },
		func() {
			d := event.Dynamic{URL: m.url()}
			if m.coin() {
				d.Secret, d.EventTypes = m.url(), []string{m.owner() + "x"}
			}
			if _, err := w.EnsureDynamic(p, &d); err != nil && !fails {
				m.r.Fatalf("dynamic: %v", err)
			}
		},
	}
	writes[rapid.IntRange(0, len(writes)-1).Draw(m.r, "write")]()
}

func (m *mutator) coin() bool { return rapid.Bool().Draw(m.r, "coin") }
func (m *mutator) url() string {
	return fmt.Sprint("https://x/", rapid.IntRange(0, 3).Draw(m.r, "url"))
}
func (m *mutator) owner() string { return rapid.SampledFrom([]string{"", "o", "p"}).Draw(m.r, "owner") }

// pick is one of the list, or a zero value.
func pick[T any](m *mutator, list []T) (one T) {
	if n := rapid.IntRange(0, 5).Draw(m.r, "which"); n < len(list) {
		return list[n]
	}
	return one
}

func (m *mutator) endpoint() event.ID {
	if e := pick(m, m.w.Snapshot().Endpoints(m.w.project.ID, event.Range{Limit: 6}, nil)); e != nil {
		return e.ID
	}
	return event.ID{}
}

func (m *mutator) subscription() event.ID {
	if s := pick(m, m.w.Snapshot().Subscriptions(m.w.project.ID, event.Range{Limit: 6}, nil)); s != nil {
		return s.ID
	}
	return event.ID{}
}

func (m *mutator) source() event.ID {
	if s := pick(m, m.w.Snapshot().Sources(m.w.project.ID, event.Range{Limit: 6}, nil)); s != nil {
		return s.ID
	}
	return event.ID{}
}

func (m *mutator) app() *event.ID {
	if a := pick(m, m.w.Snapshot().Applications(m.w.project.ID, event.Range{Limit: 6}, nil)); a != nil {
		return &a.ID
	}
	return &event.ID{}
}

func (m *mutator) link() *event.PortalLink {
	if l := pick(m, m.w.Snapshot().PortalLinks(m.w.project.ID, event.Range{Limit: 6}, nil)); l != nil {
		return l
	}
	return &event.PortalLink{}
}

func (m *mutator) verifier() *event.Verifier {
	if m.coin() {
		return nil
	}
	return hmacVerifier()
}

func (m *mutator) extra() *event.SubscriptionExtra {
	if m.coin() {
		return nil
	}
	return &event.SubscriptionExtra{SourceID: m.source(), Filters: []event.TypeFilter{typeFilter("a", `{"n":"<"}`, m.coin())}}
}

// disagreement says where the indexes of a snapshot do not agree; "" for nowhere.
func disagreement(s *catalog.Snapshot, project event.ID) string {
	all := event.Range{Limit: 1 << 30}
	byApp, bySource := make(map[event.ID][]*catalog.Endpoint), make(map[event.ID][]event.ID)
	for _, e := range s.Endpoints(project, all, nil) {
		if s.Endpoint(e.ID) != e {
			return fmt.Sprintf("endpoint %s has two values", e.ID)
		}
		if e.AppID != nil {
			byApp[*e.AppID] = append(byApp[*e.AppID], e)
		}
	}
	for sub := range s.AllSubscriptions(project) {
		if s.Endpoint(sub.EndpointID).Subscription(sub.ID) != sub {
			return fmt.Sprintf("subscription %s is not its endpoint's", sub.ID)
		}
		if sub.Extra != nil {
			bySource[sub.Extra.SourceID] = append(bySource[sub.Extra.SourceID], sub.ID)
		}
	}
	for _, a := range s.Applications(project, all, nil) {
		if got := slices.Collect(s.EndpointsOfApp(project, a.ID)); !slices.Equal(got, byApp[a.ID]) {
			return fmt.Sprintf("application %s has %d endpoints, want %d", a.ID, len(got), len(byApp[a.ID]))
		}
		delete(byApp, a.ID)
	}
	for _, src := range s.Sources(project, all, nil) {
		var got []event.ID
		for sub := range s.SubscriptionsOfSource(project, src.ID) {
			got = append(got, sub.ID)
		}
		if !slices.Equal(got, bySource[src.ID]) || s.SourceByMask(src.MaskID) != src || s.Source(project, src.ID) != src {
			return fmt.Sprintf("source %s has subscriptions %s, want %s", src.ID, got, bySource[src.ID])
		}
		delete(bySource, src.ID)
	}
	delete(bySource, event.ID{})
	if len(byApp) > 0 || len(bySource) > 0 {
		return fmt.Sprintf("applications or sources that are gone have %v, %v", byApp, bySource)
	}
	return catalog.DynamicDisagreement(s, project)
}
