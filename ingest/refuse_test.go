package ingest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

func TestRefusals(t *testing.T) {
	id := endpoint.String()
	with := func(members string) string { return `{"endpoint_id":"` + id + `",` + members + `}` }
	strictPath := "/api/v1/projects/" + strict.String() + "/events"
	for _, tc := range []struct {
		name    string
		c       call
		code    int
		message string // the whole message, or with "..." at the end its start
	}{
		{"no key", call{key: "-"}, 401, "Authentication required"},
		{"empty key", call{key: "-", headers: []string{"Authorization", ""}}, 401, "Authentication required"},
		{"wrong key", call{key: "wrong"}, 401, "authorization failed"},
		{"wrong scheme", call{key: "-", headers: []string{"Authorization", "Basic " + projectKey}}, 401, "authorization failed"},
		{"scheme only", call{key: "-", headers: []string{"Authorization", "Bearer"}}, 401, "authorization failed"},
		{"two keys", call{headers: []string{"Authorization", "Bearer " + projectKey}}, 400, "more than one Authorization header"},
		{"project of another key", call{target: "/api/v1/projects/" + foreign.String() + "/events"}, 404, "Resource not found"},
		{"unknown project", call{key: instanceKey, target: "/api/v1/projects/" + absent.String() + "/events"}, 404, "Resource not found"},
		{"project is no id", call{target: "/api/v1/projects/x/events"}, 404, "Resource not found"},
		{"no key and a bad project", call{key: "-", target: "/api/v1/projects/x/events"}, 401, "Authentication required"},

		{"media type", call{media: "text/plain", body: single("")}, 415, "want Content-Type: application/json"},
		{"lines to the single route", call{media: "application/x-ndjson", body: single("")}, 415, "want Content-Type: application/json"},
		{"batch media type", call{path: "/events/batch", media: "multipart/form-data; boundary=x"}, 415, "want Content-Type: application/json or application/x-ndjson"},
		{"unknown encoding", call{encoding: "br", body: single("")}, 415, "want no Content-Encoding, gzip or zstd"},
		{"two encodings", call{encoding: "gzip, gzip", body: single("")}, 415, "want no Content-Encoding, gzip or zstd"},
		{"two encoding headers", call{encoding: "gzip", headers: []string{"Content-Encoding", "gzip"}, body: single("")}, 415, "want no Content-Encoding, gzip or zstd"},
		{"not gzip", call{encoding: "gzip", body: single("")}, 400, "Content-Encoding: the body cannot be decompressed: ..."},
		{"not zstd", call{encoding: "zstd", body: single("")}, 400, "Content-Encoding: the body cannot be decompressed: ..."},
		{"body over the limit", call{body: single(`,"x":"` + strings.Repeat("x", 1<<20) + `"`)}, 413, "request body too large: at most 1048576 bytes, decompressed"},

		{"empty body", call{}, 400, "invalid JSON: offset 0: want '{', an object, found the end"},
		{"not an object", call{body: `[1]`}, 400, "invalid JSON: offset 0: want '{', an object, found '['"},
		{"cut off", call{body: `{"data":{"a":1}`}, 400, "invalid JSON: offset 15: want ',' or '}' after a member of an object, found the end"},
		{"two documents", call{body: single("") + `{}`}, 400, "invalid JSON: ..."},
		{"NaN", call{body: with(`"event_type":"a","data":NaN`)}, 400, "invalid JSON: ..."},
		{"nested too deep", call{body: with(`"event_type":"a","data":` + strings.Repeat("[", 20_000))}, 400, "invalid JSON: ..."},

		{"nothing", call{body: `{}`}, 400, "data:please provide your data, event_type:please provide an event type"},
		{"no data", call{body: with(`"event_type":"a"`)}, 400, "data:please provide your data"},
		{"no type", call{body: with(`"data":1`)}, 400, "event_type:please provide an event type"},
		{"empty type", call{body: with(`"data":1,"event_type":""`)}, 400, "event_type:please provide an event type"},
		{"null type", call{body: with(`"data":1,"event_type":null`)}, 400, "event_type:please provide an event type"},
		{"no endpoint", call{body: `{"data":1,"event_type":"a"}`}, 400, "endpoint_id:please provide an endpoint id"},
		{"application is no id", call{body: `{"data":1,"event_type":"a","app_id":"x"}`}, 400, "app_id:not an id: want 26 characters of Crockford base 32"},
		{"application is zero", call{body: `{"data":1,"event_type":"a","app_id":"00000000000000000000000000"}`}, 400, "app_id:application not found"},
		{"endpoint and application", call{body: with(`"data":1,"event_type":"a","app_id":"` + id + `"`)}, 400, "endpoint_id:please provide only one of endpoint_id and app_id"},
		{"broadcast to one endpoint alone", call{body: `{"data":1,"event_type":"a","broadcast":true}`}, 400, "endpoint_id:please provide an endpoint id"},
		{"broadcast of nothing", call{path: "/events/broadcast", body: `{}`}, 400, "data:please provide your data, event_type:please provide an event type"},
		{"dynamic event of nothing", call{path: "/events/dynamic", body: `{}`}, 400, "data:please provide your data, event_type:please provide an event type, url:please provide a url"},
		{"dynamic event without url", call{path: "/events/dynamic", body: `{"data":1,"event_type":"a","url":""}`}, 400, "url:please provide a url"},
		{"fan-out of nothing", call{path: "/events/fanout", body: `{}`}, 400, "data:please provide your data, event_type:please provide an event type, owner_id:please provide an owner id"},
		{"fan-out without owner", call{path: "/events/fanout", body: `{"data":1,"event_type":"a","owner_id":null}`}, 400, "owner_id:please provide an owner id"},

		{"type is a number", call{body: with(`"data":1,"event_type":1`)}, 400, "event_type:must be a string"},
		{"type is long", call{body: with(`"data":1,"event_type":"` + strings.Repeat("a", 257) + `"`)}, 400, "event_type:at most 256 bytes"},
		{"type with a control character", call{body: with(`"data":1,"event_type":"a\u0000"`)}, 400, "event_type:must be UTF-8 without control characters"},
		{"type with DEL", call{body: with("\"data\":1,\"event_type\":\"a\x7f\"")}, 400, "event_type:must be UTF-8 without control characters"},
		{"type with C1", call{body: with(`"data":1,"event_type":"a\u0085"`)}, 400, "event_type:must be UTF-8 without control characters"},
		{"type not UTF-8", call{body: with("\"data\":1,\"event_type\":\"a\xff\"")}, 400, "event_type:must be UTF-8 without control characters"},
		{"endpoint is no id", call{body: `{"data":1,"event_type":"a","endpoint_id":"x"}`}, 400, "endpoint_id:not an id: want 26 characters of Crockford base 32"},
		{"endpoint is an array", call{body: `{"data":1,"event_type":"a","endpoint_id":[]}`}, 400, "endpoint_id:must be a string"},
		{"endpoint is zero", call{body: `{"data":1,"event_type":"a","endpoint_id":"00000000000000000000000000"}`}, 400, "endpoint not found"},
		{"endpoint is long", call{body: `{"data":1,"event_type":"a","endpoint_id":"` + strings.Repeat("0", 300) + `"}`}, 400, "endpoint_id:at most 256 bytes"},
		{"owner is long", call{path: "/events/fanout", body: `{"data":1,"event_type":"a","owner_id":"` + strings.Repeat("a", 257) + `"}`}, 400, "owner_id:at most 256 bytes"},
		{"owner is an object", call{path: "/events/fanout", body: `{"data":1,"event_type":"a","owner_id":{}}`}, 400, "owner_id:must be a string"},
		{"key is long", call{body: single(`,"idempotency_key":"` + strings.Repeat("a", 257) + `"`)}, 400, "idempotency_key:at most 256 bytes"},
		{"key with a line break", call{body: single(`,"idempotency_key":"a\r\nX: y"`)}, 400, "idempotency_key:must be UTF-8 without control characters"},
		{"key is needed", call{target: strictPath, key: strictKey, body: single("")}, 400, "idempotency_key is required when a custom request_id_header is configured"},
		{"data over the project's limit", call{target: strictPath, key: strictKey, body: `{"endpoint_id":"` + id + `","event_type":"a","idempotency_key":"k","data":"` + strings.Repeat("x", 99) + `"}`}, 413, "data:101 bytes, and this project takes at most 100"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := &world{}
			a := do(t, w.ingest(), tc.c)
			start, open := strings.CutSuffix(tc.message, "...")
			if a.code != tc.code || a.Message != tc.message && !(open && strings.HasPrefix(a.Message, start)) {
				t.Errorf("got %d %q, want %d %q", a.code, a.Message, tc.code, tc.message)
			}
			if w.mu.calls != 0 || a.Data != nil {
				t.Errorf("%d calls of the engine, data %s", w.mu.calls, a.Data)
			}
		})
	}
}

