package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// partitionOf is where an endpoint belongs.
func (w *world) partitionOf(ep *catalog.Endpoint) uint16 {
	return event.Partition(ep.Hash(), w.store.Partitions())
}

// apart are two endpoints of different partitions, and these.
func (w *world) apart() (a, b *catalog.Endpoint, p, q uint16) {
	w.t.Helper()
	a = w.endpoint()
	for p = w.partitionOf(a); b == nil || q == p; q = w.partitionOf(b) {
		b = w.endpoint()
	}
	return a, b, p, q
}

func (w *world) release(partitions ...uint16) {
	w.t.Helper()
	w.must(w.engine.Release(w.t.Context(), partitions...))
}

func (w *world) take(partitions ...uint16) {
	w.t.Helper()
	w.must(w.engine.Take(w.t.Context(), partitions...))
}

// wantNothingOf checks that the engine has no state of a partition.
func (w *world) wantNothingOf(p uint16) {
	w.t.Helper()
	s := w.engine.shardWith(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	of := func(hash uint32) bool { return event.Partition(hash, w.engine.partitions) == p }
	for id := range s.endpoints {
		if of(event.EndpointHash(id)) {
			w.t.Errorf("the shard has a state of %s", id)
		}
	}
	for id := range s.ill {
		if of(event.EndpointHash(id)) {
			w.t.Errorf("the shard has a history of %s", id)
		}
	}
	for id := range s.keep.byID {
		if of(event.DeliveryEndpointHash(id)) {
			w.t.Errorf("the shard keeps the event of %s", id)
		}
	}
	for _, ep := range s.active {
		if of(event.EndpointHash(ep.id)) {
			w.t.Errorf("the next mark looks at %s", ep.id)
		}
	}
}

func TestReleaseWaitsForAttemptsInFlight(t *testing.T) {
	inTime(t, Options{EndpointCap: 4, MarkEvery: time.Hour}, func(t *testing.T, w *world) {
		leaving, staying, p, _ := w.apart()
		w.sender.set(leaving.ID, slow(5*time.Second, answers(200)))
		w.post(leaving, 10)
		w.post(staying, 10)
		time.Sleep(time.Second)
		start := time.Now()
		w.release(p)
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("Release took %s", took)
		}
		if n := w.sender.inFlight(leaving.ID); n != 0 {
			t.Errorf("%d attempts are on their way", n)
		}
		// What has ended is in the log, and nothing else was begun.
		w.want(map[event.Status]int{event.Success: 14, event.Scheduled: 6})
		w.wantNothingOf(p)
		if st := w.engine.Stats(); st.QueuedBytes != 0 || st.Queued != 0 || st.InFlight != 0 || st.Behind != 0 {
			t.Errorf("the books: %+v", st)
		}
		time.Sleep(time.Minute)
		w.want(map[event.Status]int{event.Success: 14, event.Scheduled: 6})
		w.take(p)
		w.settled(time.Minute)
		for _, id := range w.posted {
			if n := w.attempts(id); n != 1 {
				t.Errorf("%d attempts of %s", n, id)
			}
		}
	})
}

func TestReleaseCancelsWhenItsTimeIsOver(t *testing.T) {
	inTime(t, Options{Shards: 3, EndpointCap: 8}, func(t *testing.T, w *world) {
		leaving, staying, p, _ := w.apart()
		done := make(chan struct{})
		w.sender.set(leaving.ID, hangs(nil))
		w.sender.set(staying.ID, hangs(done))
		w.post(leaving, 100)
		w.post(staying, 8)
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		w.must(w.engine.Release(ctx, p))
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("Release took %s", took)
		}
		if n := w.sender.inFlight(staying.ID); n != 8 {
			t.Errorf("%d attempts to the other endpoint are on their way, want 8", n)
		}
		w.want(map[event.Status]int{event.Scheduled: 108})
		w.wantNothingOf(p)
		close(done)
		w.sender.set(leaving.ID, answers(200))
		w.take(p)
		w.settled(time.Minute)
		for _, id := range w.posted {
			if d := w.store.delivery(id); d.Attempts != 1 || d.Status != event.Success {
				t.Fatalf("a cancelled attempt was counted: %+v", d)
			}
		}
	})
}

// What is committed while attempts in flight end is behind the place already.
func TestWhatIsCommittedWhileAttemptsEnd(t *testing.T) {
	inTime(t, Options{MarkEvery: time.Hour}, func(t *testing.T, w *world) {
		leaving, staying, p, _ := w.apart()
		w.sender.set(leaving.ID, slow(5*time.Second, answers(200)))
		w.post(leaving, 1)
		time.Sleep(time.Second)
		var done sync.WaitGroup
		done.Go(func() { w.release(p) })
		time.Sleep(time.Second)
		w.post(leaving, 3)
		time.Sleep(time.Second)
		w.post(staying, 1)
		done.Wait()
		w.take(p)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 5})
	})
}

