package live

import (
	"slices"

	"posthaste/event"
)

// Filter selects messages of one kind and project; zero fields select all. Fields
// combine.
type Filter struct {
	Kind    Kind
	Project event.ID // required

	Endpoints []event.ID
	// Reach reports whether an endpoint may be seen; nil: all may. It must not block, and
	// is called while messages are handed out.
	Reach func(endpoint event.ID) bool

	Statuses     []event.Status // of deliveries
	Event        event.ID       // of deliveries: of this event, or of a replay of it
	Subscription event.ID       // of deliveries

	Type    string
	Key     string // the event's idempotency key
	Owner   string // of events: theirs
	Sources []event.ID
}

// Match reports whether a message passes. One whose event is not at hand passes what asks
// for the event's key, source and origin: see Sure.
func (f *Filter) Match(m *Message) bool {
	switch {
	case m.Kind != f.Kind || f.project(m) != f.Project:
		return false
	case f.Type != "" && f.Type != m.Type:
		return false
	case m.Event != nil && !f.MatchEvent(m.Event):
		return false
	case m.Kind == OfEvent:
		return f.matchEndpoints(m.Endpoints)
	}
	d := &m.Delivery
	switch {
	case len(f.Statuses) > 0 && !slices.Contains(f.Statuses, d.Status):
		return false
	case !f.Subscription.IsZero() && f.Subscription != d.SubscriptionID:
		return false
	case !f.Event.IsZero() && f.Event != d.EventID && (m.Event == nil || f.Event != m.Event.PublicID()):
		return false
	}
	return f.sees(d.EndpointID)
}

// Sure reports whether Match had all that it takes. Where it had not, whoever reads the
// message reads its event and asks MatchEvent.
func (f *Filter) Sure(m *Message) bool {
	return m.Event != nil || f.Key == "" && len(f.Sources) == 0
}

// MatchEvent reports whether an event passes what is asked of it.
func (f *Filter) MatchEvent(e *event.Event) bool {
	return (f.Key == "" || f.Key == e.IdempotencyKey) &&
		(f.Owner == "" || f.Owner == e.OwnerID) &&
		(len(f.Sources) == 0 || slices.Contains(f.Sources, e.SourceID))
}

func (f *Filter) project(m *Message) event.ID {
	if m.Kind == OfEvent {
		return m.Event.ProjectID
	}
	return m.Delivery.ProjectID
}

// matchEndpoints reports whether an event goes to one of the endpoints that are asked for
// and may be seen.
func (f *Filter) matchEndpoints(ids []event.ID) bool {
	if len(f.Endpoints) == 0 && f.Reach == nil {
		return true
	}
	return slices.ContainsFunc(ids, f.sees)
}

func (f *Filter) sees(id event.ID) bool {
	return (len(f.Endpoints) == 0 || slices.Contains(f.Endpoints, id)) && (f.Reach == nil || f.Reach(id))
}
