package ingest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"posthaste/event"
)

// way is one way to post an event: a route, and whom it is for.
type way struct {
	name, path string
	address    string // the members that say whom it is for
	message    string
	to         event.Addressee
}

var application = event.NewID()

var ways = []way{
	{"endpoint", "/events", `"endpoint_id":"` + endpoint.String() + `",`, "Event queued successfully", event.ToEndpoint},
	{"application", "/events", `"app_id":"` + application.String() + `",`, "Event queued successfully", event.ToApp},
	{"fanout", "/events/fanout", `"owner_id":"acme",`, "Endpoint fanout event queued successfully", event.ToOwner},
	{"broadcast", "/events/broadcast", `"acknowledged_at":"2026-01-01T00:00:00Z",`, "Broadcast event created successfully", event.ToSubscribers},
	{"dynamic", "/events/dynamic", `"url":"https:\/\/a.example/h\u00f6ok","secret":"s3cret","event_types":["a","b.*"],`, "Dynamic event created successfully", event.ToDynamic},
	{"batch to an endpoint", "/events/batch", `"endpoint_id":"` + endpoint.String() + `",`, "Event queued successfully", event.ToEndpoint},
	{"batch to an application", "/events/batch", `"app_id":"` + application.String() + `",`, "Event queued successfully", event.ToApp},
	{"batch to an owner", "/events/batch", `"owner_id":"acme",`, "Endpoint fanout event queued successfully", event.ToOwner},
	{"batch to all", "/events/batch", `"broadcast":true,`, "Broadcast event created successfully", event.ToSubscribers},
}

// call makes the request of an event with these members, "data" among them.
func (v way) call(members string) call {
	body := "{" + v.address + members + "}"
	if v.path == "/events/batch" {
		body = "[" + body + "]"
	}
	return call{path: v.path, body: body}
}

// outcome is the code, message and id of the event in the answer.
func (v way) outcome(t *testing.T, a answered) (int, string, string) {
	t.Helper()
	if v.path == "/events/batch" && len(a.Data) > 0 {
		r := results(t, a)[0]
		return a.code, r.Message, r.UID
	}
	if len(a.Data) == 0 {
		return a.code, a.Message, ""
	}
	return a.code, a.Message, uidOf(t, a.Data)
}

// everyWay runs f for each way, on the path with the project and on the older one.
func everyWay(t *testing.T, f func(t *testing.T, v way, send func(in *Ingest, c call) answered)) {
	for _, v := range ways {
		for _, older := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/older=%v", v.name, older), func(t *testing.T) {
				f(t, v, func(in *Ingest, c call) answered {
					if older {
						c.target = "/api/v1" + c.path
					}
					return do(t, in, c)
				})
			})
		}
	}
}

func TestEveryWayReachesItsAddressee(t *testing.T) {
	everyWay(t, func(t *testing.T, v way, send func(*Ingest, call) answered) {
		w := &world{}
		a := send(w.ingest(), v.call(`"event_type":"x","data":{"n":1},"idempotency_key":"k","custom_headers":{"X-A":"1"}`))
		code, message, uid := v.outcome(t, a)
		if code != 201 || message != v.message || len(w.mu.subs) != 1 {
			t.Fatalf("%d %s", code, a.body)
		}
		sub := w.mu.subs[0]
		want := event.Submission{To: v.to, Event: sub.Event}
		switch v.to {
		case event.ToEndpoint:
			want.EndpointID = endpoint
		case event.ToApp:
			want.AppID = application
		case event.ToDynamic:
			want.Dynamic = sub.Dynamic
			if d := sub.Dynamic; d == nil || d.URL != "https://a.example/höok" || d.Secret != "s3cret" || !slices.Equal(d.EventTypes, []string{"a", "b.*"}) {
				t.Errorf("dynamic %+v", d)
			}
		}
		owner := map[bool]string{true: "acme"}[v.to == event.ToOwner]
		e := sub.Event
		if sub.To != want.To || sub.EndpointID != want.EndpointID || sub.AppID != want.AppID || sub.Dynamic != want.Dynamic ||
			e.ProjectID != project || e.OwnerID != owner || e.Type != "x" || e.IdempotencyKey != "k" || len(e.Headers) != 1 || uid != e.ID.String() {
			t.Errorf("submission %+v, uid %s", sub, uid)
		}
	})
}

