package ingest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
	"posthaste/ratelimit"
)

func (w *world) limited(l Limits) *Ingest {
	return New(Options{Engine: w, Auth: w, Projects: w, MaxRequestBytes: 1 << 20, Limits: l,
		Metrics: Metrics{Rejected: func(reason string) { w.mu.rejected = append(w.mu.rejected, reason) }}})
}

// shown is what an answer says of the limit: burst, remaining, seconds from the
// begun one until full, seconds until it may be tried again; "" for none.
func shown(t *testing.T, a answered) string {
	t.Helper()
	var all []string
	for _, name := range []string{"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"} {
		value := string(a.header.Peek(name))
		if name == "X-RateLimit-Reset" && value != "" {
			at, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			value = strconv.FormatInt(at-time.Now().Unix(), 10)
		}
		all = append(all, value)
	}
	return strings.TrimSpace(strings.Join(all, " "))
}

func batchOf(n int) call {
	return call{path: "/events/batch", media: "application/x-ndjson", body: strings.Repeat(single("")+"\n", n)}
}

func TestLimits(t *testing.T) {
	tenASecond := ratelimit.PerDuration(10, time.Second, 10)
	type step struct {
		after time.Duration
		c     call
		code  int
		shown string
	}
	one := call{body: single("")}
	for name, tc := range map[string]struct {
		l     Limits
		steps []step
	}{
		"none": {Limits{}, []step{{0, one, 201, ""}, {0, batchOf(1000), 201, ""}}},
		"of the project": {Limits{Project: tenASecond}, []step{
			{0, one, 201, "10 9 1"}, {0, batchOf(8), 201, "10 1 1"}, {0, batchOf(2), 429, "10 1 1 1"}, {0, one, 201, "10 0 1"},
			{0, one, 429, "10 0 1 1"}, {100 * time.Millisecond, one, 201, "10 0 2"}, {10 * time.Second, one, 201, "10 9 1"},
		}},
		"of the instance": {Limits{Instance: tenASecond}, []step{
			{0, batchOf(10), 201, "10 0 1"}, {0, one, 429, "10 0 1 1"},
			{0, call{key: instanceKey, target: "/api/v1/projects/" + foreign.String() + "/events", body: single("")}, 429, "10 0 1 1"},
		}},
		"of each project": {Limits{Project: tenASecond}, []step{
			{0, batchOf(10), 201, "10 0 1"},
			{0, call{key: instanceKey, target: "/api/v1/projects/" + foreign.String() + "/events", body: single("")}, 201, "10 9 1"},
		}},
		"the tighter is shown": {Limits{Instance: tenASecond, Project: ratelimit.PerDuration(12, time.Minute, 12)}, []step{
			{0, one, 201, "10 9 1"}, {0, batchOf(8), 201, "10 1 1"}, {time.Second, one, 201, "12 2 49"}, {0, batchOf(3), 429, "12 2 49 4"},
		}},
		"refused by the instance": {Limits{Instance: ratelimit.PerDuration(2, time.Minute, 2), Project: tenASecond}, []step{
			{0, batchOf(2), 201, "2 0 60"}, {0, batchOf(2), 429, "2 0 60 60"}, {0, call{body: "{"}, 400, "2 0 60"},
			{time.Minute, one, 201, "2 1 30"},
		}},
		"a large batch": {Limits{Project: tenASecond}, []step{
			{0, batchOf(40), 201, "10 0 4"}, {0, one, 429, "10 0 4 4"}, {3 * time.Second, one, 429, "10 0 1 1"}, {100 * time.Millisecond, one, 201, "10 0 2"},
			{0, batchOf(11), 429, "10 0 2 1"}, {time.Second, batchOf(11), 201, "10 0 2"},
		}},
		"what counts": {Limits{Project: tenASecond}, []step{
			{0, call{body: "{"}, 400, "10 10 0"}, {0, call{media: "text/plain"}, 415, "10 10 0"}, {0, call{key: "bad"}, 401, ""},
			{0, call{key: readKey}, 403, ""}, {0, call{path: "/events/batch", body: "[{},{}]"}, 400, "10 10 0"},
			{0, call{path: "/events/batch", body: "[{}," + single("") + "]"}, 201, "10 9 1"},
			{0, call{body: single(`,"idempotency_key":"again"`)}, 201, "10 8 1"},
			{0, call{path: "/events/broadcast", body: `{"event_type":"x","data":1}`}, 201, "10 7 1"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{}
				in := w.limited(tc.l)
				refused := 0
				for i, s := range tc.steps {
					time.Sleep(s.after)
					w.mu.calls = 0
					a := do(t, in, s.c)
					if a.code != s.code || shown(t, a) != s.shown {
						t.Fatalf("step %d: %d %.80s, %q, want %d, %q", i, a.code, a.body, shown(t, a), s.code, s.shown)
					}
					if s.code == 429 {
						refused++
						if a.Message != "exceeded rate limit" || w.mu.calls != 0 || w.mu.rejected[len(w.mu.rejected)-1] != ReasonRate {
							t.Errorf("step %d: %s, reasons %v, %d calls of the engine", i, a.body, w.mu.rejected, w.mu.calls)
						}
					}
				}
				if n := len(slices.DeleteFunc(w.mu.rejected, func(r string) bool { return r != ReasonRate })); n != refused {
					t.Errorf("%d counted as over the rate, want %d", n, refused)
				}
			})
		})
	}
}

