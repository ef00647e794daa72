package engine

import (
	"testing"
	"time"

	"posthaste/breaker"
	"posthaste/event"
)

// machineSays lets the log's clock be so far ahead of the machine's, as it is after that was
// set back.
func (w *world) machineSays(ahead time.Duration) func() {
	return func() { w.store.ahead.Store(int64(ahead)) }
}

// A machine whose clock is behind the store makes its retries after the usual time.
func TestRetriesWithTheMachineBehindTheLog(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		w.restart(w.machineSays(23 * time.Hour))
		w.project = w.newProject(event.Strategy{Type: event.StrategyLinear, Duration: 10, RetryCount: 3})
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 5)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Failure: 5})
		if n := w.sender.total(); n != 15 {
			t.Errorf("%d attempts, want 15", n)
		}
	})
}

// retriesIn lets n deliveries to a new endpoint fail, to be retried after so long, and
// counts from then.
func (w *world) retriesIn(wait time.Duration, n int, change ...func(*event.Endpoint)) (retried func() int) {
	w.t.Helper()
	w.project = w.newProject(event.Strategy{Type: event.StrategyLinear, Duration: int(wait / time.Second), RetryCount: 3})
	ep := w.endpoint(change...)
	w.sender.set(ep.ID, failsFirst(1))
	w.post(ep, n)
	for w.store.counts()[event.Retry] < n {
		time.Sleep(time.Millisecond)
	}
	return func() int { return w.sender.total() - n }
}

// When the clock is set ahead, what is due by it is retried, at the endpoint's rate.
func TestAClockSetAheadBringsRetries(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		retried := w.retriesIn(2*time.Hour, 100, rate(10, 1))
		w.machineSays(time.Hour)()
		w.engine.ClockSet()
		time.Sleep(10 * time.Minute)
		if n := retried(); n != 0 {
			t.Errorf("%d retries that were not due", n)
		}
		w.machineSays(3 * time.Hour)()
		w.engine.ClockSet()
		time.Sleep(5 * time.Second)
		if n := retried(); n < 45 || n > 52 {
			t.Errorf("%d retries within 5 s at 10 a second", n)
		}
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 100})
		if n := retried(); n != 100 {
			t.Errorf("%d retries, want 100", n)
		}
	})
}

// What an endpoint asked for is kept over a restart by the log's clock.
func TestRetryAfterIsRememberedByTheLogsClock(t *testing.T) {
	inTime(t, Options{EndpointCap: 1}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, asks(503, time.Hour))
		w.post(ep, 5)
		time.Sleep(2 * time.Second)
		w.restart(w.machineSays(30 * time.Minute))
		time.Sleep(29 * time.Minute)
		if n := w.sender.total(); n != 0 {
			t.Errorf("%d attempts before the hour was over", n)
		}
		w.settled(2 * time.Minute)
	})
}

// A record of a clock that was years ahead does not hold an endpoint up for years.
func TestAnEndpointIsLeftAloneForADayAtMost(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		until := time.Now().Add(10 * 365 * 24 * time.Hour)
		w.must(w.store.SetMark(event.Mark{Health: []event.Health{{Endpoint: ep.ID, Failures: 1, Since: 1, Until: uint64(until.UnixMilli())}}}))
		w.must(w.store.Flush())
		w.restart()
		w.post(ep, 5)
		time.Sleep(MaxRetryAfter - time.Minute)
		if n := w.sender.total(); n != 0 {
			t.Errorf("%d attempts to an endpoint that is to be left alone", n)
		}
		w.settled(2 * time.Minute)
	})
}

// A breaker that is open when the machine's clock is set back by a day, and so seems to be
// open for a day, lets its probe through after its own time.
func TestABreakerIsOpenForItsTimeWhenTheClockIsSetBack(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		w.config(func(p *event.ProjectConfig) {
			p.CircuitBreaker.Enabled, p.CircuitBreaker.ConsecutiveFailureThreshold = true, 100
			p.Strategy.RetryCount = 50
		})
		ep := w.endpoint()
		w.sender.set(ep.ID, func(c *call) { c.a.Class = event.ClassTimeout })
		w.post(ep, 20)
		time.Sleep(5 * time.Second)
		s := w.engine.shardOf(event.EndpointHash(ep.ID))
		s.mu.Lock()
		h := s.endpoints[ep.ID].health
		if h.breaker.State(time.Now()) != breaker.Open {
			t.Error("the breaker is not open")
		}
		h.breaker = breaker.Restore(h.breaker.Trips(), h.breaker.Until().Add(24*time.Hour))
		s.mu.Unlock()
		before := w.sender.total()
		time.Sleep(5 * time.Minute)
		if n := w.sender.total() - before; n < 4 || n > 12 {
			t.Errorf("%d probes in five minutes, want one each half minute", n)
		}
		w.sender.set(ep.ID, answers(200))
		w.settled(time.Hour)
	})
}
