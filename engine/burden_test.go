package engine

import (
	"os"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// TestOneEndpointGetsNearlyAllEvents: an endpoint that is slow, and gets 99 of 100 events,
// keeps no event of the others waiting, and what it is owed waits in the log.
func TestOneEndpointGetsNearlyAllEvents(t *testing.T) {
	const rounds, each = 25, 990
	o := Options{Shards: 1, QueueBytes: 256 << 10, MarkEvery: 10 * time.Second}
	inTime(t, o, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, slow(time.Second, answers(200)))
		calm := w.neighbours(10, 10*time.Millisecond)
		bound := w.engine.o.QueueBytes + each*1024
		for range rounds {
			w.post(ep, each)
			time.Sleep(100 * time.Millisecond)
			if n, _ := w.queueOf(ep); n > w.engine.o.Window {
				t.Fatalf("%d of its deliveries in memory", n)
			}
			if st := w.engine.Stats(); st.QueuedBytes > bound {
				t.Fatalf("%d bytes in memory, want at most %d", st.QueuedBytes, bound)
			}
		}
		if st := w.engine.Stats(); st.Behind != 1 {
			t.Errorf("%d endpoints are behind, want 1", st.Behind)
		}
		time.Sleep(10 * time.Second)
		calm.wantUnaffected()
		if n := w.sender.peakOf(ep.ID); n != w.engine.o.EndpointCap {
			t.Errorf("%d attempts at once to it, want %d", n, w.engine.o.EndpointCap)
		}
		w.settled(5 * time.Hour)
		w.want(map[event.Status]int{event.Success: rounds*each + len(calm.posted)})
		time.Sleep(10 * time.Second) // for a mark
		w.wantCaughtUp()
	})
}

// TestAnEndpointThatTakesHalfAMinute for each attempt fills its own slots, and nobody
// else waits for it.
func TestAnEndpointThatTakesHalfAMinute(t *testing.T) {
	inTime(t, Options{Shards: 1, MarkEvery: 10 * time.Second}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, slow(30*time.Second, answers(200)))
		calm := w.neighbours(10, 50*time.Millisecond)
		for range 200 {
			w.post(ep, 5)
			time.Sleep(time.Second)
		}
		if n := w.sender.inFlight(ep.ID); n != w.engine.o.EndpointCap {
			t.Errorf("%d attempts on their way to it, want %d", n, w.engine.o.EndpointCap)
		}
		calm.wantUnaffected()
		w.settled(3 * time.Hour)
		time.Sleep(10 * time.Second) // for a mark
		w.wantCaughtUp()
	})
}

// TestMoreSlowEndpointsThanWorkers: endpoints that take half a minute for each attempt, and
// could have every worker there is three times, get three quarters of them once it is
// known how slow they are, take turns in them, and leave the rest to others.
func TestMoreSlowEndpointsThanWorkers(t *testing.T) {
	const n, workers, each = 100, 256, 40
	inTime(t, Options{Shards: 2, MaxInFlight: workers, EndpointCap: 8, MarkEvery: 10 * time.Second}, func(t *testing.T, w *world) {
		var flying gauge
		var eps []*catalog.Endpoint
		for _, s := range w.engine.shards {
			eps = append(eps, w.endpointsOf(s, n/len(w.engine.shards))...)
		}
		for _, ep := range eps {
			w.sender.set(ep.ID, flying.during(slow(30*time.Second, answers(200))))
			w.post(ep, each)
		}
		time.Sleep(2 * time.Minute) // all have had attempts, and these have ended
		calm := w.neighbours(10, 10*time.Millisecond)
		flying.reset()
		time.Sleep(5 * time.Minute)
		calm.wantUnaffected()
		if most, want := flying.reset(), workers*3/4; most != want {
			t.Errorf("%d attempts at once to those that are slow, want %d", most, want)
		}
		least, most := n*each, 0
		for _, ep := range eps {
			got := len(w.sender.to(ep.ID))
			least, most = min(least, got), max(most, got)
		}
		if least == 0 || most-least > 2*w.engine.o.EndpointCap {
			t.Errorf("one got %d attempts and another %d", least, most)
		}
		w.settled(time.Hour)
		time.Sleep(10 * time.Second) // for a mark
		w.wantCaughtUp()
	})
}

