package engine

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"posthaste/catalog"
	"posthaste/event"
)

// queueOf is how many deliveries of an endpoint wait in memory, and whether it
// is behind.
func (w *world) queueOf(ep *catalog.Endpoint) (n int, behind bool) {
	s := w.engine.shardOf(ep.Hash())
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.endpoint(ep.ID)
	return e.queue.len(), e.behind
}

// wantInOrder checks that an endpoint got each delivery once, in order of ids.
func (w *world) wantInOrder(ep *catalog.Endpoint, n int) {
	w.t.Helper()
	sent := w.sender.to(ep.ID)
	if len(sent) != n {
		w.t.Fatalf("%d attempts, want %d", len(sent), n)
	}
	for i := 1; i < n; i++ {
		if sent[i].delivery.Compare(sent[i-1].delivery) <= 0 {
			w.t.Fatalf("attempt %d: %s after %s", i, sent[i].delivery, sent[i-1].delivery)
		}
	}
}

func TestABacklogStaysInTheLog(t *testing.T) {
	const backlog, each = 100_000, 1000
	changes := 0
	o := Options{EndpointCap: 1, QueueBytes: 256 << 10, Hooks: Hooks{Behind: func(d int) { changes += d }}}
	inTime(t, o, func(t *testing.T, w *world) {
		release := make(chan struct{})
		ep, other := w.endpoint(), w.endpoint()
		w.sender.set(ep.ID, hangs(release))
		bound := w.engine.o.QueueBytes + each*1024
		for range backlog / each {
			w.post(ep, each)
			if n, _ := w.queueOf(ep); n > w.engine.o.Window {
				t.Fatalf("%d deliveries in memory", n)
			}
			if st := w.engine.Stats(); st.QueuedBytes > bound {
				t.Fatalf("%d bytes in memory, want at most %d", st.QueuedBytes, bound)
			}
		}
		time.Sleep(2 * time.Second)
		w.post(other, 10)
		time.Sleep(2 * time.Second)
		if n := len(w.sender.to(other.ID)); n != 10 {
			t.Errorf("%d attempts to the other endpoint, want 10", n)
		}
		if st := w.engine.Stats(); st.Behind != 1 || changes != 1 {
			t.Errorf("%d endpoints are behind, %d by the hook, want 1", st.Behind, changes)
		}
		if w.store.placesBehind() != 1 {
			t.Errorf("%d places in the log, want 1", w.store.placesBehind())
		}
		close(release)
		w.settled(time.Minute)
		w.wantInOrder(ep, backlog)
		w.wantCaughtUp()
		if changes != 0 {
			t.Errorf("the hook counts %d behind", changes)
		}
	})
}

// wantCaughtUp checks that an engine without work holds nothing.
func (w *world) wantCaughtUp() {
	w.t.Helper()
	time.Sleep(3 * time.Second)
	w.must(w.store.Flush())
	if st := w.engine.Stats(); st != (Stats{}) {
		w.t.Errorf("the engine holds %+v", st)
	}
	if n := w.store.placesBehind(); n != 0 {
		w.t.Errorf("%d places in the log", n)
	}
	if n := w.engine.pace.runnable.Load(); n != 0 {
		w.t.Errorf("%d deliveries count as ready", n)
	}
}

// Deliveries come in while the backlog before them is read, in any interleaving.
func TestReadingTheLogRacesWithNewDeliveries(t *testing.T) {
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 6))
		pause := func(most time.Duration) func() time.Duration {
			return func() time.Duration { return rand.N(most + 1) }
		}
		o := Options{Shards: 1 + r.IntN(3), Window: 1 + r.IntN(12), EndpointCap: 1, QueueBytes: 1 + r.Int64N(8000), Eager: 1 + r.IntN(3)}
		inTime(t, o, func(t *testing.T, w *world) {
			w.store.delay = pause(5 * time.Millisecond)
			reading := pause(3 * time.Millisecond)
			w.store.reading = func() { time.Sleep(reading()) }
			eps := w.endpoints(3)
			w.sender.set(eps[1].ID, slow(time.Millisecond, answers(200)))
			w.sender.set(eps[2].ID, slow(5*time.Millisecond, answers(200)))
			sums := make([]int, len(eps))
			for range 40 {
				i, n := r.IntN(len(eps)), 1+r.IntN(8)
				w.post(eps[i], n)
				sums[i] += n
				time.Sleep(pause(20 * time.Millisecond)())
			}
			w.settled(time.Minute)
			for i, ep := range eps {
				w.wantInOrder(ep, sums[i])
			}
			w.wantCaughtUp()
			if t.Failed() {
				t.Logf("seed %d", seed)
			}
		})
		if t.Failed() {
			return
		}
	}
}

