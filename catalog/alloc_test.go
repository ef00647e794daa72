//go:build !race

package catalog_test

import (
	"runtime"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
	"posthaste/event"
	"posthaste/match"
)

func TestHotPathDoesNotAllocate(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	w.subscription(t, e)
	_, scoped, err := w.CreateKey(event.APIKey{ProjectID: w.project.ID, Name: "k", OwnerID: "o", AllowFrom: []string{"10.0.0.0/8"}})
	must(t, err)
	link, source := w.link(t, event.PortalStatic, func(l *event.PortalLink) { l.OwnerID, l.Endpoints = "", []event.ID{e.ID} }), w.source(t, "s")
	short, _, err := w.IssuePortalToken(w.project.ID, link.ID)
	must(t, err)
	dynamic := &event.Dynamic{URL: "https://dynamic.example.com/path", Secret: "s", EventTypes: []string{"a", "b"}}
	w.dynamic(t, *dynamic)
	filtered, err := w.withExtra(t, &event.SubscriptionExtra{Filters: []event.TypeFilter{typeFilter("a", `{"n":1}`, true), typeFilter("*", `{"n":2}`, true)}})
	must(t, err)
	withFilters := w.Snapshot().SubscriptionsOf(filtered.EndpointID)[0]
	var in match.Input
	in.Reset(&event.Event{Type: "a", Data: []byte(`{"n":1}`)})
	key, wrong, instance := []byte(w.key), []byte("CO.0123456789abcdef."+w.key[20:]), []byte(catalogtest.InstanceKey)
	var subs []*catalog.Subscription
	for name, f := range map[string]func(){
		"Authenticate":              func() { w.Authenticate(key) },
		"Authenticate, wrong":       func() { w.Authenticate(wrong) },
		"Authenticate, instance":    func() { w.Authenticate(instance) },
		"Authenticate, owner":       func() { w.Authenticate([]byte(scoped)) },
		"Authenticate, used":        func() { w.clock.Advance(time.Hour); w.Authenticate(key) },
		"Authenticate, link":        func() { w.Authenticate([]byte(link.Token)) },
		"Authenticate, short":       func() { w.Authenticate([]byte(short)) },
		"SourceByMask":              func() { w.Snapshot().SourceByMask(source.MaskID) },
		"EnsureDynamic exists":      func() { _, _ = w.EnsureDynamic(w.project.ID, dynamic) },
		"Wants, type filters":       func() { withFilters.Wants(&in) },
		"Endpoint":                  func() { e = w.Snapshot().Endpoint(e.ID) },
		"Project":                   func() { w.project = w.Snapshot().Project(w.project.ID) },
		"SubscriptionsOf":           func() { subs = w.Snapshot().SubscriptionsOf(e.ID) },
		"Signer":                    func() { e.Signer(w.project) },
		"EnsureSubscription exists": func() { _, _ = w.EnsureSubscription(w.project.ID, e.ID) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	if len(subs) != 1 {
		t.Errorf("%d subscriptions, want 1", len(subs))
	}
}

// TestMemoryOfAnIdleEndpoint: a loaded endpoint and its subscription take at most 900 bytes.
func TestMemoryOfAnIdleEndpoint(t *testing.T) {
	const n, most = 20_000, 900
	g := newGenerated(nil, n, n)
	before := heapInUse()
	c, err := catalog.Open(g, catalogtest.Options())
	must(t, err)
	each := float64(heapInUse()-before) / n
	runtime.KeepAlive(g)
	if _, endpoints, subs := c.Snapshot().Counts(); endpoints != n || subs != n {
		t.Fatalf("%d endpoints, %d subscriptions", endpoints, subs)
	}
	t.Logf("%.0f bytes for an endpoint and its subscription", each)
	if each > most {
		t.Errorf("an idle endpoint takes %.0f bytes with its subscription, want at most %d", each, most)
	}
}