// TestAPoisonDeliveryEndsAlone: a delivery that makes whoever handles it panic ends as
// a failure with a reason, and the others to its endpoint do not feel it.
func TestAPoisonDeliveryEndsAlone(t *testing.T) {
	const n = 40
	for name, c := range map[string]struct {
		poison func(w *world, ep *catalog.Endpoint)
		reason string // of the delivery, or of its last attempt
	}{
		"in the sending": {func(w *world, ep *catalog.Endpoint) {
			w.sender.set(ep.ID, func(c *call) {
				if string(c.ev.Data) == `{"n":7}` {
					panic("poison")
				}
				answers(200)(c)
			})
		}, "poison"},
		"beside the sending": {func(w *world, _ *catalog.Endpoint) {
			w.store.settling = func(s *event.Settlement) {
				if s.Attempt != nil && w.store.data(s.Delivery.ID) == `{"n":7}` {
					panic("poison")
				}
			}
		}, "again and again"},
	} {
		t.Run(name, func(t *testing.T) {
			inTime(t, Options{Shards: 1}, func(t *testing.T, w *world) {
				ep := w.endpoint()
				c.poison(w, ep)
				calm := w.neighbours(5, 10*time.Millisecond)
				w.post(ep, n)
				time.Sleep(time.Minute)
				calm.wantUnaffected()
				w.settled(time.Second)
				w.want(map[event.Status]int{event.Success: n - 1 + len(calm.posted), event.Failure: 1})
				d := w.store.delivery(w.posted[7])
				said := strings.Join(w.store.errorsOf(d.ID), " ")
				if d.Status != event.Failure || !strings.Contains(d.Reason+said, c.reason) {
					t.Errorf("the poison is %s because %q, its attempts say %q", d.Status, d.Reason, said)
				}
				if tries := w.attempts(d.ID); tries < 3 || tries > mostPanics {
					t.Errorf("it was tried %d times", tries)
				}
				w.wantCaughtUp()
			})
		})
	}
}

// What is delivered at most once is not sent again because a worker panicked behind it.
func TestAPanicDoesNotSendTwiceWhatIsSentOnce(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		id := w.onceEndpoint()
		w.store.settling = func(s *event.Settlement) {
			if s.Attempt != nil {
				panic("poison")
			}
		}
		w.post(w.catalog.Snapshot().Endpoint(id), 5)
		time.Sleep(time.Hour)
		for _, d := range w.posted {
			if got := w.store.delivery(d); w.attempts(d) != 1 || got.Status != event.Failure || got.Reason != writtenOff {
				t.Errorf("%d attempts of %+v", w.attempts(d), got)
			}
		}
		time.Sleep(10 * time.Second) // for a mark
		w.wantCaughtUp()
	})
}

// TestWithdrawingAnEndpointCostsNothing: to pause an endpoint to which very much is owed
// is one write of the catalog; while it is paused nothing of it is read, written or kept
// in memory. What is owed to one that is deleted is ended by workers as they come by,
// window by window, and nobody else waits for that.
func TestWithdrawingAnEndpointCostsNothing(t *testing.T) {
	owed := 100_000
	if os.Getenv("SOAK") != "" {
		owed = 1_000_000
	}
	o := Options{Shards: 1, QueueBytes: 1 << 20, MarkEvery: 10 * time.Second}
	inTime(t, o, func(t *testing.T, w *world) {
		ep := w.endpoint(rate(1, 10))
		for range owed / 1000 {
			w.post(ep, 1000)
		}
		time.Sleep(time.Minute)
		calm := w.neighbours(5, 10*time.Millisecond)
		sent, reads := len(w.sender.to(ep.ID)), w.store.timesRead()
		w.setStatus(ep, event.EndpointPaused)
		time.Sleep(time.Minute)
		if n := w.store.timesRead() - reads; n > 1 {
			t.Errorf("%d reads of the log for an endpoint that is paused", n)
		}
		if n, _ := w.queueOf(ep); n != 0 {
			t.Errorf("%d deliveries of an endpoint that is paused in memory", n)
		}
		if n := w.store.counts()[event.Discarded]; n != 0 {
			t.Errorf("%d were discarded", n)
		}

		w.must(w.catalog.DeleteEndpoint(ep.ProjectID, ep.ID))
		for w.store.counts()[event.Discarded] < owed-sent {
			if st := w.engine.Stats(); st.Queued > w.engine.o.Window+w.engine.o.EndpointCap {
				t.Fatalf("%d deliveries in memory", st.Queued)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		calm.wantUnaffected()
		if n := len(w.sender.to(ep.ID)); n != sent {
			t.Errorf("%d attempts after it was paused", n-sent)
		}
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Discarded: owed - sent, event.Success: sent + len(calm.posted)})
		time.Sleep(10 * time.Second) // for a mark
		w.wantCaughtUp()
	})
}