func TestEveryWayKeepsTheDataByteForByte(t *testing.T) {
	everyWay(t, func(t *testing.T, v way, send func(*Ingest, call) answered) {
		for _, data := range []string{`{"b":1.0,"a":1e400}`, `"\ud800 \u00e9 \/"`, `null`, "{ \"s\" :\t[ 1 ,\r\n 2 ] }", `9007199254740993`, `""`} {
			for _, encoding := range []string{"", "gzip", "zstd"} {
				w := &world{}
				c := v.call(`"data": ` + data + ` ,"event_type":"x"`)
				switch c.encoding = encoding; encoding {
				case "gzip":
					c.body = gzipped(t, c.body)
				case "zstd":
					c.body = zstded(t, c.body, false)
				}
				if a := send(w.ingest(), c); a.code != 201 || string(w.mu.subs[0].Event.Data) != data {
					t.Errorf("%q %s: %d %s", data, encoding, a.code, a.body)
				}
			}
		}
	})
}

func TestEveryWayIsIdempotent(t *testing.T) {
	everyWay(t, func(t *testing.T, v way, send func(*Ingest, call) answered) {
		w := &world{keys: map[string]event.Submission{}}
		in := w.ingest()
		first := v.call(`"event_type":"x","data":1,"idempotency_key":"k"`)
		_, _, uid := v.outcome(t, send(in, first))
		for range 3 {
			if code, message, again := v.outcome(t, send(in, first)); code != 201 || message != messageDuplicate || again != uid || uid == "" {
				t.Errorf("repeated: %d %q %q, first %q", code, message, again, uid)
			}
		}
		code, message, _ := v.outcome(t, send(in, v.call(`"event_type":"x","data":2,"idempotency_key":"k"`)))
		if want := map[bool]int{true: 400, false: 409}[v.path == "/events/batch"]; code != want || message != refuseConflict.message {
			t.Errorf("other content: %d %q", code, message)
		}
	})
}

func TestEveryWayRefusesAlike(t *testing.T) {
	everyWay(t, func(t *testing.T, v way, send func(*Ingest, call) answered) {
		batch := v.path == "/events/batch"
		for _, tc := range []struct {
			name    string
			c       call
			code    int // of a batch: that of one event alone is a result of 400
			message string
		}{
			{"too large", v.call(`"event_type":"x","data":"` + strings.Repeat("x", 1<<20) + `"`), 413, "request body too large: at most 1048576 bytes, decompressed"},
			{"media type", call{path: v.path, media: "text/plain"}, 415, map[bool]string{false: refuseMedia.message, true: refuseBatchMedia.message}[batch]},
			{"encoding", call{path: v.path, encoding: "br"}, 415, refuseEncoding.message},
			{"no key", call{path: v.path, key: "-"}, 401, "Authentication required"},
			{"bad key", call{path: v.path, key: "bad"}, 401, "authorization failed"},
			{"scope", call{path: v.path, key: readKey}, 403, "this key may not post events: it lacks the scope ingest"},
			{"portal", call{path: v.path, key: portalKey}, 403, "this key may not post events: it lacks the scope ingest"},
			{"address", call{path: v.path, key: awayKey, from: "198.51.100.7"}, 403, "this key may not be used from 198.51.100.7"},
			{"no data", v.call(`"event_type":"x"`), 400, "data:please provide your data"},
			{"no type", v.call(`"data":1`), 400, "event_type:please provide an event type"},
			{"neither", v.call(`"data_":1`), 400, "data:please provide your data, event_type:please provide an event type"},
			{"bad key text", v.call(`"event_type":"x","data":1,"idempotency_key":7`), 400, "idempotency_key:must be a string"},
			{"bad header", v.call(`"event_type":"x","data":1,"custom_headers":{"Host":"x"}`), 400, `custom_headers:"Host" is reserved, posthaste or the connection sets it`},
		} {
			w := &world{}
			a := send(w.ingest(), tc.c)
			if code, message, _ := v.outcome(t, a); code != tc.code || message != tc.message || w.mu.calls != 0 {
				t.Errorf("%s: %d %s, want %d %q", tc.name, code, a.body, tc.code, tc.message)
			}
		}
	})
}

