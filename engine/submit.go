package engine

import (
	"context"
	"errors"
	"time"

	"posthaste/catalog"
	"posthaste/event"
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
	owed := 0
	for i := range subs {
		if subs[i].Err == nil {
			subs[i].Err = e.routeWithin(snap, &subs[i], &owed)
		}
	}
	err := e.o.Store.Append(ctx, subs)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &event.OverloadError{What: "the log takes no more at the moment", After: time.Second}
	}
	return err
}

// routeWithin is route, and keeps what a request owes within one batch of the log.
func (e *Engine) routeWithin(snap *catalog.Snapshot, s *event.Submission, owed *int) error {
	if err := e.route(snap, s); err != nil {
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
func (e *Engine) route(snap *catalog.Snapshot, s *event.Submission) error {
	if s.EndpointID != (event.ID{}) {
		return e.routeSingle(snap, s)
	}
	known := false
	for ep := range snap.Owner(s.Event.ProjectID, s.Event.OwnerID) {
		known = true
		sub := match(snap.SubscriptionsOf(ep.ID), s.Event.Type)
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

func (e *Engine) routeSingle(snap *catalog.Snapshot, s *event.Submission) error {
	ep := snap.Endpoint(s.EndpointID)
	if ep == nil || ep.ProjectID != s.Event.ProjectID {
		return event.Invalid("endpoint_id", "endpoint not found")
	}
	subs := snap.SubscriptionsOf(ep.ID)
	if len(subs) == 0 {
		sub, err := e.o.Catalog.EnsureSubscription(ep.ProjectID, ep.ID)
		if errors.Is(err, event.ErrNotFound) {
			return event.Invalid("endpoint_id", "endpoint not found")
		}
		if err != nil {
			return err
		}
		subs = []*event.Subscription{sub}
	}
	if sub := match(subs, s.Event.Type); sub != nil {
		s.Event.Owed = []event.Delivery{owe(ep, sub)}
	}
	return nil
}

// match is the first subscription that wants the type: an endpoint gets an
// event once.
func match(subs []*event.Subscription, eventType string) *event.Subscription {
	for _, s := range subs {
		if s.Matches(eventType) {
			return s
		}
	}
	return nil
}

// owe is a delivery to an endpoint. One that takes no deliveries at the moment
// is owed a discarded one, which can be retried later.
func owe(ep *catalog.Endpoint, sub *event.Subscription) event.Delivery {
	d := event.Delivery{EndpointID: ep.ID, SubscriptionID: sub.ID, Status: event.Scheduled}
	if reason := refusal(ep); reason != "" {
		d.Status, d.Reason = event.Discarded, reason
	}
	return d
}

// refusal says why an endpoint takes no deliveries; "" if it does.
func refusal(ep *catalog.Endpoint) string {
	switch {
	case ep == nil:
		return "the endpoint was deleted"
	case ep.Status == event.EndpointPaused:
		return "the endpoint is paused"
	case ep.Status == event.EndpointInactive:
		return "the endpoint is inactive"
	}
	return ""
}
