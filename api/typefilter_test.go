package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"posthaste/event"
)

// filterWorld is a world with one subscription that takes all events, and its path.
func filterWorld(t *testing.T) (*world, string) {
	w := newWorld(t)
	w.addSubscription(w.project, w.addEndpoint(w.project, 1), 1)
	path := w.in("/subscriptions/%s", id('s', 1))
	w.want(w.do("PUT", path, `{"filter_config":{"event_types":["*"]}}`), 202, "Subscription updated successfully")
	return w, path
}

func TestTypeFilterLifecycle(t *testing.T) {
	w, sub := filterWorld(t)
	if a := w.do("GET", sub+"/filters", ""); string(a.Data) != "[]" {
		t.Errorf("none are %s", a.Data)
	}
	a := w.do("POST", sub+"/filters", `{"event_type":"order.paid","body":{ "n" : 1.50 },"headers":null,"query":{}}`)
	w.want(a, 201, "Filter created successfully")
	uid := a.field("uid").(string)
	a.Data = json.RawMessage(strings.ReplaceAll(string(a.Data), uid, id('t', 1).String()))
	compareGolden(t, "type-filter", a.Data)
	path := sub + "/filters/" + uid
	g := w.do("GET", path, "")
	w.want(g, 200, "Filter retrieved successfully")
	for _, c := range []struct{ sent, part, want string }{
		{`{}`, "body", `{"n":1.5}`},
		{`{"headers":{"X":"y"}}`, "headers", `{"X":"y"}`},
		{`{"body":{},"is_flattened":false}`, "body", `{}`},
		{`{"event_type":"order.sent"}`, "event_type", `"order.sent"`},
		{`{"event_type":""}`, "event_type", `"order.sent"`},
		{`{"enabled_at":null}`, "enabled_at", `null`},
		{`{"enabled_at":{"set":false}}`, "enabled_at", `null`},
		{`{"enabled_at":"2026-02-03T04:05:06+01:00"}`, "enabled_at", `"2026-02-03T03:05:06Z"`},
		{`{"enabled_at":{}}`, "enabled_at", `"2026-02-03T03:05:06Z"`},
		{`{"enabled_at":{"set":true,"time":null}}`, "enabled_at", `null`},
		{`{"enabled_at":{"set":true,"time":"2026-02-03T04:05:06Z"}}`, "enabled_at", `"2026-02-03T04:05:06Z"`},
		{`{"enabled_at":{"set":true,"time":"0001-01-01T00:00:00Z"}}`, "enabled_at", `null`},
		{`{"enabled_at":{"time":"2026-02-03T04:05:06Z"}}`, "enabled_at", `"2026-02-03T04:05:06Z"`},
		{`{"enabled_at":{"set":true}}`, "enabled_at", `null`},
		{`{"enabled_at":""}`, "enabled_at", `null`},
	} {
		u := w.do("PUT", path, c.sent)
		w.want(u, 200, "Filter updated successfully")
		if got := u.json(c.part); got != c.want {
			t.Errorf("after %s %s is %s, want %s", c.sent, c.part, got, c.want)
		}
	}
	list := w.do("GET", sub+"/filters", "")
	w.want(list, 200, "Filters retrieved successfully")
	if n := strings.Count(list.body, `"uid"`); n != 1 {
		t.Errorf("%d are listed: %s", n, list.body)
	}
	d := w.do("DELETE", path, "")
	w.want(d, 200, "Filter deleted successfully")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		w.want(w.do(method, path, `{}`), 404, "Resource not found")
	}
	if s := w.catalog.Snapshot().Subscription(id('s', 1)); s.Extra != nil {
		t.Errorf("nothing is left of it but %+v", s.Extra)
	}
}