func TestWhoseEventInABatch(t *testing.T) {
	id := `"` + endpoint.String() + `"`
	for members, message := range map[string]string{
		`"endpoint_id":` + id + `,"owner_id":"o"`:                               "endpoint_id:please provide only one of endpoint_id and owner_id",
		`"endpoint_id":` + id + `,"app_id":` + id:                               "endpoint_id:please provide only one of endpoint_id and app_id",
		`"app_id":` + id + `,"broadcast":true`:                                  "app_id:please provide only one of app_id and broadcast",
		`"broadcast":true,"owner_id":"o","app_id":` + id:                        "app_id:please provide only one of app_id, owner_id and broadcast",
		`"endpoint_id":` + id + `,"app_id":"x","owner_id":"o","broadcast":true`: "endpoint_id:please provide only one of endpoint_id, app_id, owner_id and broadcast",
		`"broadcast":1`:                                 "broadcast:must be true or false",
		`"broadcast":"true"`:                            "broadcast:must be true or false",
		`"broadcast":false`:                             "endpoint_id:please provide an endpoint id, an app id, an owner id or broadcast",
		`"broadcast":null,"owner_id":""`:                "endpoint_id:please provide an endpoint id, an app id, an owner id or broadcast",
		`"url":"https://a.example"`:                     "endpoint_id:please provide an endpoint id, an app id, an owner id or broadcast",
		`"broadcast":false,"owner_id":"o"`:              "",
		`"endpoint_id":"","app_id":null,"owner_id":"o"`: "",
	} {
		a := do(t, new(world).ingest(), call{path: "/events/batch", body: `[{"event_type":"x","data":1,` + members + `}]`})
		if r := results(t, a)[0]; message != "" && (r.Message != message || a.code != 400) || message == "" && a.code != 201 {
			t.Errorf("%s: %d %s", members, a.code, a.body)
		}
	}
}

func TestDynamicEndpoint(t *testing.T) {
	many := func(n int) string { return `["a"` + strings.Repeat(`,"a"`, n-1) + `]` }
	url := `"url":"https://a.example"`
	for _, tc := range []struct{ name, members, message string }{
		{"url alone", url, ""},
		{"all empty", url + `,"secret":"","event_types":[]`, ""},
		{"all null", url + `,"secret":null,"event_types":null`, ""},
		{"url of 2048 bytes", `"url":"` + strings.Repeat("u", event.MaxURLBytes) + `"`, ""},
		{"a byte more", `"url":"` + strings.Repeat("u", event.MaxURLBytes+1) + `"`, "url:at most 2048 bytes"},
		{"url is a number", `"url":1`, "url:must be a string"},
		{"url with a line break", `"url":"https://a.example/\n"`, "url:must be UTF-8 without control characters"},
		{"secret of 256 bytes", url + `,"secret":"` + strings.Repeat("s", event.MaxSecretBytes) + `"`, ""},
		{"a byte more of it", url + `,"secret":"` + strings.Repeat("s", event.MaxSecretBytes+1) + `"`, "secret:at most 256 bytes"},
		{"secret is an array", url + `,"secret":["a"]`, "secret:must be a string"},
		{"types are a string", url + `,"event_types":"a"`, "event_types:must be an array of strings"},
		{"types are an object", url + `,"event_types":{"a":"b"}`, "event_types:must be an array of strings"},
		{"a type is null", url + `,"event_types":["a",null]`, "event_types:must be an array of strings"},
		{"a type is empty", url + `,"event_types":["a",""]`, "event_types:an event type is empty"},
		{"a type is long", url + `,"event_types":["` + strings.Repeat("t", event.MaxNameBytes+1) + `"]`, "event_types:at most 256 bytes"},
		{"100 types", url + `,"event_types":` + many(100), ""},
		{"101 types", url + `,"event_types":` + many(101), "event_types:at most 100 event types"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := do(t, new(world).ingest(), call{path: "/events/dynamic", body: `{"event_type":"x","data":1,` + tc.members + `}`})
			if tc.message == "" && a.code != 201 || tc.message != "" && (a.code != 400 || a.Message != tc.message) {
				t.Errorf("%d %s", a.code, a.body)
			}
		})
	}
}

