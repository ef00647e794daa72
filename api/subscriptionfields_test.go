package api

import (
	"fmt"
	"strings"
	"testing"

	"posthaste/event"
	"posthaste/transform"
)

// Each step is laid over what the steps before it left.
func TestSubscriptionFilter(t *testing.T) {
	w := newWorld(t)
	a := w.do("POST", w.in("/subscriptions"), fmt.Sprintf(`{"name":"x","endpoint_id":%q,
		"filter_config":{"event_types":["a"],"filter":{"body":{ "n" : 12345678901234567890 },"headers":{},"query":null}}}`, w.addEndpoint(w.project, 1)))
	w.want(a, 201, "Subscription created successfully")
	path := w.in("/subscriptions/%s", a.field("uid"))
	const start = `{"headers":{},"body":{"n":12345678901234567890},"query":{},"path":{},"is_flattened":false}`
	if !strings.Contains(a.body, `"filter":`+start) {
		t.Errorf("created %s", a.body)
	}
	for _, c := range []struct{ sent, want string }{
		{`{"event_types":["b"],"filter":{"headers":null,"body":null}}`, start},
		{`{"filter":null}`, start},
		{`{"filter":{"headers":{"X-A":{"$in":["<1>"]}},"path":{"path":"/x"}}}`,
			`{"headers":{"X-A":{"$in":["<1>"]}},"body":{"n":12345678901234567890},"query":{},"path":{"path":"/x"},"is_flattened":false}`},
		{`{"filter":{"headers":{},"body":{},"path":{}}}`, `{"headers":{},"body":{},"query":{},"path":{},"is_flattened":false}`},
	} {
		a := w.do("PUT", path, `{"filter_config":`+c.sent+`}`)
		w.want(a, 202, "Subscription updated successfully")
		if !strings.Contains(a.body, `"filter":`+c.want) {
			t.Errorf("after %s: %s", c.sent, a.body)
		}
		again := w.do("PUT", path, string(a.Data))
		if w.want(again, 202, "Subscription updated successfully"); string(again.Data) != string(a.Data) {
			t.Errorf("what was shown, written back, is %s, was %s", again.Data, a.Data)
		}
	}
	stored := w.catalog.Snapshot().Subscriptions(w.project, event.Range{Limit: 1}, nil)[0]
	if stored.FilterConfig.Filter != nil || fmt.Sprint(stored.FilterConfig.EventTypes) != "[b]" {
		t.Errorf("stored %+v", stored.FilterConfig)
	}
}

func TestBadSubscriptionFilters(t *testing.T) {
	w := newWorld(t)
	endpoint := w.addEndpoint(w.project, 1)
	for _, c := range []struct{ config, field string }{
		{`{"filter":{"body":{"a":{"$nothing":1}}}}`, "filter_config.filter.body"},
		{`{"filter":{"headers":"text"}}`, "filter_config.filter.headers"},
		{`{"filter":{"query":{"a":{"$regex":"("}}}}`, "filter_config.filter.query"},
		{`{"event_types":["a","regex:("]}`, "filter_config.event_types[1]"},
		{`{"event_types":["a","[b"]}`, "filter_config.event_types[1]"},
	} {
		a := w.do("POST", w.in("/subscriptions"), fmt.Sprintf(`{"name":"x","endpoint_id":%q,"filter_config":%s}`, endpoint, c.config))
		if a.Code != 400 || !strings.HasPrefix(a.Message, c.field) {
			t.Errorf("%s: %d %q, want %s", c.config, a.Code, a.Message, c.field)
		}
	}
}

func TestSubscriptionFunction(t *testing.T) {
	const source = "function transform(payload) { return {\"a\": payload} }"
	w := newWorld(t, func(o *Options) {
		o.CheckFunction = func(source string) error {
			if source == "bad" {
				return &transform.Error{Kind: transform.KindSyntax, Message: "1:1 bad"}
			}
			return nil
		}
	})
	a := w.do("POST", w.in("/subscriptions"), fmt.Sprintf(`{"name":"x","endpoint_id":%q,"function":%q}`, w.addEndpoint(w.project, 1), source))
	w.want(a, 201, "Subscription created successfully")
	path := w.in("/subscriptions/%s", a.field("uid"))
	for _, c := range []struct{ body, want string }{{`{}`, source}, {`{"function":null}`, source}, {`{"function":""}`, ""}} {
		if a = w.do("PUT", path, c.body); a.field("function") != c.want {
			t.Errorf("after %s the function is %v", c.body, a.field("function"))
		}
	}
	w.want(w.do("PUT", path, `{"function":"bad"}`), 400, "function: syntax: 1:1 bad")
	long := strings.Repeat(" ", event.MaxFunctionBytes+1)
	w.want(w.do("PUT", path, `{"function":"`+long+`"}`), 400, "function: has 65537 bytes; at most 65536 are allowed")
	without := newWorld(t)
	a = without.do("POST", without.in("/subscriptions"), fmt.Sprintf(`{"name":"x","endpoint_id":%q,"function":%q}`, without.addEndpoint(without.project, 1), source))
	without.want(a, 400, "function: this server runs no functions; leave it out")
}

// A subscription has no state: toggling it does nothing, if there is one.
func TestToggleSubscription(t *testing.T) {
	w := newWorld(t)
	path := w.in("/subscriptions/%s", w.addSubscription(w.project, w.addEndpoint(w.project, 1), 1))
	before := w.do("GET", path, "")
	a := w.do("PUT", path+"/toggle_status", "")
	w.want(a, 202, "Subscription status updated successfully")
	if string(a.Data) != "{}" {
		t.Errorf("data is %s", a.Data)
	}
	if after := w.do("GET", path, ""); after.body != before.body {
		t.Errorf("it changed: %s", after.body)
	}
	w.want(w.do("PUT", w.in("/subscriptions/%s/toggle_status", id('s', 9)), ""), 404, "Resource not found")
}