// One delivery of a request that waits must not keep the others' memory.
func TestADeliveryThatWaitsKeepsOnlyItsOwnEvent(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		release := make(chan struct{})
		stuck, other := w.endpoint(owner("ann")), w.endpoint(owner("ann"))
		w.subscribe(stuck, "*")
		w.subscribe(other, "*")
		w.sender.set(stuck.ID, hangs(release))
		w.post(stuck, 64)
		first := w.postGone(other, stuck)
		w.submit([]event.Submission{w.fanout("ann", "paid")})
		time.Sleep(time.Second)
		runtime.GC()
		runtime.GC()
		if first.Value() != nil {
			t.Error("an event that was delivered is still in memory")
		}
		s := w.engine.shardOf(stuck.Hash())
		s.mu.Lock()
		for i := range s.endpoint(stuck.ID).queue.len() {
			if j := s.endpoint(stuck.ID).queue.at(i); len(j.ev.Owed) > 0 {
				t.Errorf("job %d keeps all deliveries of its event", i)
			}
		}
		s.mu.Unlock()
		close(release)
		w.settled(time.Second)
		w.wantCaughtUp()
	})
}

// postGone posts one event to each of two endpoints in one request, and returns
// a weak pointer to the first one's data.
func (w *world) postGone(a, b *catalog.Endpoint) weak.Pointer[[4096]byte] {
	data := new([4096]byte)
	subs := []event.Submission{w.single(a, ""), w.single(b, `{}`)}
	subs[0].Event.Data = data[:]
	w.submit(subs)
	return weak.Make(data)
}

// An event of a fan-out stays in memory whole until its last delivery is gone.
func TestAFanOutWeighsItsFullSizeUntilTheLastDelivery(t *testing.T) {
	inTime(t, Options{Shards: 1}, func(t *testing.T, w *world) {
		release := make(chan struct{})
		for i := range 100 {
			ep := w.endpoint(owner("ann"))
			w.subscribe(ep, "*")
			if i == 0 {
				w.sender.set(ep.ID, hangs(release))
			}
		}
		for range 40 {
			s := w.fanout("ann", "paid")
			s.Event.Data = make([]byte, 10_000)
			w.submit([]event.Submission{s})
		}
		time.Sleep(time.Second)
		if st := w.engine.Stats(); st.Queued != 8 || st.QueuedBytes < 80_000 {
			t.Errorf("%+v", st)
		}
		close(release)
		w.settled(time.Second)
		w.wantCaughtUp()
	})
}

// A queue can be longer than its window, by jobs that were put back. There is no
// room then, and not less than none, which the log would take for any number.
func TestAnOverfullQueueReadsNothing(t *testing.T) {
	inTime(t, Options{Window: 4}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		s := w.engine.shardOf(ep.Hash())
		s.mu.Lock()
		e := s.endpoint(ep.ID)
		s.wheel.Add(&e.token, time.Now().Add(time.Hour)) // nothing is sent
		for range 6 {
			s.push(e, job{})
		}
		e.reading, e.behind, e.next = true, true, uint64(time.Now().UnixMilli())
		s.mu.Unlock()
		(&reading{s: s}).read(e)
		if w.store.timesRead() != 0 {
			t.Errorf("%d reads without room", w.store.timesRead())
		}
		s.mu.Lock()
		for e.queue.len() > 0 {
			j := e.queue.popFront()
			s.unweigh(e, &j)
		}
		e.behind, e.next = false, 0
		s.mu.Unlock()
	})
}