// What a dynamic event brings is not left in the request's memory, which the
// server uses again.
func TestDynamicEndpointIsCopied(t *testing.T) {
	w := &world{}
	in := w.ingest()
	for range 2 { // the second time with a request from the pool
		ctx := newCtx(call{path: "/events/dynamic", body: `{"event_type":"x","data":1,"url":"https://a.example","secret":"s3cret","event_types":["one","two"]}`})
		in.Handle(ctx)
		clear(ctx.Request.Body())
	}
	do(t, in, call{path: "/events/dynamic", body: `{"event_type":"x","data":1,"url":"https://b.example"}`})
	for i, want := range []event.Dynamic{
		{URL: "https://a.example", Secret: "s3cret", EventTypes: []string{"one", "two"}},
		{URL: "https://a.example", Secret: "s3cret", EventTypes: []string{"one", "two"}},
		{URL: "https://b.example"},
	} {
		if d := w.mu.subs[i].Dynamic; d.URL != want.URL || d.Secret != want.Secret || !slices.Equal(d.EventTypes, want.EventTypes) {
			t.Errorf("event %d: %+v", i, d)
		}
	}
}

func TestOlderPaths(t *testing.T) {
	in := new(world).ingest()
	for _, tc := range []struct {
		c       call
		code    int
		message string
	}{
		{call{key: instanceKey}, 400, "say which project: /api/v1/projects/{projectID}/events and so on, as this key reaches every project"},
		{call{key: staleKey}, 404, "Resource not found"},
		{call{key: ingestKey}, 201, "Event queued successfully"},
	} {
		tc.c.target, tc.c.body = "/api/v1/events?x=1", single("")
		if a := do(t, in, tc.c); a.code != tc.code || a.Message != tc.message {
			t.Errorf("%s: %d %s", tc.c.key, a.code, a.body)
		}
	}
}

func TestAddressesOfAKey(t *testing.T) {
	in := new(world).ingest()
	for from, code := range map[string]int{
		"192.0.2.9": 201, "::ffff:192.0.2.9": 201, "2001:db8::1": 201, "192.0.3.1": 403, "2001:db9::1": 403, "::1": 403, "": 403,
	} {
		a := do(t, in, call{key: awayKey, from: from, body: single(""), headers: []string{"X-Forwarded-For", "192.0.2.9", "X-Real-Ip", "192.0.2.9"}})
		if a.code != code {
			t.Errorf("%s: %d %s", from, a.code, a.body)
		}
	}
	if a := do(t, in, call{key: awayKey, from: "203.0.113.1", target: "/api/v1/projects/" + absent.String() + "/events"}); a.code != 403 {
		t.Errorf("a key from elsewhere tells that a project is unknown: %d", a.code)
	}
}

func TestAnswersAreOfOneForm(t *testing.T) {
	for _, v := range ways {
		a := do(t, new(world).ingest(), v.call(`"event_type":"x","data":1`))
		if v.path == "/events/batch" {
			continue
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal([]byte(a.body), &members); err != nil || len(members) != 3 {
			t.Errorf("%s: %s", v.name, a.body)
		}
		var data map[string]string
		if err := json.Unmarshal(a.Data, &data); err != nil || len(data) != 1 || len(data["uid"]) != event.IDTextLen {
			t.Errorf("%s: data %s", v.name, a.Data)
		}
	}
}

// A dynamic event makes endpoints and replaces their secrets, which a key that may only
// post events must not.
func TestADynamicEventNeedsAKeyThatMayManage(t *testing.T) {
	body := `{"url":"https://x.example","event_type":"paid","data":1}`
	if a := do(t, new(world).ingest(), call{path: "/events/dynamic", key: ingestKey, body: body}); a.code != 403 {
		t.Errorf("%d %s", a.code, a.Message)
	}
}
