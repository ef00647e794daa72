package engine

import (
	"testing"
	"time"

	"posthaste/event"
)

func TestRetriesComeWhenTheyAreDue(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 20)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Failure: 20})
		times := make(map[event.ID][]time.Time)
		for _, s := range w.sender.to(ep.ID) {
			times[s.delivery] = append(times[s.delivery], s.at)
		}
		for id, at := range times {
			if len(at) != 3 {
				t.Fatalf("%d attempts of %s, want 3", len(at), id)
			}
			for i := 1; i < 3; i++ {
				wait := at[i].Sub(at[i-1])
				if wait < 10*time.Second-time.Millisecond || wait > 11*time.Second+2*wheelTick+retryPace {
					t.Errorf("attempt %d of %s came after %s, want 10 s to 11 s", i+1, id, wait)
				}
			}
		}
	})
}

func TestAnAttemptThatSucceedsIsTheLast(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, failsFirst(1))
		w.post(ep, 10)
		w.settled(time.Minute)
		time.Sleep(time.Minute)
		w.want(map[event.Status]int{event.Success: 10})
		if n := w.sender.total(); n != 20 {
			t.Errorf("%d attempts, want 20", n)
		}
	})
}

func TestTheNumberOfAttemptsIsTheOneConfigured(t *testing.T) {
	for _, limit := range []int{1, 2, 7} {
		inTime(t, Options{}, func(t *testing.T, w *world) {
			w.project = w.newProject(event.Strategy{Type: event.StrategyExponential, Duration: 1, RetryCount: limit})
			ep := w.endpoint()
			w.sender.set(ep.ID, answers(503))
			w.post(ep, 3)
			w.settled(10 * time.Minute)
			w.want(map[event.Status]int{event.Failure: 3})
			if n := w.sender.total(); n != 3*limit {
				t.Errorf("%d attempts, want %d", n, 3*limit)
			}
		})
	}
}

func TestTheLimitIsTheOneOfTheFirstAttempt(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 1)
		time.Sleep(time.Second)
		_, err := w.catalog.UpdateProject(w.project.ID, func(p *event.Project) error {
			p.Config.Strategy.RetryCount = 1
			return nil
		})
		w.must(err)
		w.settled(time.Minute)
		if n := w.sender.total(); n != 3 {
			t.Errorf("%d attempts, want 3", n)
		}
	})
}

func TestManyRetriesWithASlowLogLoseNoTimer(t *testing.T) {
	inTime(t, Options{Shards: 3, Window: 300}, func(t *testing.T, w *world) {
		w.store.delay = func() time.Duration { return 3 * time.Second }
		w.project = w.newProject(event.Strategy{Type: event.StrategyLinear, Duration: 1, RetryCount: 4})
		eps := w.endpoints(10)
		for _, ep := range eps {
			w.sender.set(ep.ID, failsFirst(2))
		}
		for _, ep := range eps {
			w.post(ep, 1000)
		}
		w.settled(30 * time.Minute)
		w.want(map[event.Status]int{event.Success: 10_000})
		for id, n := range w.sender.count {
			if n != 3 {
				t.Fatalf("%d attempts of %s, want 3", n, id)
			}
		}
	})
}

// While the outcome of one attempt is on its way into the log, timers behind its
// due time must wait for it; the loop must not ask for them over and over.
func TestASlowLogIsNotReadInAHurry(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		w.store.delay = func() time.Duration { return 20 * time.Second }
		w.project = w.newProject(event.Strategy{Type: event.StrategyLinear, Duration: 1, RetryCount: 3})
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		for range 10 {
			w.post(ep, 1)
		}
		w.settled(10 * time.Minute)
		if w.store.timesRead() > 300 {
			t.Errorf("%d reads for 20 retries", w.store.timesRead())
		}
	})
}

// A due time can lie before the place up to which timers were read: the clock was set
// back, or the process did not run between the two. The timer would never be read.
func TestARetryIsNeverDueBeforeThePlaceOfReading(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, failsFirst(1))
		s := w.engine.shardOf(ep.Hash())
		s.mu.Lock()
		e := s.endpoint(ep.ID)
		e.readTo = uint64(time.Now().Add(time.Minute).UnixMilli())
		e.timerDue = e.readTo
		s.mu.Unlock()
		w.post(ep, 5)
		w.settled(3 * time.Minute)
		w.want(map[event.Status]int{event.Success: 5})
	})
}

// An alarm can come before the wall clock says so, for the wheel does not follow
// a clock that is set. It is set again, and the loop rests.
func TestAnEarlyAlarmIsSetAgain(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, failsFirst(1))
		w.post(ep, 1)
		time.Sleep(time.Second)
		s := w.engine.shardOf(ep.Hash())
		s.mu.Lock()
		e := s.endpoint(ep.ID)
		s.wheel.Remove(&e.retry)
		s.wheel.Add(&e.retry, time.Now())
		s.wake()
		s.mu.Unlock()
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 1})
		if w.store.timesRead() > 5 {
			t.Errorf("%d reads of the log", w.store.timesRead())
		}
	})
}
