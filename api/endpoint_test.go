package api

import (
	"fmt"
	"testing"

	"posthaste/event"
)

func TestEndpointLifecycle(t *testing.T) {
	w := newWorld(t)
	a := w.do("POST", w.in("/endpoints"), `{"url":"https://x.example/in","name":"In","owner_id":"o","description":"d",
		"authentication":{"type":"api_key","api_key":{"header_name":"X-Key","header_value":"v"}},"appID":""}`)
	w.want(a, 201, "Endpoint created successfully")
	if secrets := a.field("secrets").([]any); len(secrets) != 1 || len(secrets[0].(map[string]any)["value"].(string)) != 25 {
		t.Errorf("secrets are %v", secrets)
	}
	path := w.in("/endpoints/%s", a.field("uid"))
	if got := w.do("GET", path, ""); string(got.Data) != string(a.Data) {
		t.Errorf("created %s\nfetched %s", a.Data, got.Data)
	}

	u := w.do("PUT", path, `{"name":"Renamed","rate_limit":0,"authentication":null}`)
	w.want(u, 202, "Endpoint updated successfully")
	if u.field("name") != "Renamed" || u.field("url") != "https://x.example/in" || u.field("rate_limit") != 0.0 ||
		u.field("authentication", "type") != "api_key" || fmt.Sprint(u.field("secrets")) != fmt.Sprint(a.field("secrets")) {
		t.Errorf("update did not change what it named and keep the rest: %s", u.body)
	}
	u = w.do("PUT", path, `{"authentication":{"type":""},"secret":"mine"}`)
	if secrets := u.field("secrets").([]any); u.field("authentication") != nil || len(secrets) != 1 || secrets[0].(map[string]any)["value"] != "mine" {
		t.Errorf("authentication and secret are not what was asked for: %s", u.body)
	}

	same := w.do("PUT", path, `{"secret":"mine"}`)
	if fmt.Sprint(same.field("secrets")) != fmt.Sprint(u.field("secrets")) {
		t.Errorf("the secret that there was became another: %s", same.body)
	}

	d := w.do("DELETE", path, "")
	w.want(d, 200, "Endpoint deleted successfully")
	if string(d.Data) != "null" {
		t.Errorf("data is %s", d.Data)
	}
	w.want(w.do("GET", path, ""), 404, "Resource not found")
	w.want(w.do("DELETE", path, ""), 404, "Resource not found")
}

// What was read can be written back, and changes nothing.
func TestEndpointRoundTrip(t *testing.T) {
	w := newWorld(t)
	path := w.in("/endpoints/%s", w.addEndpoint(w.project, 1))
	for _, version := range []string{CurrentVersion, "0001-01-01"} {
		before := w.do("GET", path, "", versionHeader, version)
		after := w.do("PUT", path, string(before.Data), versionHeader, version)
		w.want(after, 202, "Endpoint updated successfully")
		if string(after.Data) != string(before.Data) {
			t.Errorf("before %s\nafter %s", before.Data, after.Data)
		}
	}
}

func TestEndpointDefaults(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		body, version string
		want          map[string]any
	}{
		{``, "", map[string]any{"http_timeout": 10.0, "rate_limit": 5000.0, "rate_limit_duration": 60.0, "advanced_signatures": true,
			"status": "active", "content_type": "application/json", "owner_id": "", "authentication": nil}},
		{`,"http_timeout":0,"rate_limit":0,"rate_limit_duration":0,"content_type":"","secret":""`, "",
			map[string]any{"http_timeout": 10.0, "rate_limit": 0.0, "rate_limit_duration": 60.0, "content_type": "application/json"}},
		{`,"http_timeout":30,"rate_limit":7,"rate_limit_duration":2,"advanced_signatures":false`, "",
			map[string]any{"http_timeout": 30.0, "rate_limit": 7.0, "rate_limit_duration": 2.0, "advanced_signatures": false}},
		{`,"http_timeout":"30s","rate_limit_duration":"1m"`, "",
			map[string]any{"http_timeout": 30.0, "rate_limit_duration": 60.0}},
		{`,"http_timeout":"","rate_limit_duration":null`, "2023-12-31",
			map[string]any{"http_timeout": "10s", "rate_limit_duration": "1m0s", "advanced_signatures": false}},
		{`,"http_timeout":30,"advanced_signatures":true`, "0001-01-01",
			map[string]any{"http_timeout": "30s", "title": "x", "target_url": "https://x.example", "name": nil, "url": nil, "advanced_signatures": true}},
		{`,"is_disabled":true`, "", map[string]any{"status": "inactive"}},
		{`,"is_disabled":false`, "", map[string]any{"status": "active"}},
	} {
		a := w.do("POST", w.in("/endpoints"), `{"url":"https://x.example","name":"x"`+c.body+`}`, versionHeader, c.version)
		w.want(a, 201, "Endpoint created successfully")
		for name, want := range c.want {
			if got := a.field(name); got != want {
				t.Errorf("%s in version %q: %s is %v, want %v", c.body, c.version, name, got, want)
			}
		}
	}
}

func TestBadEndpoints(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ body, message string }{
		{`{}`, "name: is empty; give one of 1 to 256 bytes"},
		{`{"name":"x"}`, "url: is empty; give an address that begins with https:// or http://"},
		{`{"name":"x","url":"https://x.example","http_timeout":61}`, "http_timeout: is 61; it must be 1 to 60 seconds"},
		{`{"name":"x","url":"https://x.example","http_timeout":"1.5s"}`, `http_timeout: want whole seconds: a number like 30 or a text like "30s"`},
		{`{"name":"x","url":"https://x.example","http_timeout":[]}`, `http_timeout: want whole seconds: a number like 30 or a text like "30s"`},
		{`{"name":"x","url":"https://x.example","rate_limit_duration":"soon"}`, `rate_limit_duration: want whole seconds: a number like 30 or a text like "30s"`},
		{`{"name":"x","url":"https://x.example","rate_limit":-1}`, "rate_limit: is -1; it must be 0 to 1000000 requests; 0 is no limit"},
	} {
		w.want(w.do("POST", w.in("/endpoints"), c.body), 400, c.message)
	}
	if got := w.rows(w.in("/endpoints")); len(got.Content) != 0 {
		t.Errorf("a refused endpoint was made")
	}
}

func (w *world) setStatus(n int, s event.EndpointStatus) {
	w.t.Helper()
	_, err := w.catalog.UpdateEndpoint(w.project, id('e', n), func(e *event.Endpoint) error {
		e.Status = s
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestEndpointFilters(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 12; n++ {
		w.addEndpoint(w.project, n)
	}
	w.setStatus(3, event.EndpointPaused)
	w.setStatus(4, event.EndpointInactive)
	for query, want := range map[string]int{"": 12, "status=paused": 1, "status=paused,inactive": 2, "status=active&status=paused": 11, "status=": 12, "ownerId=owner+1&status=paused": 1, "ownerId=owner+1": 6, "ownerId=nobody": 0, "q=endpoint+1": 4, "q=ENDPOINT+12": 1, "q=x": 0, "q=point+1&ownerId=owner+0": 2} {
		if got := w.rows(w.in("/endpoints?%s", query)); len(got.Content) != want {
			t.Errorf("%q: %d endpoints, want %d", query, len(got.Content), want)
		}
	}
	w.want(w.do("GET", w.in("/endpoints?status=asleep"), ""), 400, `status: must be one of ["active" "inactive" "paused" "pending"]`)
}
