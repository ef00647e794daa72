package api

import (
	"testing"
	"time"

	"posthaste/event"
)

func TestDeliveryFilters(t *testing.T) {
	w := newWorld(t)
	w.addEvent(w.project, 1)
	w.addEvent(w.project, 2)
	w.log.events[1].Type = "order.paid"
	for n := 1; n <= 6; n++ {
		w.log.addDelivery(event.Delivery{
			ID: id('d', n), ProjectID: w.project, EventID: id('f', 1+n%2), EndpointID: id('e', n%3),
			SubscriptionID: id('s', n), Status: event.Status(n - 1),
		})
	}
	e, s, f := func(n int) string { return id('e', n).String() }, id('s', 3).String(), id('f', 1).String()
	for query, want := range map[string]int{
		"": 6, "endpointId=" + e(1): 2, "endpointId=" + e(1) + "&endpointId=" + e(2): 4,
		"eventId=" + f: 3, "eventId=" + id('f', 9).String(): 0, "subscriptionId=" + s: 1,
		"status=Retry": 1, "status=Retry&status=Failure&status=": 2, "status=Success&endpointId=" + e(1): 0,
		"eventType=order.paid": 3, "event_type=order.paid": 3, "eventType=order.created&event_type=": 3, "eventType=none": 0,
		"startDate=" + epoch.Add(5*time.Second).Format(dateLayout): 2,
	} {
		if got := w.rows(w.in("/eventdeliveries?%s", query)); len(got.Content) != want {
			t.Errorf("%q: %d deliveries, want %d", query, len(got.Content), want)
		}
	}
}

// The deliveries of one event read it once.
func TestEventsAreReadOncePerPage(t *testing.T) {
	w := newWorld(t)
	w.addEvent(w.project, 1)
	for n := 1; n <= 15; n++ {
		w.log.addDelivery(event.Delivery{ID: id('d', n), ProjectID: w.project, EventID: id('f', 1), EndpointID: id('e', n)})
	}
	if p := w.rows(w.in("/eventdeliveries")); len(p.Content) != 15 || w.log.reads != 1 {
		t.Errorf("%d deliveries with %d reads of their event", len(p.Content), w.log.reads)
	}
}

func TestNextSendTime(t *testing.T) {
	due := epoch.Add(time.Hour)
	for _, c := range []struct {
		status event.Status
		due    time.Time
		want   string
	}{
		{event.Scheduled, time.Time{}, "2026-01-02T03:04:06.678Z"},
		{event.Retry, due.In(time.FixedZone("", 3600)), "2026-01-02T04:04:05.678Z"},
		{event.Success, due, ""},
		{event.Failure, due, ""},
		{event.Discarded, time.Time{}, ""},
	} {
		got := ""
		if at := nextSendTime(event.Delivery{ID: id('d', 1), Status: c.status, Due: c.due}); at != nil {
			got = at.Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.status, got, c.want)
		}
	}
}

// A delivery tells why it was discarded, and in which mode it was created: what its
// subscription says now is for others.
func TestDeliveryDescription(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.log.addDelivery(event.Delivery{ID: id('d', 3), ProjectID: w.project, EventID: id('f', 1), EndpointID: id('e', 9),
		SubscriptionID: id('s', 1), Status: event.Discarded, Reason: "the endpoint is paused", AtMostOnce: true})
	a := w.do("GET", w.in("/eventdeliveries/%s", id('d', 3)), "")
	if a.field("description") != "the endpoint is paused" || a.field("status") != "Discarded" || a.field("delivery_mode") != "at_most_once" ||
		a.field("endpoint_metadata") != nil || a.field("target_url") != "" || a.field("latency") != "" {
		t.Errorf("got %s", a.body)
	}
}
