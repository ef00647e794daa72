package engine

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

func TestAPanicIsAnAttemptThatFailed(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep, other := w.endpoint(), w.endpoint()
		w.sender.set(ep.ID, panics)
		w.post(ep, 20)
		w.post(other, 20)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Failure: 20, event.Success: 20})
		for _, s := range w.sender.to(ep.ID) {
			errs := w.store.errorsOf(s.delivery)
			if len(errs) != 3 || !strings.Contains(errs[0], "no such luck") {
				t.Fatalf("errors %q", errs)
			}
		}
		w.wantCaughtUp()
	})
}

func TestALocalFailureIsNoAttempt(t *testing.T) {
	inTime(t, Options{EndpointCap: 4}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, failsLocally)
		w.post(ep, 10)
		time.Sleep(9500 * time.Millisecond)
		if n := w.sender.total(); n < 10 || n > 60 {
			t.Errorf("%d attempts in ten seconds, want one or a few each second", n)
		}
		w.want(map[event.Status]int{event.Scheduled: 10})
		w.sender.set(ep.ID, failsFirst(1))
		w.settled(time.Minute)
		for _, id := range w.posted {
			if d := w.store.delivery(id); d.Attempts != 2 || d.Status != event.Success {
				t.Fatalf("%+v", d)
			}
		}
		w.wantCaughtUp()
	})
}

func TestAnEventThatCannotBeReadBackFails(t *testing.T) {
	inTime(t, Options{Window: 1}, func(t *testing.T, w *world) {
		w.store.broken = func(op string) error {
			if op == "event" {
				return event.ErrNotFound
			}
			return nil
		}
		ep := w.endpoint()
		w.post(ep, 10)
		w.settled(time.Minute)
		if n := w.store.counts()[event.Failure]; n == 0 {
			t.Error("no failure")
		}
		w.wantCaughtUp()
	})
}

// An endpoint is deleted or disabled, or its project deleted, while deliveries
// wait: in memory for a rate token, in the log behind them, for a retry.
func TestDeliveriesThatWaitAreDiscarded(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		change       func(w *world, ep *catalog.Endpoint) error
	}{
		{"delete", "deleted", func(w *world, ep *catalog.Endpoint) error {
			return w.catalog.DeleteEndpoint(ep.ProjectID, ep.ID)
		}},
		{"delete project", "deleted", func(w *world, ep *catalog.Endpoint) error {
			return w.catalog.DeleteProject(ep.ProjectID)
		}},
		{"disable", "inactive", func(w *world, ep *catalog.Endpoint) error {
			w.setStatus(ep, event.EndpointInactive)
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var terminal atomic.Int64
			count := Hooks{Terminal: func(string, time.Duration) { terminal.Add(1) }}
			inTime(t, Options{Shards: 1, Window: 8, Hooks: count, MaxInFlight: 1}, func(t *testing.T, w *world) {
				limited, failing := w.endpoint(rate(1, 60)), w.endpoint()
				w.sender.set(failing.ID, answers(500))
				w.post(limited, 30)
				w.post(failing, 30)
				time.Sleep(time.Second)
				w.must(c.change(w, limited))
				if c.name != "delete project" {
					w.must(c.change(w, failing))
				}
				w.settled(time.Minute)
				w.want(map[event.Status]int{event.Success: 1, event.Discarded: 59})
				for _, id := range w.posted {
					d := w.store.delivery(id)
					if d.Status == event.Discarded && (!strings.Contains(d.Reason, c.reason) || !d.Due.IsZero()) {
						t.Fatalf("%+v", d)
					}
				}
				if n := w.sender.total(); n != 31 {
					t.Errorf("%d attempts, want 31", n)
				}
				if n := terminal.Load(); n != 60 {
					t.Errorf("%d ends by the hook, want 60", n)
				}
				time.Sleep(2 * time.Minute) // a rate is remembered
				w.wantCaughtUp()
			})
		})
	}
}

func TestHooksHearOfEachAttempt(t *testing.T) {
	results := make(map[string]int)
	hooks := Hooks{Attempted: func(result string, _ time.Duration) { results[result]++ }}
	inTime(t, Options{Hooks: hooks, MaxInFlight: 1}, func(t *testing.T, w *world) {
		for _, b := range []behaviour{answers(200), answers(404), answers(999), func(c *call) { c.a.Class = event.ClassDNS }} {
			ep := w.endpoint()
			w.sender.set(ep.ID, b)
			w.post(ep, 1)
		}
		w.settled(time.Minute)
	})
	if results["2xx"] != 1 || results["4xx"] != 3 || results["5xx"] != 3 || results["dns"] != 3 || len(results) != 4 {
		t.Errorf("results %v", results)
	}
}
