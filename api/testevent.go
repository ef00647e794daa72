package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"posthaste/event"
)

// testEventType is the type of a test event that names none.
const testEventType = "posthaste.test"

var errNoSubmit = &httpError{http.StatusNotImplemented, "this server takes no test events"}

// testEventBody is a test event in a request. Each of its fields may be left out.
type testEventBody struct {
	EventType string          `json:"event_type"`
	Data      json.RawMessage `json:"data"`
}

// testEventView is a test event that was taken in.
type testEventView struct {
	ID         event.ID `json:"uid"`
	EventType  string   `json:"event_type"`
	EndpointID event.ID `json:"endpoint_id"`
	// Deliveries is 0 if the endpoint's subscriptions do not want such an event: then it
	// is recorded and not sent.
	Deliveries int `json:"deliveries"`
}

// sendTestEvent queues an event for the endpoint in the path, as if it had been posted.
func (a *API) sendTestEvent(c *call) (reply, error) {
	if a.o.Submit == nil {
		return reply{}, errNoSubmit
	}
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	b, err := a.readTestEvent(c, e.ID)
	if err != nil {
		return reply{}, err
	}
	subs := []event.Submission{{
		Event:      event.Event{ProjectID: c.project.ID, Type: b.EventType, Data: b.Data, ReceivedAt: a.now(), Origin: event.Test},
		To:         event.ToEndpoint,
		EndpointID: e.ID,
	}}
	if err := a.o.Submit(c.r.Context(), subs); err != nil {
		return reply{}, err
	}
	if err := subs[0].Err; err != nil {
		return reply{}, err
	}
	ev := &subs[0].Event
	c.did("endpoint.test", "endpoint", e.ID, e.Name)
	return respond(http.StatusCreated, "Test event queued successfully", testEventView{ev.ID, b.EventType, e.ID, len(ev.Owed)})
}

// readTestEvent reads a body, which may be empty, and fills in what it leaves out.
func (a *API) readTestEvent(c *call, endpoint event.ID) (*testEventBody, error) {
	var b testEventBody
	if c.r.ContentLength != 0 {
		if err := a.readJSON(c.r, &b); err != nil {
			return nil, err
		}
	}
	if b.EventType == "" {
		b.EventType = testEventType
	}
	if n := len(b.EventType); n > event.MaxNameBytes {
		return nil, event.Invalid("event_type", "has %d bytes; at most %d are allowed", n, event.MaxNameBytes)
	}
	if len(b.Data) == 0 {
		text := fmt.Sprintf(`{"test":true,"message":"a test event","endpoint_id":%q,"sent_at":%q}`, endpoint, a.now().Format(time.RFC3339))
		b.Data = json.RawMessage(text)
	}
	if n, most := len(b.Data), c.project.Config.MaxPayloadReadSize; n > most {
		return nil, &httpError{http.StatusRequestEntityTooLarge, fmt.Sprintf("data: %d bytes, and this project takes at most %d", n, most)}
	}
	return &b, nil
}