func TestTypeFiltersInBulk(t *testing.T) {
	w, sub := filterWorld(t)
	a := w.do("POST", sub+"/filters/bulk", `[{"event_type":"a","body":{"n":1}},{"event_type":"b","enabled_at":null},{"event_type":"*"}]`)
	w.want(a, 201, "Filters created successfully")
	var made []struct {
		UID       string `json:"uid"`
		EventType string `json:"event_type"`
	}
	if err := json.Unmarshal(a.Data, &made); err != nil || len(made) != 3 || made[1].EventType != "b" {
		t.Fatalf("made %s", a.Data)
	}
	for _, c := range []struct{ method, path, body, message string }{
		{"POST", "/bulk", `[]`, "want an array of 1 to 100 filters, got 0"},
		{"POST", "/bulk", `{}`, "want an array, got object (at byte 1)"},
		{"POST", "/bulk", `[{"event_type":"c"},{"event_type":"a"}]`, `event_type: a filter for event type "a" already exists; change that one`},
		{"POST", "/bulk", `[{"event_type":"c"},{"body":{}}]`, "[1].event_type: please provide an event type: one of 1 to 256 bytes, or * for all that have no filter of their own"},
		{"POST", "/bulk", `[{"event_type":"c","query":{"a":{"$x":1}}}]`, "[0].query"},
		{"POST", "", `{"event_type":"a"}`, `event_type: a filter for event type "a" already exists; change that one`},
		{"POST", "", `{"event_type":"a.*"}`, "event_type: is a pattern; a filter is for one event type, or for all others: *"},
		{"POST", "", `{"event_type":"d","enabled_at":"soon"}`, `enabled_at: want a time like "2026-01-02T15:04:05Z", or null`},
		{"POST", "", `{"event_type":"d","body":[1]}`, "body: "},
		{"PUT", "/bulk_update", `[{"uid":"x"}]`, "[0].uid: the subscription has no filter with this id"},
		{"PUT", "/bulk_update", fmt.Sprintf(`[{"uid":%q,"body":{"n":2}},{"uid":%q}]`, made[0].UID, id('t', 9)), "[1].uid: the subscription has no filter with this id"},
		{"PUT", "/bulk_update", fmt.Sprintf(`[{"uid":%q,"event_type":"b"}]`, made[0].UID), `event_type: a filter for event type "b" already exists; change that one`},
	} {
		if a := w.do(c.method, sub+"/filters"+c.path, c.body); a.Code != 400 || !strings.HasPrefix(a.Message, c.message) {
			t.Errorf("%s: %d %q, want %q", c.body, a.Code, a.Message, c.message)
		}
	}
	if f := w.catalog.Snapshot().Subscription(id('s', 1)).Extra.Filters; len(f) != 3 || string(f[0].Filter.Body) != `{"n":1}` {
		t.Errorf("a refused request left %+v", f)
	}
	for _, method := range []string{"PUT", "POST"} {
		swap := fmt.Sprintf(`[{"uid":%q,"event_type":"b"},{"uid":%q,"event_type":"a"}]`, made[0].UID, made[1].UID)
		u := w.do(method, sub+"/filters/bulk_update", swap)
		w.want(u, 200, "Filters updated successfully")
		made[0], made[1] = made[1], made[0]
	}
	var many []string
	for n := range event.MaxTypeFilters - 2 {
		many = append(many, fmt.Sprintf(`{"event_type":"t%d"}`, n))
	}
	w.want(w.do("POST", sub+"/filters/bulk", "["+strings.Join(many, ",")+"]"), 400,
		"the subscription would have 101 filters; at most 100 are allowed")
}

// The one of its type counts, or else the one for all others; a disabled one is as if it
// were not there.
func TestTestTypeFilter(t *testing.T) {
	w, sub := filterWorld(t)
	a := w.do("POST", sub+"/filters/bulk", `[{"event_type":"a/b.c d","body":{"n":{"$gt":5}}},
		{"event_type":"off","body":{"n":1},"enabled_at":null},{"event_type":"*","headers":{"X-Kind":"k"}}]`)
	w.want(a, 201, "Filters created successfully")
	for _, c := range []struct {
		eventType, body string
		want            bool
	}{
		{"a/b.c d", `{"payload":{"n":6}}`, true},
		{"a/b.c d", `{"payload":{"n":5},"request":{"headers":{"X-Kind":"k"}}}`, false},
		{"a/b.c d", `{"payload":{"n":6},"request":{"body":{"n":1}}}`, false},
		{"other", `{"payload":{"n":6}}`, false},
		{"other", `{"request":{"headers":{"x-kind":"k"}}}`, true},
		{"other", `{"request":{"header":{"X-Kind":"k"}}}`, true},
		{"off", `{"request":{"header":{"X-Kind":"k"},"body":{"n":2}}}`, true},
		{"off", `{"payload":{"n":1}}`, false},
	} {
		a := w.do("POST", sub+"/filters/test/"+url.PathEscape(c.eventType), c.body)
		w.want(a, 200, "Filter test completed")
		if got := a.field("is_match"); got != c.want {
			t.Errorf("%s of %s: %v, want %v", c.body, c.eventType, got, c.want)
		}
	}
	w.want(w.do("POST", w.in("/subscriptions/%s/filters/test/a", id('s', 9)), `{}`), 404, "Resource not found")
}
