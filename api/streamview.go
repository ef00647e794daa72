package api

import (
	"encoding/json"
	"time"

	"posthaste/event"
	"posthaste/live"
)

// openView is the first message of a stream.
type openView struct {
	// Resumed: it goes on behind the message that the client saw last, without a gap.
	Resumed bool `json:"resumed"`
}

// resetView says that what happened since the client's last message is not known.
type resetView struct {
	Reason  string `json:"reason"` // restarted, expired or unknown
	Message string `json:"message"`
}

var resetText = map[live.Reset]string{
	live.Restarted: "the server was restarted since; read the list again",
	live.Expired:   "more has happened since than is kept; read the list again",
	live.Unknown:   "the id is none of this stream's; read the list again",
}

// droppedView says how many messages a slow client did not get.
type droppedView struct {
	Dropped uint64 `json:"dropped"`
	Message string `json:"message"`
}

// batchView ends each batch of a stream with maxRows.
type batchView struct {
	Shown int `json:"shown"`
	Of    int `json:"of"`
}

// endView says why the server ends a stream: Code is what a request would be answered
// with.
type endView struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// triedView is the attempt that a delivery's change came of.
type triedView struct {
	Number     int       `json:"number"`
	StatusCode int       `json:"status_code"` // 0: no answer came
	ErrorClass string    `json:"error_class"` // "" for success; see an attempt's
	Error      string    `json:"error"`
	Manual     bool      `json:"manual"`
	StartedAt  time.Time `json:"started_at"`
	DurationMS float64   `json:"duration_ms"`
}

// encode writes messages that are for the client. It returns how many were.
func (s *stream) encode(messages []*live.Message) (int, error) {
	events := s.api.eventCache(s.call)
	wrote := 0
	for _, m := range messages {
		e, err := s.eventOf(events, m)
		if err != nil {
			return wrote, err
		}
		if !s.filter.Sure(m) && (e == nil || !s.filter.MatchEvent(e)) {
			continue
		}
		name, data, err := s.view(m, e)
		if err != nil {
			return wrote, err
		}
		s.out.event(name, s.sub.IDOf(m), data)
		wrote++
	}
	return wrote, nil
}

// eventOf is the event of a message, without its data; nil if it is gone.
func (s *stream) eventOf(events *eventCache, m *live.Message) (*event.Event, error) {
	if m.Event != nil {
		return m.Event, nil
	}
	e, err := events.get(m.Delivery.EventID)
	if e == nil || err != nil {
		return nil, err
	}
	return e.Head(), nil
}

// view is the name of a message and what the API shows of what it is about.
func (s *stream) view(m *live.Message, e *event.Event) (name string, data json.RawMessage, err error) {
	if m.Kind == live.OfEvent {
		data, err = s.eventView(m)
		return "event", data, err
	}
	data, err = s.api.appendDelivery(nil, s.call, deliveryRow{m.Delivery, e})
	if err != nil {
		return "", nil, err
	}
	attempt := []byte("null")
	if t := &m.Tried; t.Number > 0 {
		attempt, err = marshal(triedView{
			Number: t.Number, StatusCode: t.StatusCode, ErrorClass: t.Class.String(), Error: t.Error, Manual: t.Manual,
			StartedAt: t.StartedAt.UTC(), DurationMS: millis(t.Duration),
		})
	}
	data = append(data[:len(data)-1], `,"attempt":`...)
	return "delivery", append(append(data, attempt...), '}'), err
}

// eventView shows an event without its data.
func (s *stream) eventView(m *live.Message) (json.RawMessage, error) {
	row := eventRow{event: m.Event, endpoints: []event.ID{}}
	for _, id := range m.Endpoints {
		if len(row.endpoints) == maxEndpointsInList {
			break
		}
		if s.filter.Reach == nil || s.filter.Reach(id) {
			row.endpoints = append(row.endpoints, id)
		}
	}
	v := newEventView(row, s.call.snap)
	s.call.conceal(v.Headers, &v.URLPath, &v.URLQueryParams)
	v.SourceMetadata = s.api.sourceMetadata(s.call.snap, m.Event.ProjectID, m.Event.SourceID)
	return appendEventView(nil, v, nil)
}
