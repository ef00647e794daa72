package ingest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"posthaste/event"
)

func uidOf(t *testing.T, data json.RawMessage) string {
	t.Helper()
	var d struct{ UID string }
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatalf("data %s: %v", data, err)
	}
	return d.UID
}

func TestSingle(t *testing.T) {
	w := &world{}
	before := time.Now()
	a := do(t, w.ingest(), call{body: single(`,"idempotency_key":"k-1","custom_headers":{"X-A":"1","x-b":"two words"},"owner_id":"not for a single event","unknown":[1,{}]`)})
	if a.code != 201 || a.Message != "Event queued successfully" || len(w.mu.subs) != 1 {
		t.Fatalf("%d %s", a.code, a.body)
	}
	sub := w.mu.subs[0]
	e := sub.Event
	if a.body != `{"status":true,"message":"Event queued successfully","data":{"uid":"`+e.ID.String()+`"}}` {
		t.Errorf("answer %s", a.body)
	}
	if sub.EndpointID != endpoint || e.ProjectID != project || e.Type != "order.created" || e.IdempotencyKey != "k-1" || e.OwnerID != "" || string(e.Data) != `{"n":1}` {
		t.Errorf("submission %+v", sub)
	}
	if !slices.Equal(e.Headers, []event.Header{{Name: "X-A", Value: "1"}, {Name: "x-b", Value: "two words"}}) {
		t.Errorf("headers %v", e.Headers)
	}
	if e.ReceivedAt.Before(before) || e.ReceivedAt.After(time.Now()) || e.ReceivedAt.Location() != time.UTC {
		t.Errorf("received at %v", e.ReceivedAt)
	}
}

func TestFanout(t *testing.T) {
	w := &world{}
	a := do(t, w.ingest(), call{path: "/events/fanout", body: `{"owner_id":"acme","event_type":"x","data":null,"endpoint_id":"not for a fan-out"}`})
	if a.code != 201 || a.Message != "Endpoint fanout event queued successfully" {
		t.Fatalf("%d %s", a.code, a.body)
	}
	sub := w.mu.subs[0]
	if sub.EndpointID != (event.ID{}) || sub.Event.OwnerID != "acme" || string(sub.Event.Data) != "null" || uidOf(t, a.Data) != sub.Event.ID.String() {
		t.Errorf("submission %+v, answer %s", sub, a.body)
	}
}

func TestDuplicateAnswersWithTheFirstID(t *testing.T) {
	for path, body := range map[string]string{
		"/events":        single(`,"idempotency_key":"again"`),
		"/events/fanout": `{"owner_id":"acme","event_type":"x","data":1,"idempotency_key":"again"}`,
	} {
		a := do(t, new(world).ingest(), call{path: path, body: body})
		if a.code != 201 || a.Message != "Duplicate event received, but will not be sent" || uidOf(t, a.Data) != first.String() {
			t.Errorf("%s: %d %s", path, a.code, a.body)
		}
	}
}

func TestDataTravelsByteForByte(t *testing.T) {
	deep := strings.Repeat("[", 9000) + strings.Repeat("]", 9000)
	for _, data := range []string{
		`{"b":1,"a":2}`, `{"a":1,"a":2}`, `9007199254740993`, `1.0`, `1e400`, `-0`, `"\ud800 é \u00e9 \/"`, "\"\xff\"", "\"\u2028\"", `""`, `null`, `false`,
		"{ \"spaced\" :\t[ 1 ,\r\n 2 ] }", deep, `"` + strings.Repeat("x", 40_000) + `"`,
	} {
		w := &world{}
		in := w.ingest()
		ctx := newCtx(call{body: `{"data": ` + data + ` ,"endpoint_id":"` + endpoint.String() + `","event_type":"a\u002eb"}`})
		in.Handle(ctx)
		body := ctx.Request.Body()
		clear(body) // the server reuses it for the next request
		if len(w.mu.subs) != 1 || string(w.mu.subs[0].Event.Data) != data || w.mu.subs[0].Event.Type != "a.b" {
			t.Errorf("%.60q: answer %s", data, ctx.Response.Body())
		}
	}
}

func TestEventsDoNotShareWritableMemory(t *testing.T) {
	w := &world{}
	do(t, w.ingest(), call{path: "/events/batch", body: "[" + single("") + "," + single("") + "]"})
	one, two := w.mu.subs[0].Event, w.mu.subs[1].Event
	_ = append(one.Data, "overrun"...)
	if one.Type != "order.created" || string(two.Data) != `{"n":1}` {
		t.Errorf("appending to one event's data changed %q and %q", one.Type, two.Data)
	}
}

