package search

import (
	"bytes"
	"encoding/json"
	"errors"

	"posthaste/event"
)

// subject is a delivery with what conditions have read of it so far.
type subject struct {
	*event.Delivery
	from     Reader
	of       *event.Event // nil until it is read, and if it is gone
	tries    []event.Attempt
	read     bool // the event
	readThem bool // the attempts
	decoded  any
	bytes    int // that were read
}

// event is the delivery's event; nil if it is gone.
func (s *subject) event() (*event.Event, error) {
	if s.read {
		return s.of, nil
	}
	e, err := s.from.Event(s.ProjectID, s.EventID)
	switch {
	case errors.Is(err, event.ErrNotFound):
		s.read = true
		return nil, nil
	case err != nil:
		return nil, err
	}
	s.of, s.read = e, true
	s.bytes += len(e.Data)
	return e, nil
}

func (s *subject) attempts() ([]event.Attempt, error) {
	if s.readThem {
		return s.tries, nil
	}
	attempts, err := s.from.Attempts(s.ProjectID, s.ID)
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		return nil, err
	}
	s.tries, s.readThem = attempts, true
	for i := range attempts {
		s.bytes += len(attempts[i].ResponseBody) + len(attempts[i].ResponseHeaders) + len(attempts[i].RequestHeaders)
	}
	return attempts, nil
}

// data is the event's data, decoded; nil if that is no JSON.
func (s *subject) data() any {
	if s.decoded == nil && s.of != nil {
		dec := json.NewDecoder(bytes.NewReader(s.of.Data))
		dec.UseNumber()
		_ = dec.Decode(&s.decoded) // what is no JSON has no members
	}
	return s.decoded
}

// hasText reports whether a text, in lower case, is in what a delivery carries, or in
// what came of it.
func (s *subject) hasText(text []byte) (bool, error) {
	if contains([]byte(s.Reason), text) {
		return true, nil
	}
	e, err := s.event()
	if err != nil {
		return false, err
	}
	if e != nil && (contains([]byte(e.IdempotencyKey), text) || contains(e.Data, text)) {
		return true, nil
	}
	if s.Status == event.Success && s.Attempts <= 1 {
		return false, nil // no attempt failed
	}
	attempts, err := s.attempts()
	for i := range attempts {
		if a := &attempts[i]; !a.Succeeded() && (contains([]byte(a.Error), text) || contains(a.ResponseBody, text)) {
			return true, nil
		}
	}
	return false, err
}

// contains looks for a text in lower case.
func contains(in, text []byte) bool { return bytes.Contains(bytes.ToLower(in), text) }
