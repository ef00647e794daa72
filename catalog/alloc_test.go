//go:build !race

package catalog_test

import (
	"runtime"
	"testing"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
)

func TestHotPathDoesNotAllocate(t *testing.T) {
	w := setup(t)
	e := w.endpoint(t, "a")
	w.subscription(t, e)
	key, wrong, instance := []byte(w.key), []byte("CO.0123456789abcdef."+w.key[20:]), []byte(catalogtest.InstanceKey)
	var subs []*catalog.Subscription
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

// TestMemoryOfAnIdleEndpoint: a loaded endpoint and its subscription take at most 1 KiB.
func TestMemoryOfAnIdleEndpoint(t *testing.T) {
	const n, most = 20_000, 1024
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
