package wal

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"posthaste/event"
)

// recordingTail is a Tail that remembers.
type recordingTail struct {
	wanted   atomic.Bool
	durable  func() // called before it takes anything
	mu       sync.Mutex
	events   []event.ID
	outcomes []event.Outcome
}

func (t *recordingTail) Wanted() bool { return t.wanted.Load() }

func (t *recordingTail) Durable(groups [][]event.Submission, outcomes []event.Outcome) {
	t.durable()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, subs := range groups {
		for i := range subs {
			t.events = append(t.events, subs[i].Event.ID)
		}
	}
	t.outcomes = append(t.outcomes, outcomes...)
}

// TestTailHearsWhatIsDurable: all that was handed to the log after somebody began to
// listen, once it is synced, in memory of its own; and nothing before.
func TestTailHearsWhatIsDurable(t *testing.T) {
	d := newDisk()
	tail := &recordingTail{}
	o := testOptions(d.fs())
	o.Tail = tail
	l := openLog(t, o)
	recoverAll(t, l)
	var seen atomic.Int64
	tail.durable = func() {
		if now := d.syncs.Load(); now <= seen.Load() {
			t.Errorf("told at sync %d, written after it", now)
		}
	}
	tries := func(subs []event.Submission, reason []byte) event.Settlement {
		own := subs[0].Event.Owed[0]
		s := event.Settlement{Delivery: own, Was: own.Status, Event: &subs[0].Event, Type: subs[0].Event.Type}
		s.Delivery.Status, s.Delivery.Attempts, s.Delivery.Reason = event.Success, 1, string(reason)
		s.Attempt = &event.Attempt{DeliveryID: own.ID, EndpointID: own.EndpointID, Number: 1, StatusCode: 204}
		return s
	}
	append1 := func() []event.Submission {
		subs := []event.Submission{post(idOf(1), "x", idOf(2))}
		must(t, l.Append(context.Background(), subs))
		return subs
	}
	handed := func() { // what was acknowledged: the second is acknowledged after that
		must(t, l.Flush())
		must(t, l.Flush())
	}
	before := append1()
	s := tries(before, nil)
	must(t, l.Settle(&s))
	handed()
	if len(tail.events)+len(tail.outcomes) != 0 {
		t.Fatal("it was told though nobody listens")
	}

	tail.wanted.Store(true)
	seen.Store(d.syncs.Load())
	subs := append1()
	handed()
	s = tries(subs, []byte("because"))
	seen.Store(d.syncs.Load())
	must(t, l.Settle(&s))
	s.Delivery.Status, s.Attempt.StatusCode = event.Failure, 500 // the worker's next attempt
	handed()
	tail.mu.Lock()
	defer tail.mu.Unlock()
	sameIDs(t, "told", tail.events, []event.ID{subs[0].Event.ID})
	if len(tail.outcomes) != 1 {
		t.Fatalf("told of %d outcomes", len(tail.outcomes))
	}
	got := tail.outcomes[0]
	if got.Delivery.ID != subs[0].Event.Owed[0].ID || got.Delivery.Status != event.Success || got.Delivery.Reason != "because" ||
		got.Tried.Number != 1 || got.Tried.StatusCode != 204 || got.Event.ID != subs[0].Event.ID || got.Event.Data != nil {
		t.Errorf("told of %+v", got)
	}
}

// TestTailHearsNothingThatIsLost: what failed to be written is not told.
func TestTailHearsNothingThatIsLost(t *testing.T) {
	d := newDisk()
	tail := &recordingTail{durable: func() {}}
	tail.wanted.Store(true)
	o, fatal := fatalOptions(d.fs())
	o.Tail = tail
	l, err := Open(o)
	must(t, err)
	d.failAt.Store(d.syncs.Load() + 1)
	if err := l.Append(context.Background(), []event.Submission{post(idOf(1), "x", idOf(2))}); err == nil {
		t.Error("it was acknowledged")
	}
	<-fatal
	wantBroken(t, l)
	closeBroken(t, l)
	tail.mu.Lock()
	defer tail.mu.Unlock()
	if len(tail.events) != 0 {
		t.Errorf("told of %v", tail.events)
	}
}
