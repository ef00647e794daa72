package engine

import (
	"context"

	"posthaste/catalog"
	"posthaste/event"
)

// Replay routes an event again, as its project is set up now, to new deliveries
// that carry the event's own id and data. It returns when they are durable. An
// event that was posted to an endpoint goes to that, one that was posted to an owner
// to the owner's endpoints of today, one of a source to its subscriptions of
// today, and any other to the endpoints that it was sent to. The error is event.ErrNotFound, an
// event.InvalidError if nothing would receive it, that of Refuse, or the log's. Any
// goroutine.
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
	if err := e.full.refused(); err != nil {
		return err
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
	switch {
	case ev.OwnerID != "":
		s.To = event.ToOwner
		return e.route(snap, s, in)
	case !ev.SourceID.IsZero():
		s.To = event.ToSource
		return e.route(snap, s, in)
	}
	in.Reset(&s.Event)
	for _, id := range endpointsOf(ev) {
		ep := snap.Endpoint(id)
		if ep == nil {
			continue
		}
		s.Event.Owed = appendOwed(s.Event.Owed, ep, in)
	}
	if len(s.Event.Owed) == 0 {
		return event.Invalid("", "no endpoint that this event was sent to exists and wants it any more")
	}
	return nil
}

// endpointsOf lists the endpoints that an event was owed to, each once.
func endpointsOf(ev *event.Event) []event.ID {
	var ids []event.ID
	seen := make(map[event.ID]bool, len(ev.Owed))
	for i := range ev.Owed {
		if id := ev.Owed[i].EndpointID; !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}
