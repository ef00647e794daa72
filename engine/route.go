package engine

import (
	"errors"
	"iter"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	matching "posthaste/match"
)

// route lists the endpoints that an event is owed to in its Owed.
func (e *Engine) route(snap *catalog.Snapshot, s *event.Submission, in *matching.Input) error {
	if p := snap.Project(s.Event.ProjectID); p != nil {
		s.Window = time.Duration(p.Config.IdempotencyWindow) * time.Second
	}
	in.Reset(&s.Event)
	switch s.To {
	case event.ToEndpoint:
		return e.routeSingle(snap, s, in)
	case event.ToOwner:
		return routeFanOut(s, in, fanOut{snap.Owner(s.Event.ProjectID, s.Event.OwnerID), "owner_id", "no endpoint has this owner_id"})
	case event.ToApp:
		return e.routeApp(snap, s, in)
	case event.ToDynamic:
		return e.routeDynamic(s, in)
	case event.ToSource:
		return routeSubscriptions(snap, s, in, snap.SubscriptionsOfSource(s.Event.ProjectID, s.Event.SourceID))
	case event.ToSubscribers:
		return routeSubscriptions(snap, s, in, ofAPI(snap.AllSubscriptions(s.Event.ProjectID)))
	}
	return event.Invalid("", "the event says nobody whom it is for")
}

func (e *Engine) routeSingle(snap *catalog.Snapshot, s *event.Submission, in *matching.Input) error {
	ep := snap.Endpoint(s.EndpointID)
	if ep == nil || ep.ProjectID != s.Event.ProjectID {
		return event.Invalid("endpoint_id", "endpoint not found")
	}
	ep, err := e.subscribed(ep)
	if err != nil {
		return err
	}
	s.Event.Owed = appendOwed(s.Event.Owed, ep, in)
	return nil
}

// subscribed is the endpoint with a subscription that takes all events, if it had
// none: who posts to an endpoint means it to arrive.
func (e *Engine) subscribed(ep *catalog.Endpoint) (*catalog.Endpoint, error) {
	if len(ep.Subscriptions()) > 0 {
		return ep, nil
	}
	if _, err := e.o.Catalog.EnsureSubscription(ep.ProjectID, ep.ID); err != nil && !errors.Is(err, event.ErrNotFound) {
		return nil, err
	}
	if ep = e.o.Catalog.Snapshot().Endpoint(ep.ID); ep == nil {
		return nil, event.Invalid("endpoint_id", "endpoint not found")
	}
	return ep, nil
}

// fanOut is a group of endpoints, the field that names it, and what to say if it has
// none.
type fanOut struct {
	endpoints   iter.Seq[*catalog.Endpoint]
	field, none string
}

func routeFanOut(s *event.Submission, in *matching.Input, to fanOut) error {
	known := false
	for ep := range to.endpoints {
		known = true
		s.Event.Owed = appendOwed(s.Event.Owed, ep, in)
		if len(s.Event.Owed) > event.MaxFanout {
			return event.Invalid(to.field, "has more than %d endpoints that want this event", event.MaxFanout)
		}
	}
	if !known {
		return event.Invalid(to.field, "%s", to.none)
	}
	return nil
}

// routeApp is for the endpoints of an application, which get a subscription, as a
// single event's does, if they have none.
func (e *Engine) routeApp(snap *catalog.Snapshot, s *event.Submission, in *matching.Input) error {
	if snap.Application(s.Event.ProjectID, s.AppID) == nil {
		return event.Invalid("app_id", "application not found")
	}
	for ep := range snap.EndpointsOfApp(s.Event.ProjectID, s.AppID) {
		if _, err := e.subscribed(ep); err != nil {
			return err
		}
	}
	endpoints := e.o.Catalog.Snapshot().EndpointsOfApp(s.Event.ProjectID, s.AppID)
	return routeFanOut(s, in, fanOut{endpoints, "app_id", "this application has no endpoint yet: create one first"})
}

// routeDynamic is for the endpoint that the event brings.
func (e *Engine) routeDynamic(s *event.Submission, in *matching.Input) error {
	ep, err := e.o.Catalog.EnsureDynamic(s.Event.ProjectID, s.Dynamic)
	if err != nil {
		return err
	}
	s.Event.Owed = appendOwed(s.Event.Owed, ep, in)
	return nil
}

// routeSubscriptions is for every endpoint of which one of the subscriptions wants
// the event. It was read from the snapshot of this moment, so a subscription that was
// made before the event was posted is among them.
func routeSubscriptions(snap *catalog.Snapshot, s *event.Submission, in *matching.Input, subs iter.Seq[*catalog.Subscription]) error {
	var seen map[event.ID]bool // only of endpoints with several subscriptions
	for sub := range subs {
		ep := snap.Endpoint(sub.EndpointID)
		if ep == nil || seen[ep.ID] || !sub.Wants(in) {
			continue
		}
		if len(ep.Subscriptions()) > 1 {
			if seen == nil {
				seen = make(map[event.ID]bool)
			}
			seen[ep.ID] = true
		}
		if len(s.Event.Owed) == event.MaxBroadcast {
			return event.Invalid("event_type", "is wanted by more than %d endpoints: send it to them by owner_id", event.MaxBroadcast)
		}
		s.Event.Owed = append(s.Event.Owed, owe(ep, sub))
	}
	return nil
}

// appendOwed appends the endpoint's delivery if one of its subscriptions wants an
// event that was posted to the API.
func appendOwed(owed []event.Delivery, ep *catalog.Endpoint, in *matching.Input) []event.Delivery {
	if sub := match(ep.Subscriptions(), in); sub != nil {
		return append(owed, owe(ep, sub))
	}
	return owed
}

// match is the first subscription that wants the event: an endpoint gets it once.
// One to a source takes what comes in there, and nothing else.
func match(subs []*catalog.Subscription, in *matching.Input) *catalog.Subscription {
	for _, s := range subs {
		if fromAPI(s) && s.Wants(in) {
			return s
		}
	}
	return nil
}

// ofAPI leaves out the subscriptions to sources.
func ofAPI(subs iter.Seq[*catalog.Subscription]) iter.Seq[*catalog.Subscription] {
	return func(yield func(*catalog.Subscription) bool) {
		for s := range subs {
			if fromAPI(s) && !yield(s) {
				return
			}
		}
	}
}

func fromAPI(s *catalog.Subscription) bool { return s.Extra == nil || s.Extra.SourceID.IsZero() }

// owe is a delivery to an endpoint. One that takes no deliveries at the moment
// is owed a discarded one, which can be retried later.
func owe(ep *catalog.Endpoint, sub *catalog.Subscription) event.Delivery {
	d := event.Delivery{EndpointID: ep.ID, SubscriptionID: sub.ID, Status: event.Scheduled, AtMostOnce: sub.DeliveryMode == event.AtMostOnce}
	if reason := refusal(ep); reason != "" {
		d.Status, d.Reason = event.Discarded, reason
	}
	return d
}
