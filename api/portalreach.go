package api

import (
	"context"
	"iter"

	"posthaste/catalog"
	"posthaste/event"
)

// reach is what a portal grant sees: endpoints, and through them all else.
type reach struct {
	snap  *catalog.Snapshot
	grant *event.Grant
	all   []event.ID // nil: not listed yet
}

func newReach(snap *catalog.Snapshot, g *event.Grant) *reach { return &reach{snap: snap, grant: g} }

// has reports whether an endpoint is within reach.
func (r *reach) has(id event.ID) bool { return sees(r.grant, r.snap.Endpoint(id)) }

// among are those of the asked endpoints that are within reach, all within reach if
// none is asked for; false if there are none.
func (r *reach) among(asked []event.ID) ([]event.ID, bool) {
	if len(asked) == 0 {
		ids := r.endpoints()
		return ids, len(ids) > 0
	}
	var ids []event.ID
	for _, id := range asked {
		if r.has(id) {
			ids = append(ids, id)
		}
	}
	return ids, len(ids) > 0
}

func (r *reach) endpoints() []event.ID {
	if r.all == nil {
		r.all = []event.ID{}
		for e := range reachable(r.snap, r.grant) {
			r.all = append(r.all, e.ID)
		}
	}
	return r.all
}

// submit is a Submit that takes events for endpoints within reach only.
func (r *reach) submit(inner func(context.Context, []event.Submission) error) func(context.Context, []event.Submission) error {
	return func(ctx context.Context, events []event.Submission) error {
		for i := range events {
			if events[i].To != event.ToEndpoint || !r.has(events[i].EndpointID) {
				return event.ErrNotFound
			}
		}
		return inner(ctx, events)
	}
}

// reachable lists the endpoints that a portal grant sees.
func reachable(snap *catalog.Snapshot, g *event.Grant) iter.Seq[*catalog.Endpoint] {
	if len(g.Endpoints) == 0 {
		return snap.Owner(g.ProjectID, g.OwnerID)
	}
	return func(yield func(*catalog.Endpoint) bool) {
		for _, id := range g.Endpoints {
			if e := snap.Endpoint(id); sees(g, e) && !yield(e) {
				return
			}
		}
	}
}

// sees reports whether a portal grant reaches an endpoint, which may be nil.
func sees(g *event.Grant, e *catalog.Endpoint) bool {
	return e != nil && e.ProjectID == g.ProjectID && g.SeesEndpoint(&e.Endpoint)
}
