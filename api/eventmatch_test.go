package api

import (
	"fmt"
	"strings"
	"testing"

	"posthaste/event"
)

// Of each subscription it is said why it does not take an event.
func TestMatchesAreExplained(t *testing.T) {
	w := newWorld(t)
	e := w.addEndpoint(w.project, 1)
	if _, err := w.catalog.UpdateProject(w.project, func(p *event.Project) error {
		p.Config.MultipleEndpointSubscriptions = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		`{"name":"other type","endpoint_id":"%s","filter_config":{"event_types":["invoice.paid"]}}`,
		`{"name":"other amount","endpoint_id":"%s","filter_config":{"event_types":["order.*"],"filter":{"body":{"amount":{"$gt":100}}}}}`,
		`{"name":"taken","endpoint_id":"%s","filter_config":{"event_types":["order.paid"]}}`,
	} {
		w.want(w.do("POST", w.in("/subscriptions"), fmt.Sprintf(body, e)), 201, "Subscription created successfully")
	}
	w.log.addEvent(&event.Event{ID: id('f', 1), ProjectID: w.project, Type: "order.paid", Data: []byte(`{"amount":17}`), ReceivedAt: epoch})
	a := w.do("GET", w.in("/events/%s/matches", id('f', 1)), "")
	w.want(a, 200, "Event matched successfully")
	got := map[string]string{}
	for _, row := range a.field("matches").([]any) {
		m := row.(map[string]any)
		got[m["name"].(string)] = fmt.Sprint(m["matches"], " ", m["because"], " ", m["endpoint_id"] == e.String())
	}
	if want := map[string]string{"other type": "false event_type true", "other amount": "false filter.body true", "taken": "true  true"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("explained as %v, want %v", got, want)
	}
}

// A text is looked for in what a delivery carries, and in why it ended.
func TestDeliveriesAreSearched(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.MaxSearchRows = 300 })
	e := w.addEndpoint(w.project, 1)
	for n := 1; n <= 700; n++ {
		data := `{"n":1}`
		if n == 2 || n == 690 || n == 700 {
			data = `{"customer":"Tern & Sons"}`
		}
		w.log.addEvent(&event.Event{ID: id('f', n), ProjectID: w.project, Type: "a", Data: []byte(data), IdempotencyKey: fmt.Sprintf("key-%d-", n), ReceivedAt: epoch})
		d := event.Delivery{ID: id('d', n), EventID: id('f', n), ProjectID: w.project, EndpointID: e}
		if n == 600 {
			d.Reason = "connection refused"
		}
		w.log.addDelivery(d)
	}
	find := func(query string) (ids string, a answer) {
		a = w.do("GET", w.in("/eventdeliveries?%s", query), "")
		w.want(a, 200, "Event deliveries fetched successfully")
		for _, row := range a.field("content").([]any) {
			ids += strings.TrimLeft(row.(map[string]any)["idempotency_key"].(string), "key")
		}
		return ids, a
	}
	ids, a := find("query=tern+%26")
	paging := a.field("pagination").(map[string]any)
	if ids != "-700--690-" || paging["looked_until"] == nil {
		t.Errorf("first found %s, %v", ids, paging)
	}
	if ids, _ := find("query=tern+%26&direction=next&next_page_cursor=" + paging["next_page_cursor"].(string)); ids != "-2-" {
		t.Errorf("then found %s", ids)
	}
	if ids, _ := find("query=tern&perPage=1"); ids != "-700-" {
		t.Errorf("of one row: %s", ids)
	}
	if ids, _ := find("query=Refused"); ids != "-600-" {
		t.Errorf("by why it ended: %s", ids)
	}
	if ids, _ := find("query=key-691-"); ids != "-691-" {
		t.Errorf("by key: %s", ids)
	}
}
