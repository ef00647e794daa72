package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	matching "posthaste/match"
)

// Submit works out where each event is owed, and makes it durable. It returns
// when every accepted submission is on disk, with the events' ids set; refusals
// are in the submissions. An error means that nothing was accepted:
// event.ErrClosed, event.ErrOverloaded, or the log's failure. Any goroutine.
//
// While this machine is the bottleneck, Submit returns a little later, at most
// a second, see pace.
func (e *Engine) Submit(ctx context.Context, subs []event.Submission) error {
	err := e.accept(ctx, subs)
	if err == nil {
		e.pace.hold()
	}
	return err
}

func (e *Engine) accept(ctx context.Context, subs []event.Submission) error {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return event.ErrClosed
	}
	snap := e.o.Catalog.Snapshot()
	owed, in := 0, newInput()
	for i := range subs {
		if subs[i].Err == nil {
			subs[i].Err = e.routeWithin(snap, &subs[i], in, &owed)
		}
	}
	putInput(in)
	err := e.o.Store.Append(ctx, subs)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &event.OverloadError{What: "the log takes no more at the moment", After: time.Second}
	}
	return err
}

// routeWithin is route, and keeps what a request owes within one batch of the log.
func (e *Engine) routeWithin(snap *catalog.Snapshot, s *event.Submission, in *matching.Input, owed *int) error {
	if err := e.route(snap, s, in); err != nil {
		return err
	}
	if *owed+len(s.Event.Owed) > event.MaxOwedPerRequest {
		s.Event.Owed = nil
		return event.Invalid("", "the events of this request are owed to more than %d endpoints together: send this one in another request", event.MaxOwedPerRequest)
	}
	*owed += len(s.Event.Owed)
	return nil
}

// route lists the endpoints an event is owed to in its Owed.
func (e *Engine) route(snap *catalog.Snapshot, s *event.Submission, in *matching.Input) error {
	if p := snap.Project(s.Event.ProjectID); p != nil {
		s.Window = time.Duration(p.Config.IdempotencyWindow) * time.Second
	}
	in.Reset(&s.Event)
	if s.EndpointID != (event.ID{}) {
		return e.routeSingle(snap, s, in)
	}
	known := false
	for ep := range snap.Owner(s.Event.ProjectID, s.Event.OwnerID) {
		known = true
		sub := match(ep.Subscriptions(), in)
		if sub == nil {
			continue
		}
		if len(s.Event.Owed) == event.MaxFanout {
			return event.Invalid("owner_id", "has more than %d endpoints that want this event", event.MaxFanout)
		}
		s.Event.Owed = append(s.Event.Owed, owe(ep, sub))
	}
	if !known {
		return event.Invalid("owner_id", "no endpoint has this owner_id")
	}
	return nil
}

func (e *Engine) routeSingle(snap *catalog.Snapshot, s *event.Submission, in *matching.Input) error {
	ep := snap.Endpoint(s.EndpointID)
	if ep == nil || ep.ProjectID != s.Event.ProjectID {
		return event.Invalid("endpoint_id", "endpoint not found")
	}
	subs := ep.Subscriptions()
	if len(subs) == 0 {
		if _, err := e.o.Catalog.EnsureSubscription(ep.ProjectID, ep.ID); err != nil && !errors.Is(err, event.ErrNotFound) {
			return err
		}
		if ep = e.o.Catalog.Snapshot().Endpoint(ep.ID); ep == nil {
			return event.Invalid("endpoint_id", "endpoint not found")
		}
		subs = ep.Subscriptions()
	}
	if sub := match(subs, in); sub != nil {
		s.Event.Owed = []event.Delivery{owe(ep, sub)}
	}
	return nil
}

// match is the first subscription that wants the event: an endpoint gets it once.
func match(subs []*catalog.Subscription, in *matching.Input) *catalog.Subscription {
	for _, s := range subs {
		if s.Wants(in) {
			return s
		}
	}
	return nil
}

// inputs are kept for the next request; filters may have parsed an event into them.
var inputs = sync.Pool{New: func() any { return new(matching.Input) }}

func newInput() *matching.Input { return inputs.Get().(*matching.Input) }

func putInput(in *matching.Input) {
	in.Reset(nil)
	inputs.Put(in)
}

// owe is a delivery to an endpoint. One that takes no deliveries at the moment
// is owed a discarded one, which can be retried later.
func owe(ep *catalog.Endpoint, sub *catalog.Subscription) event.Delivery {
	d := event.Delivery{EndpointID: ep.ID, SubscriptionID: sub.ID, Status: event.Scheduled, AtMostOnce: sub.DeliveryMode == event.AtMostOnce}
	if reason := refusal(ep); reason != "" {
		d.Status, d.Reason = event.Discarded, reason
	}
	return d
}