func TestALogThatCannotBeReadIsAskedOnceInAWhile(t *testing.T) {
	for _, op := range []string{"owed", "timers"} {
		inTime(t, Options{Window: 4, EndpointCap: 1}, func(t *testing.T, w *world) {
			start, calls := time.Now(), 0
			w.store.broken = func(o string) error {
				if o != op || time.Since(start) > 30*time.Second {
					return nil
				}
				calls++
				return errors.New("the disk is tired")
			}
			ep := w.endpoint()
			w.sender.set(ep.ID, slow(100*time.Millisecond, failsFirst(1)))
			for range 50 {
				w.post(ep, 1)
			}
			for range 100 {
				time.Sleep(50 * time.Millisecond)
				w.post(ep, 1)
			}
			w.settled(5 * time.Minute)
			w.want(map[event.Status]int{event.Success: 150})
			if calls < 5 || calls > 40 {
				t.Errorf("%s: asked %d times in 30 s, want about 30", op, calls)
			}
		})
	}
}

// Many endpoints have to be read after a restart. Rate tokens and retries of
// others come in time all the same.
func TestReadingManyEndpointsDoesNotStopTheWheel(t *testing.T) {
	inTime(t, Options{Shards: 1}, func(t *testing.T, w *world) {
		eps := w.endpoints(1000)
		for _, ep := range eps {
			w.sender.set(ep.ID, hangs(nil))
			w.post(ep, 2)
		}
		w.crash(rand.New(rand.NewPCG(1, 1)), func() {
			w.store.reading = func() { time.Sleep(5 * time.Millisecond) }
		})
		limited := w.endpoint(rate(10, 1))
		w.post(limited, 25)
		time.Sleep(4 * time.Second)
		sent := w.sender.to(limited.ID)
		if len(sent) != 25 {
			t.Errorf("%d attempts in 4 s, want 25", len(sent))
		}
		for i := 1; i < len(sent); i++ {
			if gap := sent[i].at.Sub(sent[i-1].at); gap > 500*time.Millisecond {
				t.Errorf("%s between two attempts, want a tenth of a second", gap)
			}
		}
		w.settled(time.Minute)
	})
}

func TestEndpointsWithNothingToDoAreForgotten(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		for _, ep := range w.endpoints(20) {
			w.post(ep, 1)
		}
		limited := w.endpoint(rate(1, 10))
		w.post(limited, 2)
		failing := w.endpoint()
		w.sender.set(failing.ID, failsFirst(1))
		w.post(failing, 1)
		time.Sleep(3 * time.Second)
		if n := w.engine.Stats().Endpoints; n != 2 {
			t.Errorf("%d endpoints in memory, want 2", n)
		}
		time.Sleep(30 * time.Second)
		w.wantCaughtUp()
	})
}

func TestAnIdleEngineWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		w.start(nil)
		w.post(w.endpoint(), 1)
		time.Sleep(10 * time.Second)
		before := w.store.marks()
		time.Sleep(time.Minute)
		if n := w.store.marks() - before; n > 0 {
			t.Errorf("%d marks in an idle minute", n)
		}
		w.stop()
	})
}

func TestAnEventThatCannotBeReadForNowCostsNoAttempt(t *testing.T) {
	inTime(t, Options{QueueBytes: 1}, func(t *testing.T, w *world) {
		start := time.Now()
		var refused atomic.Int64
		w.store.broken = func(op string) error {
			if op != "event" || time.Since(start) > 5*time.Minute {
				return nil
			}
			refused.Add(1)
			return errors.New("the disk is tired")
		}
		ep := w.endpoint()
		w.sender.set(ep.ID, failsFirst(1)) // the retry reads the event from the log
		w.post(ep, 1)
		w.settled(time.Hour)
		w.want(map[event.Status]int{event.Success: 1})
		if n := len(w.sender.to(ep.ID)); n != 2 || refused.Load() == 0 {
			t.Errorf("%d attempts and %d refused reads, want 2 and some", n, refused.Load())
		}
	})
}