// While attempts in flight end, nothing is read for the partition's other endpoints: a
// reading that goes on after them would bring back what is being forgotten.
func TestNothingIsReadForWhatIsGivenUp(t *testing.T) {
	inTime(t, Options{MarkEvery: time.Hour}, func(t *testing.T, w *world) {
		busy := w.endpoint()
		p := w.partitionOf(busy)
		failing := w.endpoint()
		for w.partitionOf(failing) != p {
			failing = w.endpoint()
		}
		w.store.reading = func() { time.Sleep(2 * time.Second) }
		w.sender.set(failing.ID, failsFirst(1))
		w.post(failing, 5) // comes again after 10 s
		time.Sleep(6 * time.Second)
		w.sender.set(busy.ID, slow(5*time.Second, answers(200)))
		w.post(busy, 1)
		time.Sleep(time.Second)
		reads := w.store.timesRead()
		w.release(p)
		time.Sleep(2 * time.Second)
		if n := w.store.timesRead(); n != reads {
			t.Errorf("%d readings for what was given up", n-reads)
		}
		w.wantNothingOf(p)
		w.take(p)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 6})
	})
}

// A Release whose time is over before it begins cancels at once.
func TestReleaseWithoutTime(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, hangs(nil))
		w.post(ep, 10)
		time.Sleep(time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.must(w.engine.Release(ctx, w.partitionOf(ep)))
		w.want(map[event.Status]int{event.Scheduled: 10})
		w.sender.set(ep.ID, answers(200))
		w.take(w.partitionOf(ep))
		w.settled(time.Minute)
	})
}

// Who takes a partition finds it where it was given up, although no other mark was
// ever written: what was attempted is not read again, and what is known of its
// endpoints' health is known there too.
func TestReleaseLeavesThePlace(t *testing.T) {
	inTime(t, Options{EndpointCap: 1, Window: 4, MarkEvery: time.Hour}, func(t *testing.T, w *world) {
		ep, other, p, q := w.apart()
		w.sender.set(ep.ID, failsFirst(1))
		w.post(ep, 50)
		w.post(other, 1)
		time.Sleep(time.Second)
		w.sender.set(ep.ID, slow(time.Second, answers(503)))
		w.post(ep, 50)
		time.Sleep(1500 * time.Millisecond)
		now := uint64(time.Now().UnixMilli())
		w.release(p)
		w.store.mu.Lock()
		place, after, health := w.store.state.own[p], w.store.state.behind[ep.ID], w.store.state.health[ep.ID]
		_, theirs := w.store.state.own[q]
		w.store.mu.Unlock()
		switch {
		case place == 0 || place > now || theirs:
			t.Errorf("the place is %d, at %d; the other partition has one: %t", place, now, theirs)
		case health.Failures < 51:
			t.Errorf("%d failures are remembered, want more than 50", health.Failures)
		}
		// Two of the second fifty were tried, and the next wait from here on.
		if want := event.Before(w.posted[53]); after != want {
			t.Errorf("the place of the endpoint is %s, want %s", after, want)
		}
		w.crash(rand.New(rand.NewPCG(1, 1)), func() { w.sender.set(ep.ID, slow(time.Second, answers(200))) })
		if _, failures := w.engine.Health(ep.ID); failures != health.Failures {
			t.Errorf("%d failures after a crash, want %d", failures, health.Failures)
		}
		w.settled(10 * time.Minute)
		w.want(map[event.Status]int{event.Success: 101})
		for _, id := range w.posted {
			if n := w.tried[id] + w.sender.count[id]; n != w.store.delivery(id).Attempts {
				t.Errorf("%d attempts of %s, of which %d are recorded", n, id, w.store.delivery(id).Attempts)
			}
		}
	})
}

// Events are accepted whoever holds what they owe. What is committed for a partition
// that is away, or about to be taken, is delivered once, by whoever takes it.
func TestWhatIsCommittedMeanwhileIsDeliveredOnce(t *testing.T) {
	for _, delay := range []time.Duration{0, 40 * time.Millisecond} { // from readable to durable, and from there to handed over
		inTime(t, Options{Window: 16}, func(t *testing.T, w *world) {
			ep, other, p, _ := w.apart()
			r := rand.New(rand.NewPCG(9, 9))
			w.store.delay, w.store.between = func() time.Duration { return delay }, delay/4
			stop := make(chan struct{})
			var posting sync.WaitGroup
			posting.Go(func() {
				for {
					select {
					case <-stop:
						return
					case <-time.After(7 * time.Millisecond):
						w.post(ep, 3)
						w.post(other, 1)
					}
				}
			})
			for range 50 {
				time.Sleep(time.Duration(r.Int64N(1e8)))
				w.release(p)
				n := len(w.sender.to(ep.ID))
				time.Sleep(time.Duration(r.Int64N(1e8)))
				if now := len(w.sender.to(ep.ID)); now != n {
					t.Errorf("%d attempts while the partition was away", now-n)
				}
				w.take(p)
			}
			close(stop)
			posting.Wait()
			w.settled(time.Minute)
			w.want(map[event.Status]int{event.Success: len(w.posted)})
			if n := len(w.sender.to(ep.ID)) + len(w.sender.to(other.ID)); n != len(w.posted) {
				t.Errorf("%d attempts of %d deliveries", n, len(w.posted))
			}
			w.wantCaughtUp()
		})
	}
}

