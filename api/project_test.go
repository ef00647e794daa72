package api

import (
	"errors"
	"strings"
	"testing"

	"posthaste/event"
)

func TestProjectLifecycle(t *testing.T) {
	w := newWorld(t)
	a := w.do("POST", "/api/v1/projects?orgID=whatever", `{"name":"New","type":"outgoing","logo_url":"https://x.example/l.png"}`)
	w.want(a, 201, "Project created successfully")
	uid, key := a.field("project", "uid").(string), a.field("api_key", "key").(string)
	if a.field("api_key", "role", "project") != uid || a.field("api_key", "expires_at") != nil || !strings.HasPrefix(key, "CO.") {
		t.Fatalf("the key is not the project's: %s", a.body)
	}
	path, auth := "/api/v1/projects/"+uid, "Bearer "+key
	w.want(w.do("GET", path, "", "Authorization", auth), 200, "Project fetched successfully")

	a = w.do("PUT", path, `{"name":"Renamed","config":{"disable_endpoint":true}}`, "Authorization", auth)
	w.want(a, 202, "Project updated successfully")
	if a.field("name") != "Renamed" || a.field("logo_url") != "https://x.example/l.png" || a.field("config", "disable_endpoint") != true {
		t.Errorf("update did not change what it named and keep the rest: %s", a.body)
	}
	w.want(w.do("POST", path, `{"name":"By an older client"}`), 202, "Project updated successfully")

	a = w.do("GET", "/api/v1/projects?orgID=", "")
	w.want(a, 200, "Projects fetched successfully")
	if n := strings.Count(string(a.Data), `"organisation_id"`); n != 2 {
		t.Errorf("%d projects are listed, want 2: %s", n, a.body)
	}

	a = w.do("DELETE", path, "")
	w.want(a, 200, "Project deleted successfully")
	if string(a.Data) != "null" {
		t.Errorf("data is %s", a.Data)
	}
	w.want(w.do("GET", path, ""), 404, "Resource not found")
	w.want(w.do("GET", path, "", "Authorization", auth), 401, "authorization failed")
}

func TestProjectStatistics(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{"endpoints_exist", "subscriptions_exist", "events_exist"} {
		if got := w.do("GET", w.in(""), "").field("statistics", name); got != false {
			t.Errorf("%s is %v in an empty project", name, got)
		}
	}
	furnish(w)
	for _, name := range []string{"endpoints_exist", "subscriptions_exist", "events_exist"} {
		if got := w.do("GET", w.in(""), "").field("statistics", name); got != true {
			t.Errorf("%s is %v in a furnished project", name, got)
		}
	}
}

func TestProjectConfigIsReadOverWhatIsThere(t *testing.T) {
	w := newWorld(t)
	a := w.do("POST", "/api/v1/projects", `{"name":"x","type":"outgoing","config":{
		"strategy":{"type":"exponential","duration":5},
		"SSL":{"enforce_secure_endpoints":true},
		"signature":{"versions":[{"uid":"","created_at":"","hash":"SHA512","encoding":"base64"}]},
		"circuit_breaker":{"sample_rate":1},"meta_event":{"is_enabled":false}}}`)
	w.want(a, 201, "Project created successfully")
	config := func(path ...string) any { return a.field(append([]string{"project", "config"}, path...)...) }
	want := event.DefaultProjectConfig()
	if config("strategy", "type") != "exponential" || config("strategy", "duration") != 5.0 || config("strategy", "retry_count") != float64(want.Strategy.RetryCount) {
		t.Errorf("strategy is %v", config("strategy"))
	}
	if config("ssl", "enforce_secure_endpoints") != true {
		t.Errorf("SSL did not bind: %v", config("ssl"))
	}
	if config("signature", "header") != want.Signature.Header || config("request_id_header") != want.RequestIDHeader {
		t.Errorf("defaults are missing: %s", a.body)
	}
	versions := config("signature", "versions").([]any)
	if len(versions) != 1 || versions[0].(map[string]any)["hash"] != "SHA512" {
		t.Errorf("versions are %v", versions)
	}
}

// What was read can be written back, and changes nothing but the time of change.
func TestProjectRoundTrip(t *testing.T) {
	w := newWorld(t)
	before := w.do("GET", w.in(""), "")
	after := w.do("PUT", w.in(""), string(before.Data))
	w.want(after, 202, "Project updated successfully")
	if string(after.Data) != string(before.Data) {
		t.Errorf("before %s\nafter %s", before.Data, after.Data)
	}
}

func TestAFailedUpdateChangesNothing(t *testing.T) {
	w := newWorld(t)
	before := w.do("GET", w.in(""), "")
	w.want(w.do("PUT", w.in(""), `{"config":{"signature":{"versions":[{"hash":"MD5","encoding":"hex"}]},"strategy":{"duration":-1}}}`),
		400, "config.strategy.duration: is -1; it must be 1 to 2592000 seconds")
	if a := w.do("GET", w.in(""), ""); a.body != before.body {
		t.Errorf("before %s\nafter %s", before.body, a.body)
	}
}

func TestBadProjects(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ body, message string }{
		{`{}`, "name: is empty; give one of 1 to 256 bytes"},
		{`{"name":"x","type":"sideways"}`, `type: must be "outgoing" or "incoming"`},
		{`{"name":1}`, "name: want a string, got number (at byte 9)"},
		{`{"name":"x","config":{"sync_dynamic_event_ack":true}}`, "config.sync_dynamic_event_ack: replaced by verify_dynamic_events"},
		{`{"name":"x","config":{"sync_dynamic_event_ack":false}}`, "config.sync_dynamic_event_ack: replaced by verify_dynamic_events"},
	} {
		w.want(w.do("POST", "/api/v1/projects", c.body), 400, c.message)
	}
	w.want(w.do("PUT", w.in(""), `{"type":"incoming"}`), 400, "type: a project's type does not change")
	w.want(w.do("PUT", w.in(""), `{"type":""}`), 202, "Project updated successfully")
}

func TestAFailingStoreIsTheServersFault(t *testing.T) {
	w := newWorld(t)
	w.store.Fail(errors.New("disk"))
	w.want(w.do("POST", "/api/v1/projects", `{"name":"x"}`), 500, "internal error")
	w.store.Fail(event.ErrConflict)
	w.want(w.do("PUT", w.in(""), `{"name":"x"}`), 409, "it was changed by somebody else meanwhile; read it again and retry")
	w.store.Fail(event.ErrClosed)
	w.want(w.do("DELETE", w.in(""), ``), 503, "the server is stopping; try again later")
	if len(w.faults) != 1 || !strings.Contains(w.faults[0].Error(), "disk") {
		t.Errorf("faults are %v", w.faults)
	}
}
