package api

import (
	"fmt"
	"testing"
)

func TestSubscriptionLifecycle(t *testing.T) {
	w := newWorld(t)
	endpoint := w.addEndpoint(w.project, 1)
	a := w.do("POST", w.in("/subscriptions"), fmt.Sprintf(`{"name":"All","endpoint_id":%q,"source_id":"","function":"",
		"alert_config":{"count":10,"threshold":"1h"},"rate_limit_config":{"count":1,"duration":1},
		"filter_config":{"event_types":[],"filter":{"headers":{},"body":null}}}`, endpoint))
	w.want(a, 201, "Subscription created successfully")
	if fmt.Sprint(a.field("filter_config", "event_types")) != "[*]" || a.field("delivery_mode") != "at_least_once" ||
		a.field("endpoint_metadata", "uid") != endpoint.String() || a.field("type") != "api" {
		t.Errorf("created %s", a.body)
	}
	path := w.in("/subscriptions/%s", a.field("uid"))
	if got := w.do("GET", path, ""); string(got.Data) != string(a.Data) {
		t.Errorf("created %s\nfetched %s", a.Data, got.Data)
	}

	u := w.do("PUT", path, `{"delivery_mode":"at_most_once","filter_config":{"event_types":["a","b"]},"retry_config":{"type":"linear","duration":"3s"}}`)
	w.want(u, 202, "Subscription updated successfully")
	if fmt.Sprint(u.field("filter_config", "event_types")) != "[a b]" || u.field("delivery_mode") != "at_most_once" || u.field("name") != "All" {
		t.Errorf("updated %s", u.body)
	}
	u = w.do("PUT", path, `{"name":"Renamed","delivery_mode":"","filter_config":{"event_types":null}}`)
	if fmt.Sprint(u.field("filter_config", "event_types")) != "[a b]" || u.field("delivery_mode") != "at_most_once" || u.field("name") != "Renamed" {
		t.Errorf("an update changed what it did not name: %s", u.body)
	}
	moved := w.addEndpoint(w.project, 2)
	if u = w.do("PUT", path, fmt.Sprintf(`{"endpoint_id":%q}`, moved)); u.field("endpoint_metadata", "uid") != moved.String() {
		t.Errorf("the subscription did not move: %s", u.body)
	}

	d := w.do("DELETE", path, "")
	w.want(d, 200, "Subscription deleted successfully")
	if string(d.Data) != "null" {
		t.Errorf("data is %s", d.Data)
	}
	w.want(w.do("GET", path, ""), 404, "Resource not found")
}

func TestBadSubscriptions(t *testing.T) {
	w := newWorld(t)
	own, other := w.addEndpoint(w.project, 1), id('e', 2)
	stranger, _ := w.addProject(2)
	w.addEndpoint(stranger, 2)
	for _, c := range []struct{ fields, message string }{
		{`"name":"x"`, "endpoint_id: is empty; give the id of an endpoint of the project"},
		{`"name":"x","endpoint_id":"nonsense"`, "endpoint_id: not an id: want 26 characters of Crockford base 32"},
		{fmt.Sprintf(`"name":"x","endpoint_id":%q`, other), "endpoint_id: the project has no endpoint with this id; create it first"},
		{fmt.Sprintf(`"endpoint_id":%q`, own), "name: is empty; give one of 1 to 256 bytes"},
		{fmt.Sprintf(`"name":"x","endpoint_id":%q,"delivery_mode":"exactly_once"`, own), `delivery_mode: must be "at_least_once" or "at_most_once"`},
		{`"source_id":"s"`, "source_id: not an id: want 26 characters of Crockford base 32"},
		{`"filter_config":{"event_types":"a"}`, "filter_config.event_types: want an array, got string (at byte 35)"},
	} {
		w.want(w.do("POST", w.in("/subscriptions"), "{"+c.fields+"}"), 400, c.message)
	}
	w.addSubscription(w.project, own, 1)
	w.want(w.do("POST", w.in("/subscriptions"), fmt.Sprintf(`{"name":"second","endpoint_id":%q}`, own)), 400,
		"endpoint_id: a subscription for this endpoint already exists; change that one, or set multiple_endpoint_subscriptions in the project")
}

func TestSubscriptionFilters(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 12; n++ {
		w.addSubscription(w.project, w.addEndpoint(w.project, n), n)
	}
	for query, want := range map[string]int{
		"": 12, "name=subscription+1": 4, "name=x": 0,
		"endpointId=" + id('e', 3).String():                                        1,
		"endpointId=" + id('e', 3).String() + "&endpointId=" + id('e', 4).String(): 2,
		"endpointId=" + id('e', 3).String() + "&name=x":                            0,
	} {
		if got := w.rows(w.in("/subscriptions?%s", query)); len(got.Content) != want {
			t.Errorf("%q: %d subscriptions, want %d", query, len(got.Content), want)
		}
	}
}
