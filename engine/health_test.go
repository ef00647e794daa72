package engine

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/breaker"
	"posthaste/event"
)

// config changes the project's configuration.
func (w *world) config(change func(*event.ProjectConfig)) {
	w.t.Helper()
	_, err := w.catalog.UpdateProject(w.project.ID, func(p *event.Project) error {
		change(&p.Config)
		return nil
	})
	w.must(err)
	w.project = w.catalog.Snapshot().Project(w.project.ID)
}

func asks(code int, after time.Duration) behaviour {
	return func(c *call) {
		answers(code)(c)
		c.a.RetryAfter = after
	}
}

// Pausing stops what waits, un-pausing lets it go on, and nothing of it is lost or
// kept in memory meanwhile.
func TestAPausedEndpointKeepsWhatWaits(t *testing.T) {
	inTime(t, Options{Window: 8}, func(t *testing.T, w *world) {
		limited, failing := w.endpoint(rate(1, 10)), w.endpoint()
		w.sender.set(failing.ID, failsFirst(1))
		w.post(limited, 30)
		w.post(failing, 30)
		time.Sleep(time.Second)
		before := w.sender.total()
		w.setStatus(limited, event.EndpointPaused)
		w.setStatus(failing, event.EndpointPaused)
		time.Sleep(24 * time.Hour)
		if n := w.sender.total(); n != before {
			t.Errorf("%d attempts while paused", n-before)
		}
		if st := w.engine.Stats(); st.Queued != 0 || st.QueuedBytes != 0 {
			t.Errorf("while paused the engine holds %+v", st)
		}
		w.post(limited, 5) // new ones are discarded
		w.want(map[event.Status]int{event.Discarded: 5})
		w.setStatus(limited, event.EndpointActive)
		w.setStatus(failing, event.EndpointActive)
		w.settled(time.Hour)
		w.want(map[event.Status]int{event.Success: 60, event.Discarded: 5})
		time.Sleep(time.Minute)
		w.wantCaughtUp()
	})
}

func TestAPauseOutlastsARestart(t *testing.T) {
	inTime(t, Options{Window: 8}, func(t *testing.T, w *world) {
		ep := w.endpoint(rate(10, 1))
		w.post(ep, 100)
		time.Sleep(time.Second)
		w.setStatus(ep, event.EndpointPaused)
		time.Sleep(time.Minute)
		w.restart()
		time.Sleep(time.Hour)
		before := w.sender.total()
		if before != 0 {
			t.Errorf("%d attempts after the restart", before)
		}
		w.setStatus(ep, event.EndpointActive)
		w.settled(time.Hour)
		w.want(map[event.Status]int{event.Success: 100})
	})
}

// Retry-After is about the endpoint: what waits for it burns no attempts.
func TestRetryAfterPausesTheEndpoint(t *testing.T) {
	for _, code := range []int{429, 503} {
		inTime(t, Options{EndpointCap: 1}, func(t *testing.T, w *world) {
			ep := w.endpoint()
			w.sender.set(ep.ID, asks(code, time.Hour))
			w.post(ep, 50)
			time.Sleep(59 * time.Minute)
			if n := w.sender.total(); n != 1 {
				t.Errorf("%d attempts within the hour, want 1", n)
			}
			if st := w.engine.Stats(); st.Queued != 0 {
				t.Errorf("while it is left alone the engine holds %+v", st)
			}
			w.restart() // it is remembered
			time.Sleep(30 * time.Second)
			if n := w.sender.total(); n != 0 {
				t.Errorf("%d attempts after the restart, before the hour was over", n)
			}
			w.settled(2 * time.Hour)
			w.want(map[event.Status]int{event.Success: 50})
		})
	}
}

func TestGoneDisablesTheEndpoint(t *testing.T) {
	inTime(t, Options{EndpointCap: 1}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(410))
		w.post(ep, 10)
		w.settled(time.Minute)
		w.wantStatus(ep, event.EndpointInactive)
		if n := w.store.counts()[event.Failure]; n == 0 || n > 3 {
			t.Errorf("%d failures: %v", n, w.store.counts())
		}
		if n := len(w.store.ill()); n != 0 {
			time.Sleep(2 * time.Second)
			if n = len(w.store.ill()); n != 0 {
				t.Errorf("%d endpoints are remembered as ill", n)
			}
		}
	})
}

