package inbound

import (
	"errors"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

func TestSourcesThatTakeNothing(t *testing.T) {
	change := func(f func(*event.Source)) *world { return newWorld(f) }
	for _, tc := range []struct {
		name string
		w    *world
		c    call
		want string
	}{
		{"unknown", change(nil), call{target: "/ingest/other"}, "Resource not found"},
		{"unknown, get", change(nil), call{target: "/ingest/other", method: "GET"}, "Resource not found"},
		{"escaped", change(nil), call{target: "/ingest/%78MqZ7Ab2"}, "Resource not found"},
		{"disabled", change(func(src *event.Source) { src.IsDisabled = true }), call{}, "this source is disabled"},
		{"of a broker", change(func(src *event.Source) { src.Type = event.SourcePubSub }), call{}, "Resource not found"},
		{"declared only", change(func(src *event.Source) { src.Type = event.SourceREST }), call{}, "Resource not found"},
		{"of no type", change(func(src *event.Source) { src.Type = "" }), call{}, "Resource not found"},
	} {
		a := do(t, tc.w.inbound(), tc.c)
		if a.code != 404 || a.Message != tc.want || len(tc.w.mu.rejected) != 1 || tc.w.mu.rejected[0] != ReasonAuth {
			t.Errorf("%s: %d %s, rejected for %v", tc.name, a.code, a.body, tc.w.mu.rejected)
		}
	}
}

func TestMethods(t *testing.T) {
	plain, twitter := newWorld(nil), newWorld(func(src *event.Source) { src.Provider = event.ProviderTwitter })
	for _, method := range []string{"PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "GET"} {
		a := do(t, plain.inbound(), call{method: method})
		if a.code != 405 || string(a.header.Peek("Allow")) != "POST" {
			t.Errorf("%s: %d, Allow %q", method, a.code, a.header.Peek("Allow"))
		}
		if a = do(t, twitter.inbound(), call{method: method}); method != "GET" && (a.code != 405 || string(a.header.Peek("Allow")) != "GET, POST") {
			t.Errorf("%s, twitter: %d, Allow %q", method, a.code, a.header.Peek("Allow"))
		}
	}
}

func TestRefusedHeadsAndTargets(t *testing.T) {
	w := newWorld(func(src *event.Source) { src.ForwardHeaders = []string{"X-A", "X-B"} })
	for _, tc := range []struct {
		name string
		c    call
		code int
		want string
	}{
		{"encoding", call{headers: []string{"Content-Encoding", "br"}}, 415, "want no Content-Encoding, gzip or zstd"},
		{"two encodings", call{headers: []string{"Content-Encoding", "gzip, gzip"}}, 415, "want no Content-Encoding"},
		{"twice an encoding", call{headers: []string{"Content-Encoding", "gzip", "Content-Encoding", "gzip"}}, 415, "want no Content-Encoding"},
		{"query", call{target: "/ingest/" + mask + "?" + strings.Repeat("x", maxQueryBytes+1)}, 414, "query: at most"},
		{"headers", call{headers: []string{"X-A", strings.Repeat("x", 9000), "X-B", strings.Repeat("x", 9000)}}, 400, "headers: at most 16384 bytes"},
		{"control character", call{headers: []string{"X-A", "a\x01b"}}, 400, "the header X-A has a control character"},
	} {
		a := do(t, w.inbound(), tc.c)
		if a.code != tc.code || !strings.HasPrefix(a.Message, tc.want) {
			t.Errorf("%s: %d %s", tc.name, a.code, a.body)
		}
	}
	if len(w.mu.subs) > 0 {
		t.Errorf("%d submissions", len(w.mu.subs))
	}
}

func TestEngineRefuses(t *testing.T) {
	for _, tc := range []struct {
		err          error
		code         int
		after, want  string
		reason       string
		ofSubmission bool
	}{
		{&event.OverloadError{What: "queue", After: 1500 * time.Millisecond}, 503, "2", "too much work waiting", ReasonLoad, false},
		{event.ErrOverloaded, 503, "1", "too much work waiting", ReasonLoad, false},
		{event.ErrOverloaded, 503, "1", "too much work waiting", ReasonLoad, true},
		{&event.FullError{Reason: "no room", After: 10 * time.Second}, 503, "10", "no room", ReasonDisk, false},
		{event.ErrClosed, 503, "5", "server is stopping", ReasonDraining, false},
		{errors.New("disk"), 503, "1", "event could not be stored", ReasonStorage, false},
		{event.Invalid("data", "is odd"), 400, "", "data: is odd", ReasonMalformed, true},
		{&event.StateError{Reason: "the project is paused"}, 409, "", "the project is paused", ReasonConflict, true},
		{event.ErrNotFound, 404, "", "Resource not found", ReasonAuth, true},
	} {
		w := newWorld(nil)
		if tc.ofSubmission {
			w.verdict = func(sub *event.Submission) { sub.Err = tc.err }
		} else {
			w.err = tc.err
		}
		a := do(t, w.inbound(), call{})
		if a.code != tc.code || !strings.HasPrefix(a.Message, tc.want) || string(a.header.Peek("Retry-After")) != tc.after || w.mu.rejected[0] != tc.reason {
			t.Errorf("%v: %d %s, Retry-After %q, %v", tc.err, a.code, a.body, a.header.Peek("Retry-After"), w.mu.rejected)
		}
	}
}

func TestOverTheRateLimit(t *testing.T) {
	w := newWorld(nil)
	w.wait = 2500 * time.Millisecond
	a := do(t, w.inbound(), call{})
	if a.code != 429 || a.Message != "exceeded rate limit" || string(a.header.Peek("Retry-After")) != "3" || len(w.mu.subs) != 0 {
		t.Errorf("%d %s, Retry-After %q, %d submitted", a.code, a.body, a.header.Peek("Retry-After"), len(w.mu.subs))
	}
}

func TestNewWantsItsParts(t *testing.T) {
	for _, o := range []Options{{}, {Sources: newWorld(nil)}, {Engine: newWorld(nil)}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New(%+v) did not panic", o)
				}
			}()
			New(o)
		}()
	}
}

func TestAFullDiskIsKnownToMachines(t *testing.T) {
	w := newWorld(nil)
	w.err = &event.FullError{Reason: "no room"}
	a := do(t, w.inbound(), call{})
	if want := `{"status":false,"message":"no room","reason":"disk_full"}`; string(a.body) != want {
		t.Errorf("got %s", a.body)
	}
}
