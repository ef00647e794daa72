package api

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What a version changes, on each of the routes that know of versions.
func TestVersionsOfEndpoints(t *testing.T) {
	for _, c := range []struct {
		version, timeout, duration, url, name string
		advanced                              bool
	}{
		{"", `30`, `90`, "url", "name", true},
		{"2025-11-24", `30`, `90`, "url", "name", true},
		{"2024-04-01", `30`, `90`, "url", "name", true},
		{"2024-01-01", `30`, `90`, "target_url", "title", true},
		{"0001-01-01", `"30s"`, `"1m30s"`, "target_url", "title", false},
		{"2023-12-31", `"30s"`, `"1m30s"`, "target_url", "title", false},
	} {
		t.Run(c.version, func(t *testing.T) {
			w := newWorld(t)
			check := func(a answer, endpoint func(string) string, code int) {
				t.Helper()
				if a.Code != code {
					t.Fatalf("got %d %q", a.Code, a.Message)
				}
				want := map[string]string{"http_timeout": c.timeout, "rate_limit_duration": c.duration, "advanced_signatures": fmt.Sprint(c.advanced),
					"url": "", "target_url": "", "name": "", "title": ""}
				want[c.url], want[c.name] = `"https://x.example"`, `"N"`
				for field, value := range want {
					if got := endpoint(field); got != value {
						t.Errorf("%s is %s, want %s", field, got, value)
					}
				}
				if want := c.version; want != "" && a.header.Get(versionHeader) != want || a.header.Get(versionHeader) == "" {
					t.Errorf("the answer is of version %q", a.header.Get(versionHeader))
				}
			}
			// Durations are taken in either form, whatever the version.
			a := w.do("POST", w.in("/endpoints"), `{"url":"https://x.example","name":"N","http_timeout":"30s","rate_limit_duration":90}`, versionHeader, c.version)
			check(a, func(f string) string { return a.json(f) }, http.StatusCreated)
			path := w.in("/endpoints/%s", a.field("uid"))
			for _, r := range []struct {
				method, path, body string
				code               int
			}{
				{"GET", "", "", 200}, {"PUT", "", `{"http_timeout":30,"rate_limit_duration":"1m30s"}`, 202},
				{"PUT", "/pause", "", 202}, {"POST", "/activate", "", 202},
			} {
				b := w.do(r.method, path+r.path, r.body, versionHeader, c.version)
				check(b, func(f string) string { return b.json(f) }, r.code)
			}
			list := w.do("GET", w.in("/endpoints"), "", versionHeader, c.version)
			content := list.field("content").([]any)[0].(map[string]any)
			if _, found := content[c.url]; !found || strings.Contains(string(list.Data), `"http_timeout":"30s"`) != (c.timeout == `"30s"`) {
				t.Errorf("listed %s", list.Data)
			}
			// Everywhere else an endpoint looks as it does today.
			s := w.do("POST", w.in("/subscriptions"), fmt.Sprintf(`{"name":"s","endpoint_id":%q}`, a.field("uid")), versionHeader, c.version)
			if s.json("endpoint_metadata", "http_timeout") != "30" || s.field("endpoint_metadata", "url") != "https://x.example" {
				t.Errorf("inside of a subscription it is %s", s.json("endpoint_metadata"))
			}
			e := w.do("PUT", path+"/expire_secret", `{"secret":"s","expiration":1}`, versionHeader, c.version)
			if e.Code != 200 || e.json("http_timeout") != "30" || e.field("url") != "https://x.example" {
				t.Errorf("expire_secret answers %s", e.Data)
			}
		})
	}
}

func TestVersionDefaults(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.APIVersion = "0001-01-01" })
	a := w.do("POST", w.in("/endpoints"), `{"url":"https://x.example","name":"N"}`)
	if a.json("http_timeout") != `"10s"` || a.json("advanced_signatures") != "false" || a.header.Get(versionHeader) != "0001-01-01" {
		t.Errorf("the server's own version makes %s", a.Data)
	}
	a = w.do("POST", w.in("/endpoints"), `{"url":"https://x.example","name":"N","advanced_signatures":true}`)
	if a.json("advanced_signatures") != "true" {
		t.Errorf("what was asked for is not there: %s", a.Data)
	}
	incoming := w.do("POST", "/api/v1/projects", `{"name":"in","type":"incoming"}`).field("project", "uid")
	a = w.do("POST", fmt.Sprintf("/api/v1/projects/%s/endpoints", incoming), `{"url":"https://x.example","name":"N"}`)
	if a.json("advanced_signatures") != "true" {
		t.Errorf("an incoming project's endpoint: %s", a.Data)
	}
	for _, bad := range []string{"latest", "2024-1-1", "20240101"} {
		w.want(w.do("GET", w.in("/endpoints"), "", versionHeader, bad), 400, "X-Convoy-Version: want a date like 2025-11-24")
	}
}
