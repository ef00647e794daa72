package api

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

// fuzzBodies are where the fuzzer starts from: what clients send, and what they should
// not.
var fuzzBodies = []string{
	"", "{}", "null", "[]", `"{}"`, `[null]`, `[{}]`, "{", "\xff", "1e999", `{"name":null}`,
	`{"name":"x","url":"https://example.com","secret":"","http_timeout":"1m","rate_limit_duration":1,"authentication":{"type":"oauth2","oauth2":{}},
	  "custom_headers":{"X-A":"b"},"strategy":{"type":"schedule","schedule":[1,2]},"mtls_client_cert":{"client_cert":"a","client_key":"b"},"advanced_signatures":null}`,
	`{"name":"x","endpoint_id":"00000000000000000000000000","source_id":"","filter_config":{"event_types":["a","regex:("],"filter":{"body":{"$or":[{"a":{"$gt":1}}]}}},
	  "alert_config":{"count":-1,"threshold":"x"},"retry_config":{"type":"linear","duration":"1s"},"rate_limit_config":{"count":1,"duration":1},"function":"(","delivery_mode":"x"}`,
	`{"name":"x","type":"pub_sub","provider":"twitter","verifier":{"type":"hmac","hmac":null},"pub_sub":{"type":"kafka","kafka":{"auth":{"password":["********"]},"brokers":[{"password":"********"}]}},
	  "custom_response":{"body":"a"},"idempotency_keys":["request.Body.a","x"],"forward_headers":[""],"event_type_location":"y"}`,
	`{"name":"x","scopes":["read"],"allow_from":["::/0"],"expiration":9999999999,"owner_id":"A","endpoints":["x"],"auth_type":"one_time","expires_at":"9999-12-31T23:59:59Z"}`,
	`{"config":{"signature":{"versions":[{"hash":"x"}]},"strategy":{"duration":-1},"ssl":null,"SSL":{},"meta_event":{"is_enabled":true},"ratelimit":{"count":-1}},"type":"incoming","name":""}`,
	`{"event_type":"*","enabled_at":"x","headers":{"a":1},"body":{"a.$.b":{"$in":[]}},"query":{},"path":{},"ids":["x"],"token":"PL.x","spec":"openapi: 3.1.0\nwebhooks: {}"}`,
	`{"request":{"header":{"a":["b"]},"body":[1],"query":"a=b","path":{"path":1}},"schema":{"body":{"$regex":"("}},"payload":{},"function":"f","oauth2":{"url":"x"}}`,
	`{"items":[{"name":"x","url":"https://example.com/x","event_type":"a","auth_username":"u","auth_password":"p"}]}`,
}

var fuzzQueries = []string{
	"", "perPage=-1&sort=x", "perPage=1&next_page_cursor=7ZZZZZZZZZZZZZZZZZZZZZZZZZ&direction=prev&prev_page_cursor=00000000000000000000000000",
	"startDate=0001-01-01T00:00:00&endDate=9999-12-31T23:59:59&status=Success&endpointId=x", "query=a&body=%7B%22a%22%3A1%7D&sourceId=&ownerId=B&rate=1",
	"startDate=9999-12-31T23:59:59&endDate=0001-01-01T00:00:00", ";&%zz&=&a=%FF&idempotencyKey=%00&eventType=%F0", "dry_run=true&groupId=1&orgID=",
}

// FuzzHandlers sends anything to every route: no answer is the server's fault, and each
// is in the envelope.
func FuzzHandlers(f *testing.F) {
	for i := range routes {
		for j, body := range fuzzBodies {
			f.Add(uint16(i), byte(j), "", fuzzQueries[(i+j)%len(fuzzQueries)], body)
		}
	}
	f.Add(uint16(0), byte(0), "..%2f", "", "")
	var w *portalWorld // used for a few requests each
	uses := 0
	f.Fuzz(func(t *testing.T, n uint16, who byte, param, query, body string) {
		if uses++; w == nil || uses%32 == 0 || w.catalog.Snapshot().Endpoint(w.own["endpointID"]) == nil {
			w = newPortalWorld(t)
		}
		w.t = t
		rt := routes[int(n)%len(routes)]
		method, _, _ := strings.Cut(rt.pattern, " ")
		path := w.path(rt, append(w.others, w.own)[int(who/8)%4])
		if param != "" {
			path = strings.Replace(path, w.own["endpointID"].String(), param, 1)
		}
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.URL.Path, r.URL.RawQuery = path, query
		keys := []string{catalogtest.InstanceKey, w.key, w.grants["key"], ""}
		r.Header.Set("Authorization", "Bearer "+keys[int(who)%len(keys)])
		r.Header.Set("Content-Type", "application/json")
		if who&4 != 0 {
			r.Header.Set("Prefer", "handling=strict")
			r.Header.Set(versionHeader, "0001-01-01")
		}
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, r)
		checkEnvelope(t, rec, method+" "+path+"?"+query+" "+body)
		for _, fault := range w.faults {
			t.Errorf("%s %s?%s %s: %v", method, path, query, body, fault)
		}
	})
}

// checkEnvelope looks at what every answer has.
func checkEnvelope(t *testing.T, rec *httptest.ResponseRecorder, request string) {
	t.Helper()
	var a struct {
		Status  *bool           `json:"status"`
		Message *string         `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || a.Status == nil || a.Message == nil {
		t.Fatalf("%s: %d is not in the envelope: %s", request, rec.Code, rec.Body)
	}
	good := rec.Code < 300
	if *a.Status != good || good == (a.Data == nil) || *a.Message == "" || rec.Code >= 500 && rec.Code != 501 {
		t.Fatalf("%s: %d %s", request, rec.Code, rec.Body)
	}
	if retry := rec.Code == 429 || rec.Code == 503; retry != (rec.Header().Get("Retry-After") != "") {
		t.Fatalf("%s: %d with Retry-After %q", request, rec.Code, rec.Header().Get("Retry-After"))
	}
	if _, err := event.ParseID(rec.Header().Get(requestIDHeader)); err != nil || rec.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%s: headers are %v", request, rec.Header())
	}
}
