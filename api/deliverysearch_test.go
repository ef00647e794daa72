package api

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"posthaste/event"
)

// TestDeliveriesAreSearchedByOperators: a listing, a count and a batch retry take the same
// line, and the listing says what was understood.
func TestDeliveriesAreSearchedByOperators(t *testing.T) {
	w := newWorld(t)
	e := w.addEndpoint(w.project, 1)
	for n := 1; n <= 4; n++ {
		w.log.addEvent(&event.Event{ID: id('f', n), ProjectID: w.project, Type: "a", Data: fmt.Appendf(nil, `{"n":%d}`, n), IdempotencyKey: fmt.Sprint(n), ReceivedAt: epoch})
		w.log.addDelivery(event.Delivery{ID: id('d', n), EventID: id('f', n), ProjectID: w.project, EndpointID: e, Attempts: n, Status: event.Failure})
	}
	line := url.QueryEscape("data.n>1 attempts<4")
	a := w.do("GET", w.in("/eventdeliveries?query=%s", line), "")
	w.want(a, 200, "Event deliveries fetched successfully")
	var keys []string
	for _, row := range a.field("content").([]any) {
		keys = append(keys, row.(map[string]any)["idempotency_key"].(string))
	}
	search := fmt.Sprint(a.field("pagination", "search"))
	if fmt.Sprint(keys) != "[3 2]" || search != "map[looked:4 terms:[map[means:data.n more than 1 term:data.n>1] map[means:attempts made: less than 4 term:attempts<4]]]" {
		t.Errorf("found %v, %s", keys, search)
	}
	if a := w.do("GET", w.in("/eventdeliveries/countbatchretryevents?query=%s", line), ""); fmt.Sprint(a.field("num"), a.field("complete")) != "2 true" {
		t.Errorf("counted as %s", a.body)
	}
	if a := w.do("GET", w.in("/eventdeliveries/statustotals?q=%s", line), ""); fmt.Sprint(a.field("num"), a.field("totals", "Failure")) != "2 2" {
		t.Errorf("totals are %s", a.body)
	}
	w.want(w.do("POST", w.in("/eventdeliveries/batchretry?query=%s", line), ""), 200, "Batch retry processing")
	if job := w.jobs.jobs[0]; job.Filter.Search != "data.n>1 attempts<4" {
		t.Errorf("the job is %+v", job)
	}
	for _, path := range []string{"/eventdeliveries", "/eventdeliveries/countbatchretryevents", "/eventdeliveries/statustotals"} {
		if a := w.do("GET", w.in("%s?query=code:abc", path), ""); a.Code != 400 || !strings.Contains(a.Message, "is no code") {
			t.Errorf("%s is answered %d %s", path, a.Code, a.Message)
		}
	}
	w.want(w.do("POST", w.in(`/eventdeliveries/batchretry?body=%s`, url.QueryEscape(`{"n":1}`)), ""), 400, "body: selects events; select deliveries by what is in their data with query, as in data.order.id=7")
	if a := w.do("GET", w.in("/eventdeliveries"), ""); strings.Contains(a.body, `"search"`) {
		t.Error("a listing without a search has one")
	}
}
