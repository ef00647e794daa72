package live

import (
	"posthaste/event"
)

// Kind is what a message is about.
type Kind uint8

// The kinds of messages.
const (
	OfDelivery Kind = iota // a delivery was created, or its state changed
	OfEvent                // an event was taken in
)

// Message is something that became durable. It is shared by all who listen: nobody changes
// it.
type Message struct {
	At   uint64 // its place in the order of all; from 1
	Kind Kind

	// Outcome is what became of a delivery. Of an event it has the event and its type.
	event.Outcome
	// Endpoints are those that an event is owed to.
	Endpoints []event.ID

	bytes int64 // what it takes, near enough
}

// messageBytes is what a message takes beside its texts, and textBytes what one of them
// does.
const (
	messageBytes = 640
	textBytes    = 16
)

// ofSubmission are the messages of an event that was taken in and of what it owes.
func ofSubmission(dst []*Message, s *event.Submission) []*Message {
	if s.Err != nil || s.Duplicate {
		return dst
	}
	head := s.Event.Head()
	weight := messageBytes + headBytes(head)
	if head.Origin != event.Replayed { // which goes by the event that it repeats
		m := &Message{Kind: OfEvent, Outcome: event.Outcome{Type: head.Type, Event: head}}
		for i := range s.Event.Owed {
			m.Endpoints = append(m.Endpoints, s.Event.Owed[i].EndpointID)
		}
		m.bytes = weight + int64(len(m.Endpoints)*len(event.ID{}))
		dst = append(dst, m)
	}
	for i := range s.Event.Owed {
		o := event.Outcome{Delivery: s.Event.Owed[i], Type: head.Type, Event: head}
		dst = append(dst, &Message{Kind: OfDelivery, Outcome: o, bytes: weight})
	}
	return dst
}

func ofOutcome(o event.Outcome) *Message {
	weight := int64(messageBytes + len(o.Type) + len(o.Delivery.Reason) + len(o.Tried.Error))
	if o.Event != nil {
		weight += headBytes(o.Event)
	}
	return &Message{Kind: OfDelivery, Outcome: o, bytes: weight}
}

func headBytes(e *event.Event) int64 {
	n := len(e.Type) + len(e.IdempotencyKey) + len(e.OwnerID) + len(e.Path) + len(e.Query)
	for _, h := range e.Headers {
		n += len(h.Name) + len(h.Value) + 2*textBytes
	}
	return int64(n)
}
