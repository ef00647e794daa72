package api

import (
	"testing"
)

// Each thing that a project gets shows in its statistics.
func TestStatisticsOfEachKind(t *testing.T) {
	w := newWorld(t)
	want := map[string]bool{"endpoints_exist": false, "subscriptions_exist": false, "sources_exist": false, "events_exist": false}
	check := func() {
		t.Helper()
		a := w.do("GET", w.in(""), "")
		for name, exists := range want {
			if a.field("statistics", name) != exists {
				t.Errorf("%s is %v, want %v", name, a.field("statistics", name), exists)
			}
		}
	}
	check()
	endpoint := w.addEndpoint(w.project, 1)
	want["endpoints_exist"] = true
	check()
	w.addSubscription(w.project, endpoint, 1)
	want["subscriptions_exist"] = true
	check()
	w.putSource(1)
	want["sources_exist"] = true
	check()
	w.addEvent(w.project, 1)
	want["events_exist"] = true
	check()
}

// A key that may only read sees no secrets.
func TestReadersSeeNoSecrets(t *testing.T) {
	w := newWorld(t)
	w.addEndpoint(w.project, 1)
	w.want(w.do("PUT", w.in(""), `{"config":{"meta_event":{"is_enabled":true,"url":"https://x.example","secret":"0123456789abcdefgh"}}}`), 202, "Project updated successfully")
	auth := "Bearer " + w.readerKey()
	if a := w.do("GET", w.in(""), "", "Authorization", auth); a.field("config", "meta_event", "secret") != "****efgh" {
		t.Errorf("the project shows %s", a.json("config", "meta_event"))
	}
	a := w.do("GET", w.in("/endpoints/%s", id('e', 1)), "", "Authorization", auth)
	if value := a.field("secrets").([]any)[0].(map[string]any)["value"]; value != "****" {
		t.Errorf("the endpoint shows the secret %v", value)
	}
	app := w.addApplication("a")
	w.want(w.do("POST", w.in("/applications/%s/endpoints", app), `{"url":"https://x.example","secret":"s3cret"}`), 201, "Endpoint created successfully")
	a = w.do("GET", w.in("/applications/%s", app), "", "Authorization", auth)
	if value := a.field("endpoints").([]any)[0].(map[string]any)["secret"]; value != "****" {
		t.Errorf("the application shows the secret %v", value)
	}
	if a = w.do("GET", w.in("/applications/%s", app), ""); a.field("endpoints").([]any)[0].(map[string]any)["secret"] != "s3cret" {
		t.Errorf("to who may manage, the application shows %s", a.body)
	}
}
