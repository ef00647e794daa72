package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"posthaste/client"
)

// Pauses before a stream that was cut off is opened again.
const (
	tailPause    = time.Second
	maxTailPause = 30 * time.Second
)

type deliveryTailCmd struct {
	deliveryMatch
}

// tailed is what a stream tells of a delivery.
type tailed struct {
	client.Delivery
	Attempt *struct {
		Number     int     `json:"number"`
		StatusCode int     `json:"status_code"`
		ErrorClass string  `json:"error_class"`
		Error      string  `json:"error"`
		DurationMS float64 `json:"duration_ms"`
	} `json:"attempt"`
}

// Run shows the stream, and opens it again where it was cut off, until it is interrupted.
func (c *deliveryTailCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	q := c.match()
	addAll(q, "endpointId", c.Endpoint)
	if c.Owner != "" {
		q.Set("ownerId", c.Owner)
	}
	t := &deliveryTail{s: s, request: client.Request{Method: http.MethodGet, Path: in.Path("eventdeliveries", "stream"), Query: q}}
	for wait := tailPause; ; wait = min(2*wait, maxTailPause) {
		err := t.once()
		switch refused := (*client.Error)(nil); {
		case s.ctx.Err() != nil:
			return nil // the way to end it
		case errors.As(err, &refused) && !refused.Busy() || errors.Is(err, errTailEnded) || errors.Is(err, errTailUnwritten):
			return err
		case t.came:
			wait = tailPause
		}
		if err := s.say("The stream was cut off: %s. Trying again.", clean(err.Error())); err != nil {
			return err
		}
		if pause(s.ctx, wait) != nil {
			return nil
		}
	}
}

var (
	errTailEnded     = errors.New("the server ended the stream")
	errTailUnwritten = errors.New("a line was not written")
)

// deliveryTail is a stream of deliveries that is shown.
type deliveryTail struct {
	s       *session
	request client.Request
	last    string // the id that it goes on from
	came    bool   // the last try got as far as a message
}

// once opens the stream and shows it until it ends.
func (t *deliveryTail) once() error {
	t.came = false
	stream, err := t.s.client.Stream(t.s.ctx, t.request, t.last)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		m, err := stream.Next()
		if err != nil {
			return err
		}
		t.came, t.last = true, stream.LastID()
		if err := t.show(m); err != nil {
			return err
		}
	}
}

func (t *deliveryTail) show(m client.StreamMessage) error {
	var note struct {
		Resumed bool
		Dropped int
		Code    int
		Message string
	}
	if m.Name == "delivery" {
		if err := t.line(m.Data); err != nil {
			return fmt.Errorf("%w: %w", errTailUnwritten, err)
		}
		return nil
	}
	if err := json.Unmarshal(m.Data, &note); err != nil {
		return fmt.Errorf("%w: %w", client.ErrAnswer, err)
	}
	switch m.Name {
	case "open":
		if note.Resumed {
			return t.s.say("It goes on where it was.")
		}
		return t.s.say("Listening. An interrupt (Ctrl-C) ends it.")
	case "reset":
		return t.s.say("What happened meanwhile is not shown: %s (posthaste delivery list).", clean(note.Message))
	case "dropped":
		return t.s.say("%d are not shown: %s (posthaste delivery list).", note.Dropped, clean(note.Message))
	case "end":
		if note.Code == http.StatusServiceUnavailable {
			return errors.New(note.Message)
		}
		return fmt.Errorf("%w: %s", errTailEnded, clean(note.Message))
	}
	return nil
}

// line prints a delivery.
func (t *deliveryTail) line(data json.RawMessage) error {
	if t.s.remote.JSON {
		return t.s.print(data)
	}
	var d tailed
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	result := "-"
	if a := d.Attempt; a != nil {
		if result = clean(a.ErrorClass); a.StatusCode != 0 {
			result = strconv.Itoa(a.StatusCode)
		}
		result = fmt.Sprintf("%s (%s)", result, seconds(a.DurationMS/1000))
	}
	_, err := fmt.Fprintf(t.s.stdout, "%s  %-9s  %-14s  %s  %s  %s  %s  %s\n", t.s.at(d.UpdatedAt), clean(d.Status), result,
		tries(d.Delivery), clean(d.EventType), clean(endpointName(d.Delivery)), d.ID, clean(t.s.deliveryNote(d.Delivery)))
	return err
}
