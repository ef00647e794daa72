package compat

import "testing"

// TestEveryOperation drives all operations on one server, in an order in which each has
// what it needs, and reports on them.
func TestEveryOperation(t *testing.T) {
	w := &world{
		t: t, base: startServer(t), hook: newReceiver(t),
		ids: map[string]string{}, bodies: map[string]any{}, queries: map[string]string{},
		found: map[string]*verdict{}, extra: map[string]bool{}, spec: loadSpecification(t),
	}
	for _, step := range []func(*world){
		(*world).projects, (*world).endpoints, (*world).eventTypes, (*world).subscriptions, (*world).filters,
		(*world).sources, (*world).portalLinks, (*world).events, (*world).deliveries, (*world).metaEvents, (*world).onboard,
		(*world).refusals, (*world).badBodies,
		(*world).paging, (*world).emptyQueries, (*world).dates, (*world).versions, (*world).olderClients, (*world).wire, (*world).documents,
		(*world).removals,
	} {
		step(w)
	}
	w.report()
}