// While partitions are away each has a watermark of its own: those that are held go
// on, and the others stay. Once all are held there is one again.
func TestMarksSpeakForWhatIsHeld(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep, other, p, q := w.apart()
		w.post(ep, 1)
		time.Sleep(2 * time.Second)
		whole := w.store.watermark()
		w.release(p, p)
		w.release(p)
		if held := w.engine.Held(); len(held) != testPartitions-1 || slices.Contains(held, p) {
			t.Errorf("held are %v", held)
		}
		w.post(ep, 5)
		time.Sleep(time.Minute)
		w.post(other, 1)
		time.Sleep(2 * time.Second)
		own := func(p uint16) uint64 {
			w.store.mu.Lock()
			defer w.store.mu.Unlock()
			return w.store.state.own[p]
		}
		if own(p) < whole || own(q) < own(p)+60_000 || w.store.watermark() != whole {
			t.Errorf("watermarks: %d away, %d held, %d of all, which was %d", own(p), own(q), w.store.watermark(), whole)
		}
		w.take(p, q)
		w.settled(time.Second)
		time.Sleep(2 * time.Second)
		if own(p) != 0 || own(q) != 0 || w.store.watermark() < whole+60_000 {
			t.Errorf("watermarks: %d and %d of their own, %d of all", own(p), own(q), w.store.watermark())
		}
		if held := w.engine.Held(); len(held) != testPartitions {
			t.Errorf("held are %v", held)
		}
	})
}

func TestAnEngineThatHoldsNothing(t *testing.T) {
	o := Options{Holds: func(uint16) bool { return false }, EndpointCap: 1} // one at a time: several have no order
	inTime(t, o, func(t *testing.T, w *world) {
		ep, other, p, q := w.apart()
		w.post(ep, 10)
		w.post(other, 10)
		time.Sleep(time.Minute)
		if n := w.sender.total(); n != 0 || w.store.marks() != 0 {
			t.Errorf("%d attempts, %d marks", n, w.store.marks())
		}
		w.take(p)
		time.Sleep(time.Minute)
		w.want(map[event.Status]int{event.Success: 10, event.Scheduled: 10})
		w.options.Holds = func(n uint16) bool { return n == q }
		w.restart()
		w.settled(time.Minute)
		w.wantInOrder(other, 10)
	})
}

func TestHandoverRefusals(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		p := w.partitionOf(ep)
		if err := w.engine.Take(t.Context(), testPartitions); err == nil {
			t.Error("a partition that does not exist was taken")
		}
		if err := w.engine.Release(t.Context(), 0, testPartitions); err == nil || len(w.engine.Held()) != testPartitions {
			t.Error("a partition that does not exist was given up")
		}
		w.take(p) // it is held
		w.sender.set(ep.ID, hangs(nil))
		w.post(ep, 1)
		time.Sleep(time.Second)
		var first sync.WaitGroup
		long, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		first.Go(func() { w.must(w.engine.Release(long, p)) })
		time.Sleep(time.Second)
		short, cancelShort := context.WithTimeout(t.Context(), time.Second)
		defer cancelShort()
		if err := w.engine.Take(short, p); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Take while another handover was under way: %v", err)
		}
		first.Wait()
		w.must(w.engine.Stop(t.Context()))
		if err := w.engine.Take(t.Context(), p); !errors.Is(err, event.ErrClosed) {
			t.Errorf("Take after Stop: %v", err)
		}
		if err := w.engine.Release(t.Context(), p); !errors.Is(err, event.ErrClosed) {
			t.Errorf("Release after Stop: %v", err)
		}
	})
}

// Stop cuts short the attempts that a Release waits for; both end.
func TestStopDuringRelease(t *testing.T) {
	inTime(t, Options{Shards: 2}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, hangs(nil))
		w.post(ep, 10)
		time.Sleep(time.Second)
		var leaving sync.WaitGroup
		leaving.Go(func() { w.must(w.engine.Release(context.Background(), w.partitionOf(ep))) })
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w.must(w.engine.Stop(ctx))
		leaving.Wait()
		w.want(map[event.Status]int{event.Scheduled: 10})
		w.restart()
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 10})
	})
}