func TestWhatIsNotIngests(t *testing.T) {
	in := new(world).ingest()
	base := "/api/v1/projects/" + project.String()
	for _, tc := range [][2]string{
		{"GET", base + "/events"}, {"PUT", base + "/events"}, {"POST", base + "/events/"}, {"POST", base + "/events/broadcast/"}, {"POST", base + "/events/static"}, {"GET", "/api/v1/events"}, {"POST", "/api/v1/events/x"}, {"POST", "/api/v1/event"}, {"POST", "/api/v1/"},
		{"POST", base + "//events"}, {"POST", base + "/./events"}, {"POST", base + "/event%73"}, {"POST", base + "/Events"},
		{"POST", "/api/v1/projects/events"}, {"POST", "/api/v2/projects/x/events"}, {"POST", "/"}, {"POST", "*"}, {"POST", "http://evil" + base + "/events"},
	} {
		ctx := newCtx(call{target: tc[1]})
		ctx.Request.Header.SetMethod(tc[0])
		if in.Handle(ctx) || len(ctx.Response.Body()) != 0 {
			t.Errorf("%s %s was taken", tc[0], tc[1])
		}
	}
	if a := do(t, in, call{target: base + "/events?a=/b", body: single("")}); a.code != 201 {
		t.Errorf("a query: %d", a.code)
	}
}

func TestKeysThatReach(t *testing.T) {
	in := new(world).ingest()
	for _, c := range []call{
		{key: instanceKey},
		{key: instanceKey, target: "/api/v1/projects/" + foreign.String() + "/events"},
		{key: "-", headers: []string{"Authorization", "bearer " + projectKey}},
		{key: "-", headers: []string{"Authorization", "BEARER   " + projectKey}},
	} {
		c.body = single("")
		if a := do(t, in, c); a.code != 201 {
			t.Errorf("%+v: %d %s", c, a.code, a.body)
		}
	}
}

func TestMetrics(t *testing.T) {
	w := &world{}
	in := New(Options{Engine: w, Auth: w, Projects: w, Metrics: Metrics{
		Observe: func(code int, d time.Duration) {
			if d < 0 {
				t.Error("negative duration")
			}
			w.mu.codes = append(w.mu.codes, code)
		},
		Rejected: func(reason string) { w.mu.rejected = append(w.mu.rejected, reason) },
	}})
	do(t, in, call{body: single("")})
	do(t, in, call{body: "{"})
	do(t, in, call{key: "wrong", body: "{}"})
	in.Handle(newCtx(call{target: "/other"}))
	w.err = &event.OverloadError{What: "x"}
	do(t, in, call{body: single("")})
	w.err = event.ErrClosed
	do(t, in, call{body: single("")})
	if !slices.Equal(w.mu.codes, []int{201, 400, 401, 503, 503}) || !slices.Equal(w.mu.rejected, []string{ReasonMalformed, ReasonAuth, ReasonLoad, ReasonDraining}) {
		t.Errorf("codes %v, reasons %v", w.mu.codes, w.mu.rejected)
	}
}

func TestRequestIDsDiffer(t *testing.T) {
	in := new(world).ingest()
	one := string(do(t, in, call{body: "{"}).header.Peek("X-Request-Id"))
	two := string(do(t, in, call{body: single("")}).header.Peek("X-Request-Id"))
	if one == two || one[10:18] != two[10:18] || len(one) != event.IDTextLen {
		t.Errorf("request ids %q and %q", one, two)
	}
}

func TestManyAtOnce(t *testing.T) {
	w := &world{}
	in := w.ingest()
	var all sync.WaitGroup
	const goroutines, each = 8, 40
	for g := range goroutines {
		all.Go(func() {
			for n := range each {
				text := fmt.Sprintf("%d-%d", g, n)
				line := single(`,"idempotency_key":"` + text + `","custom_headers":{"X-N":"` + text + `"}`)
				c := call{body: line}
				if n%2 == 0 {
					c = call{path: "/events/batch", media: "application/x-ndjson", encoding: "gzip", body: gzipped(t, strings.Repeat(line+"\n{\n", 3))}
				}
				if a := do(t, in, c); a.code != 201 {
					t.Errorf("%s: %d %s", text, a.code, a.body)
				}
			}
		})
	}
	all.Wait()
	seen := map[string]int{}
	for _, sub := range w.mu.subs {
		if sub.Event.Headers[0].Value != sub.Event.IdempotencyKey {
			t.Fatalf("event %q has header %q", sub.Event.IdempotencyKey, sub.Event.Headers[0].Value)
		}
		seen[sub.Event.IdempotencyKey]++
	}
	if len(seen) != goroutines*each || seen["0-0"] != 3 || seen["7-1"] != 1 {
		t.Errorf("%d keys, %d, %d", len(seen), seen["0-0"], seen["7-1"])
	}
}

func TestNewPanicsWithoutAnEngine(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	New(Options{})
}
