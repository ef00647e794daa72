package api

import (
	"fmt"
	"testing"

	"posthaste/event"
)

func TestEventFilters(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 6; n++ {
		w.addEvent(w.project, n)
		w.log.addDelivery(event.Delivery{ID: id('d', n), ProjectID: w.project, EventID: id('f', n), EndpointID: id('e', n%3)})
	}
	for query, want := range map[string]int{
		"": 6, "idempotencyKey=key-3": 1, "idempotencyKey=none": 0, "ownerId=owner+1": 3,
		"endpointId=" + id('e', 1).String():                                        2,
		"endpointId=" + id('e', 1).String() + "&endpointId=" + id('e', 2).String(): 4,
		"endpointId=" + id('e', 1).String() + "&idempotencyKey=key-4":              1,
	} {
		if got := w.rows(w.in("/events?%s", query)); len(got.Content) != want {
			t.Errorf("%q: %d events, want %d", query, len(got.Content), want)
		}
	}
}

// An event that no endpoint is owed says so.
func TestUnmatchedEvent(t *testing.T) {
	w := newWorld(t)
	w.addEvent(w.project, 1)
	a := w.do("GET", w.in("/events/%s", id('f', 1)), "")
	if a.field("status") != "Failure" || a.field("failure_reason") != "no subscription matched this event" || fmt.Sprint(a.field("endpoints")) != "[]" {
		t.Errorf("got %s", a.body)
	}
}

// A list shows some of a large fan-out, the event alone all of it.
func TestEndpointsOfAFanOut(t *testing.T) {
	w := newWorld(t)
	w.addEvent(w.project, 1)
	for n := 1; n <= maxEndpointsInList+5; n++ {
		w.log.addDelivery(event.Delivery{ID: id('d', n), ProjectID: w.project, EventID: id('f', 1), EndpointID: id('e', n)})
	}
	all := w.do("GET", w.in("/events/%s", id('f', 1)), "").field("endpoints").([]any)
	listed := w.do("GET", w.in("/events"), "").field("content").([]any)[0].(map[string]any)["endpoints"].([]any)
	if len(all) != maxEndpointsInList+5 || len(listed) != maxEndpointsInList {
		t.Errorf("%d endpoints alone, %d in a list", len(all), len(listed))
	}
}

// Deliveries that travel with an event are used as they are.
func TestEndpointsThatTravelWithTheEvent(t *testing.T) {
	w := newWorld(t)
	w.log.addEvent(&event.Event{ID: id('f', 1), ProjectID: w.project, Owed: []event.Delivery{{EndpointID: id('e', 7)}}})
	a := w.do("GET", w.in("/events/%s", id('f', 1)), "")
	if fmt.Sprint(a.field("endpoints")) != fmt.Sprintf("[%s]", id('e', 7)) || a.field("data") != nil {
		t.Errorf("got %s", a.body)
	}
}
