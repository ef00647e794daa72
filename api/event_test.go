package api

import (
	"fmt"
	"testing"
	"time"

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

// addDuplicate adds event n, which repeats the key and the data of event of.
func (w *world) addDuplicate(n, of int) {
	w.log.addEvent(&event.Event{
		ID: id('f', n), ProjectID: w.project, Type: "order.created", IdempotencyKey: fmt.Sprintf("key-%d", of),
		Data: []byte(eventData), ReceivedAt: epoch.Add(time.Duration(n) * time.Second), Origin: event.Duplicate, Of: id('f', of),
	})
}

// A duplicate is an event that was taken and not sent: it is neither matched nor
// in want of a match.
func TestDuplicateEvent(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.addDuplicate(2, 1)
	a := w.do("GET", w.in("/events/%s", id('f', 2)), "")
	compareGolden(t, "event-duplicate", []byte(a.body))
	if got := w.rows(w.in("/events?idempotencyKey=key-1")); len(got.Content) != 2 {
		t.Errorf("%d events have the key", len(got.Content))
	}
	if a := w.do("GET", w.in("/events/%s", id('f', 1)), ""); a.field("is_duplicate_event") != false || a.field("duplicate_of") != nil {
		t.Errorf("the first one: %s", a.body)
	}
}

// What came in through a source says so, in the event and in its deliveries.
func TestEventOfASource(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	e := w.log.events[0]
	e.SourceID, e.Path, e.Query = id('q', 1), "/ingest/abc/orders", "a=1&b=<2>"
	a := w.do("GET", w.in("/events/%s", id('f', 1)), "")
	if a.field("source_id") != id('q', 1).String() || a.field("url_path") != e.Path || a.field("url_query_params") != e.Query {
		t.Errorf("event %s", a.body)
	}
	a = w.do("GET", w.in("/eventdeliveries/%s", id('d', 1)), "")
	if a.field("url_query_params") != e.Query || a.field("event_metadata", "source_id") != id('q', 1).String() ||
		a.field("event_metadata", "url_path") != e.Path || a.field("event_metadata", "url_query_params") != e.Query {
		t.Errorf("delivery %s", a.body)
	}
}

// A replay delivers to the endpoints again; they are listed once.
func TestEndpointsOfAReplayedEvent(t *testing.T) {
	w := newWorld(t)
	w.addEvent(w.project, 1)
	for n, endpoint := range []int{1, 2, 1, 3} {
		w.log.addDelivery(event.Delivery{ID: id('d', n), ProjectID: w.project, EventID: id('f', 1), EndpointID: id('e', endpoint)})
	}
	a := w.do("GET", w.in("/events/%s", id('f', 1)), "")
	if got, want := fmt.Sprint(a.field("endpoints")), fmt.Sprintf("[%s %s %s]", id('e', 1), id('e', 2), id('e', 3)); got != want {
		t.Errorf("endpoints %s, want %s", got, want)
	}
}
