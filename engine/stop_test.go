package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/event"
)

func TestStopWaitsForAttemptsInFlight(t *testing.T) {
	inTime(t, Options{EndpointCap: 4}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		slowly := func() { w.sender.set(ep.ID, slow(5*time.Second, answers(200))) }
		slowly()
		w.store.delay = func() time.Duration { return time.Second }
		w.post(ep, 10)
		time.Sleep(time.Second)
		start := time.Now()
		w.must(w.engine.Stop(context.Background()))
		if took := time.Since(start); took < 4*time.Second || took > 7*time.Second {
			t.Errorf("Stop took %s", took)
		}
		w.want(map[event.Status]int{event.Success: 4, event.Scheduled: 6})
		if n := w.sender.total(); n != 4 {
			t.Errorf("%d attempts, want 4", n)
		}
		w.restart(slowly)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 10})
	})
}

func TestStopCancelsWhenItsTimeIsOver(t *testing.T) {
	inTime(t, Options{Shards: 3}, func(t *testing.T, w *world) {
		eps := w.endpoints(6)
		for _, ep := range eps {
			w.sender.set(ep.ID, hangs(nil))
			w.post(ep, 100)
		}
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		w.must(w.engine.Stop(ctx))
		if took := time.Since(start); took < 3*time.Second || took > 4*time.Second {
			t.Errorf("Stop took %s", took)
		}
		w.want(map[event.Status]int{event.Scheduled: 600})
		for _, id := range w.posted {
			if d := w.store.delivery(id); d.Attempts != 0 {
				t.Fatalf("a cancelled attempt was counted: %+v", d)
			}
		}
		w.restart()
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 600})
	})
}

func TestARetryThatIsCancelledIsFoundAgain(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 10)
		time.Sleep(5 * time.Second)
		w.sender.set(ep.ID, hangs(nil))
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		w.must(w.engine.Stop(ctx))
		w.want(map[event.Status]int{event.Retry: 10})
		w.restart()
		w.settled(time.Minute)
		for _, id := range w.posted {
			if d := w.store.delivery(id); d.Attempts != 2 || d.Status != event.Success {
				t.Fatalf("%+v", d)
			}
		}
	})
}

func TestStopTwiceAndSubmitAfterStop(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.post(ep, 1)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := w.engine.Stop(context.Background()); err != nil {
					t.Errorf("Stop: %v", err)
				}
			})
		}
		both.Wait()
		if err := w.engine.Submit(t.Context(), []event.Submission{w.single(ep, `{}`)}); !errors.Is(err, event.ErrClosed) {
			t.Errorf("Submit = %v", err)
		}
	})
}

// This runs in real time: under virtual time, Stop would wait for a lock that is
// held by those who wait for time to pass.
func TestStopUnderLoad(t *testing.T) {
	w := newWorld(t, Options{Shards: 3, Window: 16, MarkEvery: time.Millisecond})
	defer w.end()
	w.project = w.newProject(event.Strategy{Type: event.StrategyLinear, Duration: 1, RetryCount: 2})
	eps := w.endpoints(8)
	w.start(nil, func() {
		w.sender.set(eps[0].ID, failsFirst(1))
		w.sender.set(eps[1].ID, slow(10*time.Millisecond, answers(200)))
	})
	var mu sync.Mutex
	var producers sync.WaitGroup
	acked := make(chan struct{}, 1000)
	for i := range 2 * len(eps) {
		producers.Go(func() {
			ep := eps[i/2]
			for {
				subs := []event.Submission{w.single(ep, `{}`), w.single(ep, `{}`)}
				if err := w.engine.Submit(context.Background(), subs); err != nil {
					if !errors.Is(err, event.ErrClosed) {
						t.Errorf("Submit: %v", err)
					}
					return
				}
				mu.Lock()
				w.posted = append(w.posted, subs[0].Event.Owed[0].ID, subs[1].Event.Owed[0].ID)
				mu.Unlock()
				select {
				case acked <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 1000 {
		<-acked
	}
	w.must(w.engine.Stop(context.Background()))
	producers.Wait()
	w.restart()
	w.settled(10 * time.Minute) // of real time: how much the producers posted is not bounded
	for _, id := range w.posted {
		if d := w.store.delivery(id); d.Status != event.Success {
			t.Fatalf("%+v", d)
		}
	}
}

func TestStopBeforeStart(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		o := w.options
		o.Store, o.Catalog, o.Sender = w.store, w.catalog, w.sender
		o.NewPool = func(size int, run func(*Shard)) (Pool, error) { return &fakePool{size: size, run: run}, nil }
		e, err := New(o)
		w.must(err)
		w.must(e.Stop(t.Context()))
	})
}

func TestAPanicBesideTheSendingLeavesTheBooksInOrder(t *testing.T) {
	var panics atomic.Int64
	o := Options{Shards: 1, Hooks: Hooks{Attempted: func(string, time.Duration) {
		if panics.Add(1) == 1 {
			panic("a hook of somebody else's")
		}
	}}}
	inTime(t, o, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.post(ep, 3)
		w.settled(time.Minute)
		if n := len(w.sender.to(ep.ID)); n != 3 {
			t.Errorf("%d attempts, want one for each of 3", n)
		}
		time.Sleep(time.Second)
		if st := w.engine.Stats(); st.Workers != 0 || st.InFlight != 0 || st.Queued != 0 {
			t.Errorf("the books: %+v", st)
		}
	})
}
