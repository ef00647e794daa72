package api

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"posthaste/event"
)

// Operators in a search of deliveries: what they find, what the server says that it
// understood, and what it refuses.
func TestDeliveriesAreSearchedByOperators(t *testing.T) {
	w := newWorld(t)
	one, two := w.addEndpoint(w.project, 1), w.addEndpoint(w.project, 2)
	add := func(n int, endpoint event.ID, kind, data string, charged int, attempts ...event.Attempt) {
		w.log.addEvent(&event.Event{ID: id('f', n), ProjectID: w.project, Type: kind, Data: []byte(data), IdempotencyKey: fmt.Sprint(n), ReceivedAt: epoch})
		w.log.addDelivery(event.Delivery{ID: id('d', n), EventID: id('f', n), ProjectID: w.project, EndpointID: endpoint, Attempts: charged}, attempts...)
	}
	add(1, one, "order.paid", `{"customer":{"id":"cus_1","name":"Jane Doe"},"amount":17,"items":[{"sku":"a"},{"sku":"b"}]}`, 1, event.Attempt{StatusCode: 200})
	add(2, one, "order.sent", `{"customer":{"id":"cus_2"},"amount":99.5,"vip":true}`, 4, event.Attempt{StatusCode: 503, Class: event.ClassStatus, ResponseBody: []byte("the Upstream is down")})
	add(3, two, "order.paid", `{"note":"code:5xx"}`, 6, event.Attempt{Class: event.ClassTimeout, Error: "no answer after 10s"})
	add(4, two, "order.paid", `"amount"`, 0)

	for _, test := range []struct{ query, want, means string }{
		{"code:5xx", "2", "an attempt was answered 5xx"},
		{"code:200", "1", "an attempt was answered 200"},
		{"code:timeout", "3", "an attempt failed with timeout"},
		{"-code:5xx -code:timeout", "4 1", "not: an attempt was answered 5xx; not: an attempt failed with timeout"},
		{"attempts>3", "3 2", "attempts made: more than 3"},
		{"attempts<=1 type:order.paid", "4 1", "attempts made: at most 1; the event's type is order.paid"},
		{"-type:order.paid", "2", "not: the event's type is order.paid"},
		{"-endpoint:" + one.String(), "4 3", "not: it goes to the endpoint " + one.String()},
		{"data.customer.id=cus_1", "1", "data.customer.id is cus_1"},
		{`data.customer.name="Jane Doe"`, "1", "data.customer.name is Jane Doe"},
		{"data.items.sku=b", "1", "data.items.sku is b"},
		{"data.amount>17.5", "2", "data.amount more than 17.5"},
		{"data.amount=17.0", "1", "data.amount is 17.0"},
		{"data.vip=true", "2", "data.vip is true"},
		{"data.customer=cus_1", "", "data.customer is cus_1"},
		{"upstream IS down", "2", "“upstream IS down” in the idempotency key, the data, why it ended, or what failed attempts got"},
		{"no answer attempts>3", "3", "attempts made: more than 3; “no answer” in the idempotency key, the data, why it ended, or what failed attempts got"},
		{`"code:5xx"`, "3", "“code:5xx” in the idempotency key, the data, why it ended, or what failed attempts got"},
		{"https://x=1", "", "“https://x=1” in the idempotency key, the data, why it ended, or what failed attempts got"},
	} {
		a := w.do("GET", w.in("/eventdeliveries?query=%s", url.QueryEscape(test.query)), "")
		w.want(a, 200, "Event deliveries fetched successfully")
		var found, means []string
		for _, row := range a.field("content").([]any) {
			found = append(found, row.(map[string]any)["idempotency_key"].(string))
		}
		search := a.field("pagination", "search").(map[string]any)
		for _, term := range search["terms"].([]any) {
			means = append(means, term.(map[string]any)["means"].(string))
		}
		if got := strings.Join(found, " "); got != test.want || search["looked"] != 4.0 {
			t.Errorf("%s finds %q of %v, want %q", test.query, got, search["looked"], test.want)
		}
		if got := strings.Join(means, "; "); got != test.means {
			t.Errorf("%s is understood as %q, want %q", test.query, got, test.means)
		}
	}
	for query, message := range map[string]string{
		"code:abc":                            `query: "code:abc" is no code`,
		"attempts>x":                          `query: "attempts>x": want a number of attempts`,
		"endpoint:Orders":                     `query: "endpoint:Orders": want the id of an endpoint`,
		"data.amount<abc":                     `query: "data.amount<abc": want a number`,
		strings.Repeat("type:a ", maxTerms+1): "query: has more than 8 operators",
	} {
		if a := w.do("GET", w.in("/eventdeliveries?query=%s", url.QueryEscape(query)), ""); a.Code != 400 || !strings.Contains(a.Message, message) {
			t.Errorf("%s is answered %d %s", query, a.Code, a.Message)
		}
	}
	if a := w.do("GET", w.in("/eventdeliveries"), ""); strings.Contains(a.body, `"search"`) {
		t.Error("a listing without a search has one")
	}
}