func TestDataAtTheLimit(t *testing.T) {
	a := do(t, new(world).ingest(), call{target: "/api/v1/projects/" + strict.String() + "/events", key: strictKey,
		body: `{"endpoint_id":"` + endpoint.String() + `","event_type":"a","idempotency_key":"k","data":"` + strings.Repeat("x", 98) + `"}`})
	if a.code != 201 {
		t.Errorf("%d %s", a.code, a.body)
	}
}

func TestEngineRefusals(t *testing.T) {
	for _, tc := range []struct {
		name       string
		err        error // of the submission
		all        error // of Submit
		path       string
		code       int
		message    string
		retryAfter string
	}{
		{name: "invalid", err: event.Invalid("event_type", "no subscription wants %s", `"x"`), code: 400, message: `event_type:no subscription wants "x"`},
		{name: "invalid as a whole", err: event.Invalid("", "no"), code: 400, message: "no"},
		{name: "conflict", err: event.ErrConflict, code: 409, message: refuseConflict.message},
		{name: "unknown endpoint", err: event.ErrNotFound, code: 400, message: "endpoint not found"},
		{name: "unknown owner", path: "/events/fanout", err: event.ErrNotFound, code: 400, message: "owner_id:no endpoint has this owner id"},
		{name: "unknown application", path: "app", err: event.ErrNotFound, code: 400, message: "app_id:application not found"},
		{name: "project gone", path: "/events/broadcast", err: event.ErrNotFound, code: 404, message: "Resource not found"},
		{name: "state", err: &event.StateError{Reason: "not now"}, code: 400, message: "not now"},
		{name: "url", path: "/events/dynamic", err: event.Invalid("url", "may not be called"), code: 400, message: "url:may not be called"},
		{name: "other", err: errors.New("secret detail"), code: 503, message: "event could not be stored", retryAfter: "1"},
		{name: "overload", all: &event.OverloadError{What: "queue", After: 1500 * time.Millisecond}, code: 503, message: "too much work waiting: try again later", retryAfter: "2"},
		{name: "overload, at once", all: &event.OverloadError{What: "queue"}, code: 503, message: "too much work waiting: try again later", retryAfter: "1"},
		{name: "overload, bare", all: event.ErrOverloaded, code: 503, message: "too much work waiting: try again later", retryAfter: "1"},
		{name: "stopping", all: event.ErrClosed, code: 503, message: "server is stopping", retryAfter: "5"},
		{name: "disk full", all: &event.FullError{Reason: "no room", After: 9500 * time.Millisecond}, code: 503, message: "no room", retryAfter: "10"},
		{name: "disk full, batch", path: "/events/batch", all: &event.FullError{Reason: "no room"}, code: 503, message: "no room", retryAfter: "1"},
		{name: "disk", all: errors.New("secret detail"), code: 503, message: "event could not be stored", retryAfter: "1"},
		{name: "batch stopping", path: "/events/batch", all: event.ErrClosed, code: 503, message: "server is stopping", retryAfter: "5"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := &world{err: tc.all, verdict: func(*event.Submission) error { return tc.err }}
			body := single(`,"owner_id":"acme","url":"https://a.example"`)
			if tc.path == "app" {
				tc.path, body = "/events", `{"app_id":"`+endpoint.String()+`","event_type":"x","data":1}`
			}
			if tc.path == "/events/batch" {
				body = "[" + single("") + "]"
			}
			a := do(t, w.ingest(), call{path: tc.path, body: body})
			if a.code != tc.code || a.Message != tc.message || string(a.header.Peek("Retry-After")) != tc.retryAfter || a.Data != nil {
				t.Errorf("got %d %s, Retry-After %q", a.code, a.body, a.header.Peek("Retry-After"))
			}
		})
	}
}

func TestAuthenticateHeader(t *testing.T) {
	in := new(world).ingest()
	if a := do(t, in, call{key: "-"}); string(a.header.Peek("WWW-Authenticate")) != "Bearer" {
		t.Errorf("headers %s", a.header)
	}
	if a := do(t, in, call{encoding: "br"}); string(a.header.Peek("Accept-Encoding")) != "gzip, zstd" {
		t.Errorf("headers %s", a.header)
	}
}

// TestAFullDiskIsKnownToMachines, in the answer and in the counts.
func TestAFullDiskIsKnownToMachines(t *testing.T) {
	w := &world{err: &event.FullError{Reason: "no room for \"more\""}}
	in := New(Options{Engine: w, Auth: w, Projects: w,
		Metrics: Metrics{Rejected: func(reason string) { w.mu.rejected = append(w.mu.rejected, reason) }}})
	a := do(t, in, call{body: single("")})
	if want := `{"status":false,"message":"no room for \"more\"","reason":"disk_full"}`; string(a.body) != want {
		t.Errorf("got %s", a.body)
	}
	if !slices.Equal(w.mu.rejected, []string{ReasonDisk}) {
		t.Errorf("counted as %v", w.mu.rejected)
	}
}