// The timers of a partition are in the log alone while it is away, and come when they
// are due, or at once if that has passed.
func TestRetriesComeAfterAHandover(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		p := w.partitionOf(ep)
		w.sender.set(ep.ID, failsFirst(2)) // 10 s in between
		w.post(ep, 20)
		time.Sleep(4 * time.Second)
		w.release(p)
		w.take(p)
		time.Sleep(8 * time.Second)
		if n := w.sender.total(); n != 40 {
			t.Errorf("%d attempts, want the first and the second of 20", n)
		}
		w.release(p)
		time.Sleep(time.Minute)
		w.take(p)
		time.Sleep(time.Second)
		w.want(map[event.Status]int{event.Success: 20})
		if n := w.sender.total(); n != 60 {
			t.Errorf("%d attempts, want 60", n)
		}
	})
}

// A retry by hand is for the engine that holds the delivery's partition. One that waits
// for an attempt does not hold a Release up, and one that has begun is finished by it.
func TestRetryByHandOfWhatIsGivenUp(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		p := w.partitionOf(ep)
		var lag atomic.Int64
		w.store.delay = func() time.Duration { return time.Duration(lag.Load()) }
		w.sender.set(ep.ID, hangs(nil))
		w.post(ep, 1)
		time.Sleep(time.Second)
		id := w.posted[0]
		var asked sync.WaitGroup
		asked.Go(func() { // waits for the attempt that hangs
			if err := w.retry(id, false); !errors.Is(err, event.ErrOverloaded) {
				t.Errorf("retry while the partition was given up: %v", err)
			}
		})
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		start := time.Now()
		w.must(w.engine.Release(ctx, p))
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("Release took %s", took)
		}
		asked.Wait()
		if err := w.retry(id, false); !errors.Is(err, event.ErrOverloaded) {
			t.Errorf("retry while the partition was away: %v", err)
		}
		w.sender.set(ep.ID, answers(500))
		w.take(p)
		w.settled(time.Minute)

		// One that has claimed its delivery is finished before the partition is gone.
		lag.Store(int64(time.Second))
		w.sender.set(ep.ID, answers(200))
		asked.Go(func() { w.must(w.retry(id, false)) })
		time.Sleep(500 * time.Millisecond)
		w.release(p)
		asked.Wait()
		w.wantNothingOf(p)
		if d := w.store.delivery(id); d.Status != event.Retry {
			t.Errorf("after the retry was accepted: %+v", d)
		}
		w.take(p)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 1})
	})
}

// An endpoint that was activated again while its partition was away starts afresh; the
// failures of any other go with it.
func TestAnEndpointComesBackWhileItsPartitionIsAway(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		p := w.partitionOf(ep)
		comeBack := func() {
			w.setStatus(ep, event.EndpointInactive)
			w.setStatus(ep, event.EndpointActive)
		}
		handOver := func(meanwhile func(), want int) {
			t.Helper()
			w.release(p)
			time.Sleep(time.Second)
			meanwhile()
			w.take(p)
			if _, failures := w.engine.Health(ep.ID); failures != want {
				t.Errorf("%d failures are held against it, want %d", failures, want)
			}
		}
		fail := func() {
			w.post(ep, 5)
			w.settled(2 * time.Minute)
		}
		w.sender.set(ep.ID, answers(500))
		fail()
		handOver(func() {}, 15)
		comeBack()
		fail()
		handOver(func() {}, 15)
		handOver(comeBack, 0)
		time.Sleep(2 * time.Second)
		w.must(w.store.Flush())
		if len(w.store.ill()) != 0 {
			t.Errorf("the log remembers %v", w.store.ill())
		}
	})
}

// An error of the log leaves a partition that was to be taken where it was.
func TestTakeThatFails(t *testing.T) {
	inTime(t, Options{EndpointCap: 1}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		p := w.partitionOf(ep)
		w.release(p)
		w.post(ep, 5)
		broken := errors.New("the disk")
		w.store.broken = func(op string) error {
			if op == "recover" {
				return broken
			}
			return nil
		}
		if err := w.engine.Take(t.Context(), p); !errors.Is(err, broken) {
			t.Errorf("Take: %v", err)
		}
		w.post(ep, 5)
		time.Sleep(time.Minute)
		if n := w.sender.total(); n != 0 || slices.Contains(w.engine.Held(), p) {
			t.Errorf("%d attempts after a Take that failed", n)
		}
		w.store.broken = nil
		w.take(p)
		w.settled(time.Minute)
		w.wantInOrder(ep, 10)
	})
}
