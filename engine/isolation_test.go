package engine

import (
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// doneWithin checks that all deliveries to the endpoints were sent in a while.
func (w *world) doneWithin(eps []*catalog.Endpoint, each int, start time.Time, limit time.Duration) {
	w.t.Helper()
	for _, ep := range eps {
		sent := w.sender.to(ep.ID)
		if len(sent) != each {
			w.t.Fatalf("%d attempts to an endpoint, want %d; the engine holds %+v", len(sent), each, w.engine.Stats())
		}
		if took := sent[each-1].at.Sub(start); took > limit {
			w.t.Errorf("the last attempt came after %s, want at most %s", took, limit)
		}
	}
}

func (w *world) list(eps ...*catalog.Endpoint) []*catalog.Endpoint { return eps }

func TestAnEndpointThatHangsHoldsUpNobody(t *testing.T) {
	inTime(t, Options{Shards: 1}, func(t *testing.T, w *world) {
		release := make(chan struct{})
		stuck, others := w.endpoint(), w.endpoints(9)
		w.sender.set(stuck.ID, hangs(release))
		start := time.Now()
		w.post(stuck, 100)
		for _, ep := range others {
			w.post(ep, 100)
		}
		time.Sleep(time.Second)
		w.doneWithin(others, 100, start, 50*time.Millisecond)
		if n := w.sender.inFlight(stuck.ID); n != 32 {
			t.Errorf("%d attempts hang, want 32", n)
		}
		close(release)
		w.settled(time.Second)
	})
}

func TestHalfOfTheEndpointsHang(t *testing.T) {
	inTime(t, Options{Shards: 2}, func(t *testing.T, w *world) {
		release := make(chan struct{})
		eps := w.endpoints(200)
		for _, ep := range eps[:100] {
			w.sender.set(ep.ID, hangs(release))
		}
		start := time.Now()
		for i := range 100 {
			w.post(eps[i], 40)
			w.post(eps[100+i], 40)
		}
		time.Sleep(time.Second)
		w.doneWithin(eps[100:], 40, start, 150*time.Millisecond)
		if st := w.engine.Stats(); st.InFlight != 3200 || st.Workers < 3200 || st.Queued != 800 {
			t.Errorf("while they hang: %+v", st)
		}
		for _, ep := range eps[:100] {
			if n := w.sender.peakOf(ep.ID); n != 32 {
				t.Fatalf("%d attempts at once, want 32", n)
			}
		}
		close(release)
		w.settled(time.Second)
		time.Sleep(time.Second)
		if st := w.engine.Stats(); st.Workers != 0 || st.InFlight != 0 || st.Queued != 0 || st.QueuedBytes != 0 {
			t.Errorf("afterwards: %+v", st)
		}
	})
}

func TestFewWorkersSufficeWhileAttemptsAreQuick(t *testing.T) {
	inTime(t, Options{Shards: 1, Eager: 8}, func(t *testing.T, w *world) {
		for _, ep := range w.endpoints(50) {
			w.post(ep, 100)
		}
		w.settled(time.Second)
		// Not by the pool's count: a worker leaves the shard's books before the pool's.
		if n := w.sender.peakOfAll(); n > 8 {
			t.Errorf("%d workers made attempts at once, want at most 8", n)
		}
	})
}

func TestWorkersThatWereAddedGoAgain(t *testing.T) {
	inTime(t, Options{Shards: 1}, func(t *testing.T, w *world) {
		eps := w.endpoints(10)
		for _, ep := range eps {
			w.sender.set(ep.ID, slow(time.Second, answers(200)))
			w.post(ep, 64)
		}
		w.settled(time.Minute)
		if n := w.pool.peakRunning(); n < 320 {
			t.Errorf("%d workers at once, want 320", n)
		}
		time.Sleep(time.Second)
		s := w.engine.shards[0]
		s.mu.Lock()
		defer s.mu.Unlock()
		if n := s.allowed(); n != s.e.o.Eager {
			t.Errorf("%d workers are allowed when all is done", n)
		}
	})
}

func TestEndpointCap(t *testing.T) {
	inTime(t, Options{Shards: 1, EndpointCap: 3}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, slow(time.Second, answers(200)))
		w.post(ep, 30)
		start := time.Now()
		w.settled(time.Minute)
		if n := w.sender.peakOf(ep.ID); n != 3 {
			t.Errorf("%d attempts at once, want 3", n)
		}
		if took := time.Since(start); took < 10*time.Second || took > 10500*time.Millisecond {
			t.Errorf("30 attempts of a second, three at once, took %s", took)
		}
	})
}

func TestAFullPoolIsWaitedFor(t *testing.T) {
	inTime(t, Options{Shards: 3, MaxInFlight: 16, EndpointCap: 8}, func(t *testing.T, w *world) {
		release := make(chan struct{})
		eps := w.endpoints(24)
		for _, ep := range eps[:12] {
			w.sender.set(ep.ID, hangs(release))
			w.post(ep, 10)
		}
		time.Sleep(time.Second)
		if n := w.engine.Stats().InFlight; n != 16 {
			t.Errorf("%d attempts in flight, want 16", n)
		}
		for _, ep := range eps[12:] {
			w.post(ep, 10)
		}
		time.Sleep(time.Second)
		close(release)
		w.settled(time.Second)
		w.want(map[event.Status]int{event.Success: 240})
		if n := w.pool.peakRunning(); n != 16 {
			t.Errorf("%d workers at once, want 16", n)
		}
	})
}
