package engine

import (
	"errors"
	"sync"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// retry asks for another attempt of a delivery.
func (w *world) retry(id event.ID, force bool) error {
	w.t.Helper()
	return w.engine.Retry(w.t.Context(), w.project.ID, []event.ID{id}, force)[0]
}

func (w *world) setStatus(ep *catalog.Endpoint, s event.EndpointStatus) {
	w.t.Helper()
	_, err := w.catalog.ChangeStatus(ep.ProjectID, ep.ID, "test", func(event.EndpointStatus) (event.EndpointStatus, error) {
		return s, nil
	})
	w.must(err)
}

func (w *world) wantStatus(ep *catalog.Endpoint, want event.EndpointStatus) {
	w.t.Helper()
	if got := w.catalog.Snapshot().Endpoint(ep.ID).Status; got != want {
		w.t.Errorf("the endpoint is %s, want %s", got, want)
	}
}

// attempts is how many attempts of a delivery were made.
func (w *world) attempts(id event.ID) int {
	w.sender.mu.Lock()
	defer w.sender.mu.Unlock()
	return w.sender.count[id]
}

func TestAFailedDeliveryIsRetriedByHand(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 1)
		w.settled(time.Minute)
		id := w.posted[0]
		w.must(w.retry(id, false))
		w.settled(time.Minute)
		if d := w.store.delivery(id); d.Status != event.Failure || d.Attempts != 4 || d.Limit != 3 {
			t.Errorf("after a retry by hand that failed: %+v", d)
		}
		w.sender.set(ep.ID, answers(200))
		w.must(w.retry(id, false))
		w.settled(time.Minute)
		if d := w.store.delivery(id); d.Status != event.Success || d.Attempts != 5 {
			t.Errorf("after one that succeeded: %+v", d)
		}
		var no *event.StateError
		if err := w.retry(id, false); !errors.As(err, &no) || no.Reason != "event already sent" {
			t.Errorf("retry of a success: %v", err)
		}
		w.must(w.retry(id, true))
		w.settled(time.Minute)
		if n := w.attempts(id); n != 6 {
			t.Errorf("%d attempts, want 6", n)
		}
		w.wantCaughtUp()
	})
}

// In the middle of its schedule, a retry by hand takes the place of the automatic
// one: nothing is delivered twice for it.
func TestARetryByHandReplacesTheAutomaticOne(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, failsFirst(1))
		w.post(ep, 1)
		time.Sleep(5 * time.Second)
		w.must(w.retry(w.posted[0], false))
		w.settled(time.Minute)
		sent := w.sender.to(ep.ID)
		if len(sent) != 2 || sent[1].at.Sub(sent[0].at) > 6*time.Second {
			t.Fatalf("attempts %v", sent)
		}
		time.Sleep(time.Minute)
		if n := w.attempts(w.posted[0]); n != 2 {
			t.Errorf("%d attempts a minute later, want 2", n)
		}
		w.wantCaughtUp()
	})
}

func TestTwoRetriesByHandBothRun(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, slow(time.Second, answers(500)))
		w.post(ep, 1)
		w.settled(time.Minute)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if err := w.retry(w.posted[0], false); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		w.settled(time.Minute)
		if n := w.attempts(w.posted[0]); n != 5 {
			t.Errorf("%d attempts, want 3 and 2 by hand", n)
		}
		w.wantCaughtUp()
	})
}

func TestARetryByHandWaitsNoLongerThanItsPatience(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint(rate(1, 3600))
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 1)
		time.Sleep(time.Second)
		w.must(w.retry(w.posted[0], false)) // waits for its token for an hour
		start := time.Now()
		var no *event.StateError
		if err := w.retry(w.posted[0], false); !errors.As(err, &no) {
			t.Errorf("the second: %v", err)
		}
		if took := time.Since(start); took > manualPatience+time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestARetryOfAnUnknownDeliveryIsNotFound(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		if err := w.retry(event.NewID(), false); !errors.Is(err, event.ErrNotFound) {
			t.Error(err)
		}
		ep := w.endpoint()
		w.sender.set(ep.ID, answers(500))
		w.post(ep, 1)
		w.settled(time.Minute)
		w.setStatus(ep, event.EndpointPaused)
		var no *event.StateError
		if err := w.retry(w.posted[0], false); !errors.As(err, &no) || no.Reason != "the endpoint is currently paused" {
			t.Errorf("paused: %v", err)
		}
		w.must(w.catalog.DeleteEndpoint(ep.ProjectID, ep.ID))
		if err := w.retry(w.posted[0], false); !errors.As(err, &no) {
			t.Errorf("deleted: %v", err)
		}
	})
}

// An inactive endpoint becomes pending by a retry by hand, and active by its
// success; then one call retries the rest.
func TestAnInactiveEndpointComesBack(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint(status(event.EndpointInactive))
		w.post(ep, 20)
		w.want(map[event.Status]int{event.Discarded: 20})
		w.sender.set(ep.ID, slow(time.Second, answers(500)))
		w.must(w.retry(w.posted[0], false))
		w.wantStatus(ep, event.EndpointPending)
		time.Sleep(5 * time.Second)
		w.wantStatus(ep, event.EndpointInactive)
		w.sender.set(ep.ID, slow(time.Second, answers(200)))
		w.must(w.retry(w.posted[1], false))
		w.wantStatus(ep, event.EndpointPending)
		time.Sleep(5 * time.Second)
		w.wantStatus(ep, event.EndpointActive)
		for i, err := range w.engine.Retry(t.Context(), w.project.ID, w.posted, false) {
			if err != nil && i != 1 {
				t.Error(err)
			}
		}
		w.settled(time.Hour)
		w.want(map[event.Status]int{event.Success: 20})
		history := w.catalog.Snapshot().Endpoint(ep.ID).StatusHistory
		if n := len(history); n != 4 || history[n-1].Reason == "" || history[n-1].At.IsZero() {
			t.Errorf("history %+v", history)
		}
		w.wantCaughtUp()
	})
}

// While an endpoint is pending it gets one attempt at a time, and when that fails
// the others asked for are not made.
func TestAPendingEndpointIsProbed(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint(status(event.EndpointInactive))
		w.post(ep, 10)
		w.sender.set(ep.ID, slow(time.Second, answers(500)))
		for _, err := range w.engine.Retry(t.Context(), w.project.ID, w.posted, false) {
			w.must(err)
		}
		w.settled(time.Minute)
		if n := w.sender.total(); n < 1 || n > 2 {
			t.Errorf("%d attempts of an endpoint that does not answer, want one probe", n)
		}
		if peak := w.sender.peakOf(ep.ID); peak != 1 {
			t.Errorf("%d attempts at once", peak)
		}
		w.wantStatus(ep, event.EndpointInactive)
		w.wantCaughtUp()
	})
}

// A probe that fails after somebody activated the endpoint by hand does not undo that.
func TestAnActivationByHandOutlastsAProbe(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint(status(event.EndpointInactive))
		w.post(ep, 1)
		w.sender.set(ep.ID, slow(10*time.Second, answers(500)))
		w.must(w.retry(w.posted[0], false))
		time.Sleep(5 * time.Second)
		w.wantStatus(ep, event.EndpointPending)
		w.setStatus(ep, event.EndpointActive)
		time.Sleep(10 * time.Second)
		w.wantStatus(ep, event.EndpointActive)
		w.sender.set(ep.ID, answers(200))
		w.settled(time.Hour)
	})
}
