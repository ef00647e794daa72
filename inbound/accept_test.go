package inbound

import (
	"strconv"
	"strings"
	"testing"

	"posthaste/event"
)

func TestPlainRequest(t *testing.T) {
	w := newWorld(nil)
	in := w.inbound()
	a := do(t, in, call{target: "/ingest/" + mask + "?a=1&b=%20", body: ` {"n": 1.50 }` + "\n"})
	if a.code != 200 || a.Message != "Event received" || a.Data != 14 {
		t.Fatalf("%d %s", a.code, a.body)
	}
	e := &w.mu.subs[0].Event
	if string(e.Data) != `{"n": 1.50 }` || e.Type != mask || e.IdempotencyKey != "" || e.Path != "/ingest/"+mask || e.Query != "a=1&b=%20" {
		t.Fatalf("event %+v, data %s", e, e.Data)
	}
	if id, n := headerOf(e, "X-Convoy-Source-Id"); id != w.src.ID.String() || n != 1 || len(e.Headers) != 1 {
		t.Fatalf("headers %v", e.Headers)
	}
}

func TestOtherRoutes(t *testing.T) {
	in := newWorld(nil).inbound()
	for _, target := range []string{"/", "/ingest", "/ingest/", "/ingest/?x=1", "/ingest/a/b", "/ingestion/a", "/api/v1/projects", "http://h/ingest/a"} {
		ctx := newCtx(call{target: target})
		if in.Handle(ctx) || len(ctx.Response.Body()) > 0 {
			t.Errorf("%s was answered: %s", target, ctx.Response.Body())
		}
	}
}

// The event must survive the request, whose memory the server uses again.
func TestMemoryOfItsOwn(t *testing.T) {
	w := newWorld(func(src *event.Source) {
		src.EventTypeLocation, src.ForwardHeaders = "request.body.t", []string{"X-A"}
	})
	ctx := newCtx(call{target: "/ingest/" + mask + "?q=1", body: `{"t":"order"}`, headers: []string{"X-A", "value"}})
	if !w.inbound().Handle(ctx) || len(w.mu.subs) != 1 {
		t.Fatalf("%s", ctx.Response.Body())
	}
	for _, b := range [][]byte{ctx.Request.Body(), ctx.Request.Header.RequestURI(), ctx.Request.Header.Peek("X-A")} {
		for i := range b {
			b[i] = '#'
		}
	}
	e := &w.mu.subs[0].Event
	if value, _ := headerOf(e, "X-A"); string(e.Data) != `{"t":"order"}` || e.Type != "order" || value != "value" || e.Query != "q=1" {
		t.Fatalf("event %+v, data %s", e, e.Data)
	}
}

func TestCustomResponse(t *testing.T) {
	for i, tc := range []struct {
		custom         event.CustomResponse
		body, kind     string
		fails, repeats bool
	}{
		{event.CustomResponse{Body: "thanks", ContentType: "text/plain"}, "thanks", "text/plain", false, false},
		{event.CustomResponse{Body: "<ok/>", ContentType: "application/xml"}, "<ok/>", "application/xml", false, true},
		{event.CustomResponse{Body: "thanks"}, "thanks", "text/plain; charset=utf-8", false, false},
		{event.CustomResponse{ContentType: "text/plain"}, "", "text/plain", false, false},
		{event.CustomResponse{}, `{"status":true,"message":"Event received","data":7}`, "application/json", false, false},
		{event.CustomResponse{}, `{"status":true,"message":"Duplicate event received, but will not be sent","data":7}`, "application/json", false, true},
		{event.CustomResponse{Body: "thanks"}, `{"status":false,"message":"invalid JSON: offset 1: want a member's name or '}', found the end"}`, "application/json", true, false},
	} {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			w := newWorld(func(src *event.Source) { src.CustomResponse = &tc.custom })
			w.verdict = func(sub *event.Submission) { sub.Duplicate = tc.repeats }
			c := call{}
			if tc.fails {
				c.body = "{"
			}
			a := do(t, w.inbound(), c)
			if a.body != tc.body || string(a.header.ContentType()) != tc.kind || (a.code == 200) == tc.fails {
				t.Fatalf("%d %q of type %q", a.code, a.body, a.header.ContentType())
			}
		})
	}
}

func TestCustomResponseSplitsNoHeader(t *testing.T) {
	w := newWorld(func(src *event.Source) {
		src.CustomResponse = &event.CustomResponse{Body: "x", ContentType: "text/plain\r\nSet-Cookie: a=b"}
	})
	ctx := newCtx(call{})
	w.inbound().Handle(ctx)
	if raw := ctx.Response.Header.String(); len(ctx.Response.Header.Peek("Set-Cookie")) > 0 || strings.Contains(raw, "\nSet-Cookie") {
		t.Fatalf("%q", raw)
	}
}

func TestRequestID(t *testing.T) {
	in := newWorld(nil).inbound()
	long := make([]byte, 129)
	for i := range long {
		long[i] = 'a'
	}
	for _, tc := range []struct {
		id   string
		echo bool
	}{{"abc-123", true}, {"", false}, {"a b", false}, {"\x7f", false}, {string(long), false}, {string(long[:128]), true}} {
		a := do(t, in, call{headers: []string{"X-Request-Id", tc.id}})
		if got := string(a.header.Peek("X-Request-Id")); (got == tc.id) != tc.echo || got == "" {
			t.Errorf("%q became %q", tc.id, got)
		}
	}
	one, two := do(t, in, call{}), do(t, in, call{})
	if string(one.header.Peek("X-Request-Id")) == string(two.header.Peek("X-Request-Id")) {
		t.Error("two answers have one id")
	}
}

func TestForwardedHeaders(t *testing.T) {
	w := newWorld(func(src *event.Source) {
		src.ForwardHeaders = []string{"x-EVENT", "X-Event", " X-Many ", "X-Absent", "Cookie", "content-type", "host",
			"content-length", "Webhook-Id", "posthaste-x", "Proxy-Authorization", "x-convoy-signature", "X-Convoy-Source-Id", "", "Authorization"}
	})
	e := w.accepted(t, call{headers: []string{
		"X-Event", "push", "x-many", "1", "X-MANY", "2", "Cookie", "a=b", "Webhook-Id", "1", "Posthaste-X", "1",
		"Proxy-Authorization", "1", "X-Convoy-Signature", "1", "X-Convoy-Source-Id", "mine", "Authorization", "Basic x", "X-Other", "1",
	}})
	want := []event.Header{{Name: headerSourceID, Value: w.src.ID.String()}, {Name: "X-Event", Value: "push"},
		{Name: "X-Many", Value: "1, 2"}, {Name: "Authorization", Value: "Basic x"}}
	if len(e.Headers) != len(want) {
		t.Fatalf("headers %v, want %v", e.Headers, want)
	}
	for i := range want {
		if e.Headers[i] != want[i] {
			t.Errorf("header %v, want %v", e.Headers[i], want[i])
		}
	}
}

// The slice that plain events share must not be appended to in place.
func TestForwardedHeadersAreNotShared(t *testing.T) {
	w := newWorld(func(src *event.Source) { src.ForwardHeaders = []string{"X-A"} })
	in := w.inbound()
	for _, v := range []string{"1", "2", ""} {
		do(t, in, call{headers: []string{"X-A", v}})
	}
	for i, want := range []string{"1", "2"} {
		if got, _ := headerOf(&w.mu.subs[i].Event, "X-A"); got != want {
			t.Errorf("event %d has %q, want %q", i, got, want)
		}
	}
}
