package api

import (
	"fmt"
	"strings"
	"testing"

	"posthaste/event"
)

// putSource makes a source in the world's project.
func (w *world) putSource(n int) event.ID {
	w.t.Helper()
	s, err := w.catalog.CreateSource(event.Source{ID: id('o', n), ProjectID: w.project, Name: fmt.Sprintf("Source %d", n), Type: event.SourceHTTP})
	if err != nil {
		w.t.Fatal(err)
	}
	return s.ID
}

// Each step is laid over what the steps before it left.
func TestSubscriptionExtra(t *testing.T) {
	w := newWorld(t)
	endpoint, source := w.addEndpoint(w.project, 1), w.putSource(1)
	a := w.do("POST", w.in("/subscriptions"), fmt.Sprintf(`{"name":"x","endpoint_id":%q,"source_id":%q}`, endpoint, source))
	w.want(a, 201, "Subscription created successfully")
	if a.field("source_metadata", "uid") != source.String() || strings.Contains(a.body, "retry_config") || a.json("alert_config") != "null" {
		t.Errorf("created %s", a.body)
	}
	path := w.in("/subscriptions/%s", a.field("uid"))
	for _, c := range []struct{ sent, field, want string }{
		{`{"source_id":""}`, "alert_config", `null`},
		{`{"alert_config":{"count":3,"threshold":"1h"}}`, "alert_config", `{"count":3,"threshold":"1h"}`},
		{`{"alert_config":{"count":4}}`, "alert_config", `{"count":4,"threshold":"1h"}`},
		{`{"alert_config":null}`, "alert_config", `{"count":4,"threshold":"1h"}`},
		{`{"alert_config":{"count":0,"threshold":""}}`, "alert_config", `null`},
		{`{"rate_limit_config":{"count":5,"duration":"1m"}}`, "rate_limit_config", `{"count":5,"duration":60}`},
		{`{"retry_config":{"type":"linear","duration":"10s","retry_count":3}}`, "retry_config",
			`{"duration":10,"interval_seconds":0,"retry_count":3,"type":"linear"}`},
		{`{"retry_config":{"duration":7,"interval_seconds":9}}`, "retry_config",
			`{"duration":7,"interval_seconds":9,"retry_count":3,"type":"linear"}`},
	} {
		a := w.do("PUT", path, c.sent)
		w.want(a, 202, "Subscription updated successfully")
		if got := a.json(c.field); got != c.want {
			t.Errorf("after %s %s is %s, want %s", c.sent, c.field, got, c.want)
		}
		if a.field("source_metadata", "uid") != source.String() {
			t.Errorf("after %s the source is gone", c.sent)
		}
	}
	old := w.do("GET", path, "", versionHeader, "0001-01-01")
	if got := old.json("retry_config", "duration"); got != `"7s"` {
		t.Errorf("an older version reads the duration %s", got)
	}
	for field, sent := range map[string]string{
		"source_id: the project has": fmt.Sprintf(`{"source_id":%q}`, id('o', 9)),
		"source_id: not an id":       `{"source_id":"x"}`,
		"alert_config.count":         `{"alert_config":{"count":-1}}`,
		"retry_config.type":          `{"retry_config":{"type":"schedule","retry_count":1}}`,
		"rate_limit_config.duration": `{"rate_limit_config":{"duration":"soon"}}`,
	} {
		if a := w.do("PUT", path, sent); a.Code != 400 || !strings.HasPrefix(a.Message, field) {
			t.Errorf("%s: %d %q", sent, a.Code, a.Message)
		}
	}
}

func TestSubscriptionListFilters(t *testing.T) {
	w := newWorld(t)
	source := w.putSource(1)
	for n := 1; n <= 4; n++ {
		w.addSubscription(w.project, w.addEndpoint(w.project, n), n)
	}
	w.do("PUT", w.in("/subscriptions/%s", id('s', 2)), fmt.Sprintf(`{"source_id":%q}`, source))
	for query, want := range map[string]int{
		"ownerId=owner+1": 2, "ownerId=nobody": 0, "ownerId=": 4,
		"sourceId=" + source.String(): 1, "sourceId=" + id('o', 9).String(): 0, "sourceId=": 4,
		"ownerId=owner+1&sourceId=" + source.String(): 0,
	} {
		if got := w.rows(w.in("/subscriptions?%s", query)); len(got.Content) != want {
			t.Errorf("%q: %d subscriptions, want %d", query, len(got.Content), want)
		}
	}
}

// A subscription to an application is one to each endpoint of it that has none.
func TestSubscriptionToApplication(t *testing.T) {
	w := newWorld(t)
	app := w.addApplication("shop")
	w.want(w.do("POST", w.in("/subscriptions"), fmt.Sprintf(`{"name":"x","app_id":%q}`, app)), 400,
		"app_id: the application has no endpoint; create one first")
	var endpoints []string
	for n := range 3 {
		a := w.do("POST", w.in("/endpoints"), fmt.Sprintf(`{"name":"e%d","url":"https://x.example","appID":%q}`, n, app))
		w.want(a, 201, "Endpoint created successfully")
		if a.field("app_id") != app {
			t.Errorf("the endpoint belongs to %v", a.field("app_id"))
		}
		endpoints = append(endpoints, a.field("uid").(string))
	}
	w.want(w.do("POST", w.in("/subscriptions"), fmt.Sprintf(`{"name":"own","endpoint_id":%q}`, endpoints[0])), 201, "Subscription created successfully")
	a := w.do("POST", w.in("/subscriptions"), fmt.Sprintf(`{"name":"x","app_id":%q,"filter_config":{"event_types":["a"]}}`, app))
	w.want(a, 201, "Subscription created successfully")
	if a.field("endpoint_metadata", "uid") != endpoints[1] {
		t.Errorf("the first one is to %v, want %s", a.field("endpoint_metadata", "uid"), endpoints[1])
	}
	if got := w.rows(w.in("/subscriptions")); len(got.Content) != 3 {
		t.Errorf("%d subscriptions, want 3", len(got.Content))
	}
	for body, message := range map[string]string{
		fmt.Sprintf(`{"name":"x","app_id":%q}`, app):        "app_id: a subscription for this endpoint already exists: every endpoint of the application has one",
		fmt.Sprintf(`{"name":"x","app_id":%q}`, id('a', 9)): "app_id: the project has no application with this id; create it first",
		`{"name":"x","app_id":"nonsense"}`:                  "app_id: not an id: want 26 characters of Crockford base 32",
		`{"name":"x","app_id":""}`:                          "endpoint_id: is empty; give the id of an endpoint of the project",
	} {
		w.want(w.do("POST", w.in("/subscriptions"), body), 400, message)
	}
}

// addApplication makes an application in the world's project, and returns its id.
func (w *world) addApplication(name string) string {
	w.t.Helper()
	a := w.do("POST", w.in("/applications"), fmt.Sprintf(`{"name":%q}`, name))
	w.want(a, 201, "Application created successfully")
	return a.field("uid").(string)
}