func TestDeadEndpoints(t *testing.T) {
	for _, c := range []struct {
		name     string
		rule     event.DeadEndpointConfig
		script   behaviour
		posts    int
		every    time.Duration
		disabled bool
		reason   string
	}{
		{"exhausted", event.DeadEndpointConfig{Strategy: event.DeadExhausted}, answers(500), 1, time.Second, true, "its limit"},
		{"not exhausted", event.DeadEndpointConfig{Strategy: event.DeadExhausted}, failsFirst(2), 20, time.Second, false, ""},
		{"a count", event.DeadEndpointConfig{Strategy: event.DeadConsecutive, Count: 7}, answers(500), 7, time.Second, true, "7 attempts in a row"},
		{"a count that is not reached", event.DeadEndpointConfig{Strategy: event.DeadConsecutive, Count: 7}, failsFirst(2), 40, time.Minute, false, ""},
		{"a window", event.DeadEndpointConfig{Strategy: event.DeadWindow, Count: 5, Window: 7200}, answers(500), 130, time.Minute, true, "nothing but failures for 2h"},
		{"a window that is not over", event.DeadEndpointConfig{Strategy: event.DeadWindow, Count: 5, Window: 7200}, answers(500), 110, time.Minute, false, ""},
		{"a window with a success", event.DeadEndpointConfig{Strategy: event.DeadWindow, Count: 5, Window: 7200}, failsFirst(2), 200, time.Minute, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			inTime(t, Options{}, func(t *testing.T, w *world) {
				w.config(func(p *event.ProjectConfig) { p.DisableEndpoint, p.DeadEndpoint = true, c.rule })
				ep := w.endpoint()
				w.sender.set(ep.ID, c.script)
				for range c.posts {
					w.post(ep, 1)
					time.Sleep(c.every)
				}
				time.Sleep(time.Minute)
				got := w.catalog.Snapshot().Endpoint(ep.ID)
				if disabled := got.Status == event.EndpointInactive; disabled != c.disabled {
					t.Errorf("the endpoint is %s; %v", got.Status, w.store.counts())
				}
				if n := len(got.StatusHistory); c.disabled && (n != 1 || !strings.Contains(got.StatusHistory[0].Reason, c.reason)) {
					t.Errorf("history %+v", got.StatusHistory)
				}
			})
		})
	}
}

// The count of failures, and their time, outlast a restart.
func TestAnEndpointsHealthOutlastsARestart(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		w.config(func(p *event.ProjectConfig) {
			p.DisableEndpoint, p.DeadEndpoint = true, event.DeadEndpointConfig{Strategy: event.DeadConsecutive, Count: 10}
			p.Strategy.RetryCount = 1
		})
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 6)
		w.settled(time.Minute)
		time.Sleep(2 * time.Second)
		w.restart()
		w.sender.set(ep.ID, answers(500))
		w.wantStatus(ep, event.EndpointActive)
		w.post(ep, 4)
		w.settled(time.Minute)
		time.Sleep(time.Second)
		w.wantStatus(ep, event.EndpointInactive)
	})
}

// An endpoint that comes back starts slowly: 1 a second, then 2, 4, ...
func TestAnEndpointThatComesBackStartsSlowly(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.setStatus(ep, event.EndpointInactive)
		w.setStatus(ep, event.EndpointActive)
		w.post(ep, 1000)
		at := func(after time.Duration, least, most int) {
			t.Helper()
			if n := w.sender.total(); n < least || n > most {
				t.Errorf("%d attempts after %s, want %d to %d", n, after, least, most)
			}
		}
		time.Sleep(9 * time.Second)
		at(9*time.Second, 9, 12)
		time.Sleep(10 * time.Second)
		at(19*time.Second, 26, 34)
		w.settled(10 * time.Minute)
		if n := w.sender.total(); n != 1000 {
			t.Errorf("%d attempts", n)
		}
		w.wantCaughtUp()
	})
}

