package engine

import (
	"errors"
	"testing"
	"time"

	"posthaste/event"
)

// What TestSevenDays found, each as a test of its own.

// What goes back to the log while its endpoint is left alone is read again when that
// is over, not when some later retry is due.
func TestARetryThatWentBackToTheLogIsNotLate(t *testing.T) {
	inTime(t, Options{EndpointCap: 1}, func(t *testing.T, w *world) {
		none := 0
		w.project = w.newProject(event.Strategy{Type: event.StrategyLinear, Duration: 60, RetryCount: 3, Jitter: &none})
		ep := w.endpoint()
		post := func(b behaviour) {
			w.sender.set(ep.ID, b)
			w.post(ep, 1)
			time.Sleep(time.Second)
		}
		began := time.Now()
		post(answers(500)) // due again at 60 s
		time.Sleep(50 * time.Second)
		post(answers(500)) // at 111 s
		time.Sleep(3 * time.Second)
		post(asks(503, 10*time.Second)) // nothing before 65 s
		w.sender.set(ep.ID, answers(200))
		time.Sleep(time.Minute)
		sent := w.sender.to(ep.ID)
		if len(sent) < 4 || sent[3].delivery != w.posted[0] || sent[3].at.Sub(began) > 66*time.Second {
			t.Errorf("attempts %v, want the fourth of the first delivery 65 s after %s", sent, began)
		}
	})
}

// A worker that ends because fewer are allowed leaves nothing behind that nobody
// looks at, while all others wait for endpoints that hang.
func TestAReadyEndpointIsNotForgotten(t *testing.T) {
	inTime(t, Options{Shards: 1, Eager: 1, EndpointCap: 1}, func(t *testing.T, w *world) {
		eps := w.endpoints(3)
		for _, ep := range eps {
			w.sender.set(ep.ID, slow(20*time.Second, answers(200)))
		}
		began := time.Now()
		w.post(eps[0], 2)
		time.Sleep(20*time.Second - 5*time.Millisecond)
		w.post(eps[1], 1)
		w.post(eps[2], 1)
		w.settled(10 * time.Minute)
		if sent := w.sender.to(eps[0].ID); sent[1].at.Sub(began) > 20*time.Second+100*time.Millisecond {
			t.Errorf("the second attempt came %s after the first, which took 20 s", sent[1].at.Sub(began))
		}
	})
}

// An endpoint that goes behind although nothing of it is in memory has a place in the
// log, so that a restart finds what it is owed.
func TestAnEndpointThatGoesBehindAtOnceHasAPlace(t *testing.T) {
	inTime(t, Options{QueueBytes: 1, EndpointCap: 1}, func(t *testing.T, w *world) {
		ep, full := w.endpoint(), w.endpoint(rate(1, 60))
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 1) // due again in ten seconds
		time.Sleep(time.Second)
		w.sender.set(ep.ID, asks(503, time.Hour))
		w.post(ep, 1)
		time.Sleep(time.Second)
		w.restart()
		time.Sleep(20 * time.Second)
		w.post(full, 10)
		w.post(ep, 1)
		for range 60 { // of which the watermark knows
			time.Sleep(time.Second)
			w.post(full, 1)
		}
		w.restart()
		w.settled(3 * time.Hour)
	})
}

// A batch of retries asks an endpoint that is dead once whether it still is.
func TestABatchOfRetriesProbesOnce(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint(status(event.EndpointInactive))
		w.post(ep, 200)
		w.sender.set(ep.ID, answers(500))
		for _, err := range w.engine.Retry(t.Context(), w.project.ID, w.posted, false) {
			w.must(err)
		}
		w.settled(time.Minute)
		if n := w.sender.total(); n != 1 {
			t.Errorf("%d attempts", n)
		}
		w.wantStatus(ep, event.EndpointInactive)
		if h := w.catalog.Snapshot().Endpoint(ep.ID).StatusHistory; len(h) != 2 {
			t.Errorf("history %v", h)
		}
	})
}

// A retry that is due and waits for its endpoint is no success that could be sent
// again by force; by hand it is one that is marked so, however long it waits.
func TestARetryThatWaitsForItsEndpointCanBeAskedForByHand(t *testing.T) {
	inTime(t, Options{EndpointCap: 1}, func(t *testing.T, w *world) {
		ep := w.endpoint(rate(1, 300))
		var byHand []bool
		w.sender.set(ep.ID, func(c *call) {
			byHand = append(byHand, c.a.Manual)
			failsFirst(1)(c)
		})
		w.post(ep, 1)
		time.Sleep(time.Minute)
		var no *event.StateError
		if err := w.retry(w.posted[0], true); !errors.As(err, &no) {
			t.Errorf("by force: %v", err)
		}
		w.must(w.retry(w.posted[0], false))
		w.setStatus(ep, event.EndpointPaused) // it goes back to the log
		time.Sleep(time.Minute)
		w.setStatus(ep, event.EndpointActive)
		w.settled(time.Hour)
		if len(byHand) != 2 || byHand[0] || !byHand[1] {
			t.Errorf("by hand: %v, want the second", byHand)
		}
		time.Sleep(10 * time.Minute)
		w.wantCaughtUp()
	})
}

// A retry by hand that is refused leaves the automatic one as it was, and those that
// wait beside it.
func TestARefusedRetryByHandChangesNothing(t *testing.T) {
	inTime(t, Options{EndpointCap: 1}, func(t *testing.T, w *world) {
		ep := w.endpoint(rate(1, 60))
		w.sender.set(ep.ID, failsFirst(1))
		w.post(ep, 5)
		time.Sleep(4*time.Minute + 30*time.Second) // now all of them wait for a retry
		if err := w.retry(w.posted[0], true); err == nil {
			t.Error("what has not succeeded was sent again by force")
		}
		w.settled(time.Hour)
		time.Sleep(time.Hour)
		w.want(map[event.Status]int{event.Success: 5})
		if n := w.sender.total(); n != 10 {
			t.Errorf("%d attempts, want 10", n)
		}
	})
}
