package engine

import (
	"context"
	"slices"

	"posthaste/catalog"
	"posthaste/event"
)

// Replay routes an event again, as its project is set up now, to new deliveries
// that carry the event's own id and data. It returns when they are durable. An
// event that was posted to an endpoint goes to that, one that was posted to an owner
// to the owner's endpoints of today. The error is event.ErrNotFound, an
// event.InvalidError if nothing would receive it, or the log's. Any goroutine.
func (e *Engine) Replay(ctx context.Context, project, id event.ID) error {
	ev, err := e.o.Store.Event(project, id)
	if err != nil {
		return err
	}
	subs := []event.Submission{{Event: event.Event{
		ProjectID: project, Type: ev.Type, IdempotencyKey: ev.IdempotencyKey, OwnerID: ev.OwnerID, Headers: ev.Headers, Data: ev.Data,
		ReceivedAt: ev.ReceivedAt, SourceID: ev.SourceID, Path: ev.Path, Query: ev.Query,
		Origin: event.Replayed, Of: ev.PublicID(),
	}}}
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return event.ErrClosed
	}
	snap := e.o.Catalog.Snapshot()
	if err := e.routeAgain(snap, &subs[0], ev); err != nil {
		return err
	}
	if err := e.o.Store.Append(ctx, subs); err != nil {
		return err
	}
	return subs[0].Err
}

func (e *Engine) routeAgain(snap *catalog.Snapshot, s *event.Submission, ev *event.Event) error {
	in := newInput()
	defer putInput(in)
	if ev.OwnerID != "" {
		return e.route(snap, s, in)
	}
	in.Reset(&s.Event)
	for _, id := range endpointsOf(ev) {
		ep := snap.Endpoint(id)
		if ep == nil {
			continue
		}
		if sub := match(ep.Subscriptions(), in); sub != nil {
			s.Event.Owed = append(s.Event.Owed, owe(ep, sub))
		}
	}
	if len(s.Event.Owed) == 0 {
		return event.Invalid("", "no endpoint that this event was sent to exists and wants it any more")
	}
	return nil
}

// endpointsOf lists the endpoints that an event was owed to, each once.
func endpointsOf(ev *event.Event) []event.ID {
	var ids []event.ID
	for i := range ev.Owed {
		if id := ev.Owed[i].EndpointID; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