// Endpoints that hang leave their workers to others.
func TestAHangingEndpointLosesItsShareOfWorkers(t *testing.T) {
	inTime(t, Options{Shards: 1, EndpointCap: 32}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, slow(10*time.Second, func(c *call) { c.a.Class = event.ClassTimeout }))
		w.post(ep, 500)
		time.Sleep(12 * time.Second)
		if n := w.sender.inFlight(ep.ID); n > 1 {
			t.Errorf("%d attempts in flight to an endpoint that hangs", n)
		}
		w.sender.set(ep.ID, answers(200))
		w.settled(time.Hour)
	})
}

func TestAConcurrencyOfItsOwn(t *testing.T) {
	inTime(t, Options{EndpointCap: 32}, func(t *testing.T, w *world) {
		few := w.endpoint(func(e *event.Endpoint) { e.MaxConcurrency = 3 })
		many := w.endpoint(func(e *event.Endpoint) { e.MaxConcurrency = 100 })
		for _, ep := range []event.ID{few.ID, many.ID} {
			w.sender.set(ep, slow(time.Second, answers(200)))
		}
		w.post(few, 30)
		w.post(many, 300)
		w.settled(time.Minute)
		if n := w.sender.peakOf(few.ID); n != 3 {
			t.Errorf("%d at once, want 3", n)
		}
		if n := w.sender.peakOf(many.ID); n <= 32 || n > 100 {
			t.Errorf("%d at once, want up to 100", n)
		}
	})
}

func TestABreakerOpensAndCloses(t *testing.T) {
	var opened, closed atomic.Int64
	hooks := Hooks{Breaker: func(to breaker.State) {
		if to == breaker.Open {
			opened.Add(1)
		} else {
			closed.Add(1)
		}
	}}
	inTime(t, Options{Hooks: hooks, EndpointCap: 4}, func(t *testing.T, w *world) {
		w.config(func(p *event.ProjectConfig) {
			p.CircuitBreaker.Enabled, p.CircuitBreaker.ConsecutiveFailureThreshold = true, 100
			p.Strategy.RetryCount = 50
		})
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		for range 40 {
			w.post(ep, 1)
			time.Sleep(time.Second)
		}
		n := w.sender.total()
		if n < 10 || n > 45 {
			t.Errorf("%d attempts before and after it opened", n)
		}
		time.Sleep(5 * time.Minute)
		if probes := w.sender.total() - n; probes < 5 || probes > 12 {
			t.Errorf("%d probes in five minutes, want one each half minute", probes)
		}
		w.sender.set(ep.ID, answers(200))
		w.settled(10 * time.Minute)
		w.want(map[event.Status]int{event.Success: 40})
		if opened.Load() < 5 || closed.Load() != 1 {
			t.Errorf("it opened %d times and closed %d times", opened.Load(), closed.Load())
		}
		w.wantCaughtUp()
	})
}

func TestABreakerThatOpensTooOftenDisables(t *testing.T) {
	inTime(t, Options{EndpointCap: 4}, func(t *testing.T, w *world) {
		w.config(func(p *event.ProjectConfig) {
			p.CircuitBreaker.Enabled, p.CircuitBreaker.ConsecutiveFailureThreshold = true, 3
			p.Strategy.RetryCount = 100
		})
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 50)
		time.Sleep(10 * time.Minute)
		w.wantStatus(ep, event.EndpointInactive)
	})
}

// One that fails all the time is not asked more than 500 times a second, until it
// succeeds again.
func TestAnEndpointThatIsDownIsTriedSlowly(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 1000)
		time.Sleep(time.Second)
		if n := w.sender.total(); n < downAfter+100 || n > downAfter+w.engine.o.EndpointCap+500 {
			t.Errorf("%d attempts in a second", n)
		}
		w.sender.set(ep.ID, answers(200))
		w.settled(time.Hour)
		w.want(map[event.Status]int{event.Success: 1000})
	})
}