func TestLimitOfAProjectsOwn(t *testing.T) {
	own := ratelimit.PerDuration(3, time.Minute, 3)
	in := new(world).limited(Limits{Project: ratelimit.PerDuration(10, time.Minute, 10), OfProject: func(id event.ID) (ratelimit.Limit, bool) {
		return map[event.ID]ratelimit.Limit{project: own}[id], id != foreign
	}})
	for target, want := range map[string]string{project.String(): "3", foreign.String(): "10"} {
		a := do(t, in, call{key: instanceKey, target: "/api/v1/projects/" + target + "/events", body: single("")})
		if got := string(a.header.Peek("X-RateLimit-Limit")); got != want {
			t.Errorf("limit %q, want %q", got, want)
		}
	}
	own = ratelimit.Limit{}
	for range 20 {
		if a := do(t, in, call{body: single("")}); a.code != 201 || len(a.header.Peek("X-RateLimit-Limit")) != 0 {
			t.Fatalf("without a limit: %d %s", a.code, a.header)
		}
	}
}

// What the engine takes nothing of costs nothing; what it refuses does.
func TestTokensComeBack(t *testing.T) {
	w := &world{err: event.ErrOverloaded}
	in := w.limited(Limits{Instance: ratelimit.PerDuration(10, time.Hour, 10), Project: ratelimit.PerDuration(10, time.Hour, 10)})
	for range 30 {
		if a := do(t, in, call{body: single("")}); a.code != 503 {
			t.Fatalf("%d %s", a.code, a.body)
		}
	}
	w.err, w.verdict = nil, func(*event.Submission) error { return event.ErrNotFound }
	for range 10 {
		if a := do(t, in, call{body: single("")}); a.code != 400 {
			t.Fatalf("%d %s", a.code, a.body)
		}
	}
	if a := do(t, in, call{body: single("")}); a.code != 429 {
		t.Errorf("%d %s", a.code, a.body)
	}
}

func TestProjectsRememberedAreBounded(t *testing.T) {
	l := newLimiter(Limits{Project: ratelimit.PerDuration(1, time.Hour, 1), MaxProjects: 64})
	for range 10_000 {
		l.take(event.NewID(), 1)
	}
	if n := l.projects.Len(); n > 64 {
		t.Errorf("%d projects are remembered", n)
	}
}

func TestLimitsCostNoAllocations(t *testing.T) {
	for name, l := range map[string]Limits{
		"none": {},
		"both": {Instance: ratelimit.PerDuration(1e9, time.Second, 1e9), OfProject: func(event.ID) (ratelimit.Limit, bool) {
			return ratelimit.PerDuration(1e9, time.Second, 1e9), true
		}},
	} {
		in := New(Options{Engine: nothing{}, Auth: (*world)(nil), Projects: (*world)(nil), Limits: l})
		ctx := newCtx(call{body: kibibyte(), headers: []string{"X-Request-Id", "abc", "X-Convoy-Version", "2024-01-01"}})
		allocs := testing.AllocsPerRun(200, func() {
			if ctx.Response.Reset(); !in.Handle(ctx) || ctx.Response.StatusCode() != fasthttp.StatusCreated {
				t.Fatalf("%s", ctx.Response.Body())
			}
		})
		if allocs > 2 && !raceEnabled {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func BenchmarkSingleLimited(b *testing.B) {
	limit := ratelimit.PerDuration(1e9, time.Second, 1e9)
	for _, tc := range []struct {
		name string
		l    Limits
	}{{"none", Limits{}}, {"instance", Limits{Instance: limit}}, {"both", Limits{Instance: limit, Project: limit}}} {
		b.Run(fmt.Sprintf("limit=%s", tc.name), func(b *testing.B) {
			in, ctx := New(Options{Engine: nothing{}, Auth: (*world)(nil), Projects: (*world)(nil), Limits: tc.l}), newCtx(call{body: kibibyte()})
			b.ReportAllocs()
			for b.Loop() {
				if ctx.Response.Reset(); !in.Handle(ctx) || ctx.Response.StatusCode() != fasthttp.StatusCreated {
					b.Fatalf("%s", ctx.Response.Body())
				}
			}
		})
	}
}
