//go:build !race

package catalog_test

import (
	"testing"

	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

func TestHotPathDoesNotAllocate(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	w.subscription(t, e)
	key, wrong, instance := []byte(w.key), []byte("CO.0123456789abcdef."+w.key[20:]), []byte(catalogtest.InstanceKey)
	var subs []*event.Subscription
	for name, f := range map[string]func(){
		"Authenticate":              func() { w.Authenticate(key) },
		"Authenticate, wrong":       func() { w.Authenticate(wrong) },
		"Authenticate, instance":    func() { w.Authenticate(instance) },
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
