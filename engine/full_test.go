package engine

import (
	"context"
	"errors"
	"testing"
	"time"

	"posthaste/event"
)

var errFull = &event.FullError{Reason: "no room", After: time.Second}

// TestRefuse: nothing new is taken, what is there is delivered, and later all is as before.
func TestRefuse(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.sender.set(ep.ID, failsFirst(1))
		w.post(ep, 10)
		w.engine.Refuse(errFull)
		subs := []event.Submission{w.single(ep, `{}`)}
		delivery := w.posted[0]
		for name, err := range map[string]error{
			"Submit": w.engine.Submit(t.Context(), subs),
			"Replay": w.engine.Replay(t.Context(), w.project.ID, w.store.delivery(delivery).EventID),
			"Retry":  errors.Join(w.engine.Retry(t.Context(), w.project.ID, []event.ID{delivery}, false)...),
		} {
			if full := (*event.FullError)(nil); !errors.As(err, &full) || !errors.Is(err, event.ErrOverloaded) {
				t.Errorf("%s: %v", name, err)
			}
		}
		w.settled(time.Minute) // with the retries
		w.want(map[event.Status]int{event.Success: 10})
		if n := w.store.events(); n != 10 {
			t.Errorf("%d events are stored", n)
		}
		w.engine.Refuse(nil)
		w.post(ep, 5)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 15})
	})
}

// TestHold: attempts on their way end and are written; no other begins, neither a first one
// nor a retry that comes due, until Hold is over.
func TestHold(t *testing.T) {
	inTime(t, Options{EndpointCap: 4, Shards: 2}, func(t *testing.T, w *world) {
		eps := w.endpoints(4)
		for _, ep := range eps[1:] {
			w.sender.set(ep.ID, slow(5*time.Second, answers(200)))
			w.post(ep, 10)
		}
		w.sender.set(eps[0].ID, failsFirst(1))
		w.post(eps[0], 3)
		time.Sleep(time.Second)
		w.engine.Hold(true)
		w.post(eps[0], 3)
		begun := w.sender.total()
		time.Sleep(time.Minute)
		if n := w.sender.total(); n != begun || begun != 15 {
			t.Errorf("%d attempts were made, %d of them before", n, begun)
		}
		w.want(map[event.Status]int{event.Success: 12, event.Retry: 3, event.Scheduled: 21})
		w.engine.Hold(false)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 36})
	})
}

// TestStopWhileHeld: what is held is found again.
func TestStopWhileHeld(t *testing.T) {
	inTime(t, Options{}, func(t *testing.T, w *world) {
		ep := w.endpoint()
		w.engine.Hold(true)
		w.post(ep, 10)
		w.must(w.engine.Stop(context.Background()))
		w.want(map[event.Status]int{event.Scheduled: 10})
		w.restart()
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 10})
	})
}
