package event

import (
	"slices"
	"strings"
	"time"
)

// Outcome is what became of a delivery, for those who watch: a Settlement that owns its
// memory.
type Outcome struct {
	Delivery Delivery
	Type     string // the event's; "" if it is not known
	Event    *Event // the event without its data; nil if it was not at hand
	Tried    Tried  // the attempt that led to it; zero if none did
}

// Tried is what an attempt came to, without what was sent and answered.
type Tried struct {
	Number     int // from 1
	Manual     bool
	StartedAt  time.Time
	Duration   time.Duration
	StatusCode int // 0 when no answer came
	Class      ErrorClass
	Error      string
}

// Outcome copies what a settlement says.
func (s *Settlement) Outcome() Outcome {
	o := Outcome{Delivery: s.Delivery, Type: strings.Clone(s.Type)}
	o.Delivery.Reason = strings.Clone(s.Delivery.Reason)
	if s.Event != nil {
		o.Event = s.Event.Head()
	}
	if a := s.Attempt; a != nil {
		o.Tried = Tried{
			Number: a.Number, Manual: a.Manual, StartedAt: a.StartedAt, Duration: a.Duration,
			StatusCode: a.StatusCode, Class: a.Class, Error: strings.Clone(a.Error),
		}
	}
	return o
}

// Head is a copy of an event without its data and without what it owes. It shares no
// memory with the event, whose strings may be a part of a whole request.
func (e *Event) Head() *Event {
	h := *e
	h.Type, h.IdempotencyKey, h.OwnerID = strings.Clone(e.Type), strings.Clone(e.IdempotencyKey), strings.Clone(e.OwnerID)
	h.Path, h.Query = strings.Clone(e.Path), strings.Clone(e.Query)
	h.Headers = slices.Clone(e.Headers)
	for i := range h.Headers {
		h.Headers[i] = Header{strings.Clone(h.Headers[i].Name), strings.Clone(h.Headers[i].Value)}
	}
	h.Data, h.Owed = nil, nil
	return &h
}
