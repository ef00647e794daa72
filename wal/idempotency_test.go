package wal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

func keyed(key, data string) event.Submission {
	s := post(idOf(1), data, idOf(2))
	s.Event.IdempotencyKey = key
	return s
}

// stored lists the events, without their duplicates.
func stored(t *testing.T, l *Log) []*event.Event {
	t.Helper()
	events, _, err := l.Events(idOf(1), event.Range{Limit: 1 << 20}, event.EventFilter{})
	must(t, err)
	return slices.DeleteFunc(events, func(ev *event.Event) bool { return ev.Origin == event.Duplicate })
}

// submit appends one submission and returns what became of it.
func submit(t testing.TB, l *Log, s event.Submission) event.Submission {
	t.Helper()
	subs := []event.Submission{s}
	must(t, l.Append(t.Context(), subs))
	return subs[0]
}

func TestSameKeySameContentIsADuplicate(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	first := submit(t, l, keyed("k", "x"))
	if first.Duplicate || first.Err != nil {
		t.Fatalf("the first: %+v", first)
	}
	for range 2 {
		again := submit(t, l, keyed("k", "x"))
		if !again.Duplicate || again.Err != nil || again.Event.ID != first.Event.ID {
			t.Errorf("got %+v, want a duplicate of %s", again, first.Event.ID)
		}
		l = reopen(t, l, o)
	}
	if n := len(stored(t, l)); n != 1 {
		t.Errorf("%d events are stored", n)
	}
	other := keyed("k", "x")
	other.Event.ProjectID = idOf(8)
	if got := submit(t, l, other); got.Duplicate || got.Err != nil {
		t.Errorf("another project's key: %+v", got)
	}
}

func TestSameKeyOtherContentIsAConflict(t *testing.T) {
	l := newLogInMemory(t)
	submit(t, l, keyed("k", "x"))
	for name, change := range map[string]func(*event.Submission){
		"data":     func(s *event.Submission) { s.Event.Data = []byte("y") },
		"type":     func(s *event.Submission) { s.Event.Type = "other" },
		"owner":    func(s *event.Submission) { s.Event.OwnerID = "other" },
		"endpoint": func(s *event.Submission) { s.EndpointID = idOf(3) },
	} {
		s := keyed("k", "x")
		change(&s)
		if got := submit(t, l, s); !errors.Is(got.Err, event.ErrConflict) || got.Duplicate || got.Event.ID != (event.ID{}) {
			t.Errorf("other %s: got %+v", name, got)
		}
	}
	if n := len(stored(t, l)); n != 1 {
		t.Errorf("%d events are stored", n)
	}
}

// TestKeysWithinOneRequest: the first is stored, the same again is its duplicate,
// other content a conflict; without a key nothing is compared.
func TestKeysWithinOneRequest(t *testing.T) {
	l := newLogInMemory(t)
	subs := []event.Submission{keyed("k", "x"), keyed("k", "x"), keyed("k", "y"), keyed("", "x"), keyed("", "x"), keyed("k2", "x")}
	must(t, l.Append(t.Context(), subs))
	for i, want := range []struct{ duplicate, conflict bool }{{}, {duplicate: true}, {conflict: true}, {}, {}, {}} {
		if subs[i].Duplicate != want.duplicate || errors.Is(subs[i].Err, event.ErrConflict) != want.conflict {
			t.Errorf("submission %d: %+v", i, subs[i])
		}
	}
	if subs[1].Event.ID != subs[0].Event.ID || subs[0].Event.ID == (event.ID{}) {
		t.Errorf("the duplicate has id %s, the first %s", subs[1].Event.ID, subs[0].Event.ID)
	}
	if n := len(stored(t, l)); n != 4 {
		t.Errorf("%d events are stored, want 4", n)
	}

	// The request again, when its keys are in the log: all share the first's fate.
	again := []event.Submission{keyed("k", "x"), keyed("k", "x"), keyed("k2", "z"), keyed("k2", "z"), keyed("k3", "x")}
	must(t, l.Append(t.Context(), again))
	for i := range 2 {
		if !again[i].Duplicate || again[i].Event.ID != subs[0].Event.ID {
			t.Errorf("submission %d: %+v", i, again[i])
		}
	}
	for i := 2; i < 4; i++ {
		if again[i].Duplicate || !errors.Is(again[i].Err, event.ErrConflict) {
			t.Errorf("submission %d: %+v", i, again[i])
		}
	}
	if again[4].Duplicate || again[4].Err != nil {
		t.Errorf("the new one: %+v", again[4])
	}
}

// TestSinkSeesResultsThatAreFinal: the submissions are the sink's from the moment
// that their group is taken, so nothing in them may change afterwards. The race
// detector finds it if something does.
func TestSinkSeesResultsThatAreFinal(t *testing.T) {
	o := testOptions(vfs.NewMem())
	sink := &resultSink{}
	o.Sink = sink
	l := openLog(t, o)
	submit(t, l, keyed("taken", "x"))
	for i := range 50 {
		key := fmt.Sprint("k", i)
		subs := []event.Submission{keyed("taken", "y"), keyed("taken", "y"), keyed(key, "x"), keyed(key, "x")}
		must(t, l.Append(t.Context(), subs))
	}
	must(t, l.Close())
	if sink.accepted != 51 || sink.withoutID != 50 {
		t.Errorf("the sink saw %d accepted and %d conflicts, want 51 and 50 pairs", sink.accepted, sink.withoutID)
	}
}

// resultSink reads all results.
type resultSink struct{ accepted, withoutID int }

func (s *resultSink) Committed(groups [][]event.Submission) {
	for _, subs := range groups {
		for i := range subs {
			if subs[i].Err == nil && !subs[i].Duplicate {
				s.accepted++
			}
		}
		if len(subs) == 4 && subs[0].Err != nil && subs[1].Err != nil && subs[3].Event.ID == subs[2].Event.ID {
			s.withoutID++
		}
	}
}

func (*resultSink) Waiting([]event.Timer) {}

// TestSameKeyAtOnce: of a hundred requests one is stored, and all get its id.
func TestSameKeyAtOnce(t *testing.T) {
	l := newLogInMemory(t)
	const rounds, requests = 50, 20
	for round := range rounds {
		key := fmt.Sprint("k", round)
		results := make([]event.Submission, requests)
		begin := make(chan struct{})
		var wg sync.WaitGroup
		for i := range results {
			wg.Go(func() {
				subs := []event.Submission{keyed(key, "x")}
				<-begin
				if err := l.Append(t.Context(), subs); err != nil || subs[0].Err != nil {
					t.Error(err, subs[0].Err)
				}
				results[i] = subs[0]
			})
		}
		close(begin)
		wg.Wait()
		stores := 0
		for i := range results {
			if !results[i].Duplicate {
				stores++
			}
			if results[i].Event.ID != results[0].Event.ID {
				t.Errorf("%s is %s and %s", key, results[i].Event.ID, results[0].Event.ID)
			}
		}
		if stores != 1 {
			t.Fatalf("%d of %d requests with %s were stored", stores, requests, key)
		}
	}
	if n := len(stored(t, l)); n != rounds {
		t.Errorf("%d events are stored, want %d", n, rounds)
	}
}

// TestKeysInOppositeOrdersDoNotDeadlock: two requests with two keys each.
func TestKeysInOppositeOrdersDoNotDeadlock(t *testing.T) {
	l := newLogInMemory(t)
	const rounds = 100
	for i := range rounds {
		a, b := fmt.Sprint("a", i), fmt.Sprint("b", i)
		var wg sync.WaitGroup
		for _, keys := range [][2]string{{a, b}, {b, a}, {a, b}} {
			wg.Go(func() {
				subs := []event.Submission{keyed(keys[0], "x"), keyed(keys[1], "x")}
				if err := l.Append(t.Context(), subs); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if n := len(stored(t, l)); n != 2*rounds {
		t.Errorf("%d events are stored, want %d", n, 2*rounds)
	}
}

// TestKeyIsForgottenAfterTheWindow, to the millisecond, whether the window is the
// log's or the submission's. A duplicate does not make it longer.
func TestKeyIsForgottenAfterTheWindow(t *testing.T) {
	for _, c := range []struct{ option, own time.Duration }{
		{option: 24 * time.Hour},
		{option: time.Minute, own: 24 * time.Hour},
		{option: 24 * time.Hour, own: 1500 * time.Millisecond},
		{option: time.Hour, own: 30 * 24 * time.Hour},
	} {
		o := testOptions(vfs.NewMem())
		o.IdempotencyWindow = c.option
		l := openLog(t, o)
		window := uint64(cmp.Or(c.own, c.option).Milliseconds())
		post := func() event.Submission {
			s := keyed("k", "x")
			s.Window = c.own
			return submit(t, l, s)
		}
		setClock(l, (l.now()/hour+2)*hour+hour/3)
		first := post()
		setClock(l, first.Event.ID.Time()+window-1)
		if got := post(); !got.Duplicate || got.Event.ID != first.Event.ID {
			t.Errorf("%v, a millisecond before the end: %+v", c, got)
		}
		setClock(l, first.Event.ID.Time()+window)
		second := post()
		if second.Duplicate || second.Err != nil || second.Event.ID == first.Event.ID {
			t.Errorf("%v, at the end: %+v", c, second)
		}
		if got := post(); !got.Duplicate || got.Event.ID != second.Event.ID {
			t.Errorf("%v, after the second: %+v", c, got)
		}
		if n := len(stored(t, l)); n != 2 {
			t.Errorf("%v: %d events are stored, want 2", c, n)
		}
	}
}

// TestKeyIsFoundAlthoughTheClockWentBack: the window follows the ids, and these
// never go back.
func TestKeyIsFoundAlthoughTheClockWentBack(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	advance(l, 10*hour)
	first := submit(t, l, keyed("k", "x"))
	l = reopen(t, l, o)
	recoverAll(t, l)
	if got := submit(t, l, keyed("k", "x")); !got.Duplicate || got.Event.ID != first.Event.ID {
		t.Errorf("got %+v", got)
	}
}

// TestWaitingForAKeyEndsWithTheContext, and leaves nothing claimed.
func TestWaitingForAKeyEndsWithTheContext(t *testing.T) {
	l := newLogInMemory(t)
	s := keyed("k", "x")
	held := collectKeys([]event.Submission{s}, time.Hour)
	must(t, l.idem.claim(t.Context(), held.keys))
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- l.Append(ctx, []event.Submission{keyed("other", "x"), s}) }()
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	if got := submit(t, l, keyed("other", "x")); got.Duplicate || got.Err != nil {
		t.Errorf("the key beside it: %+v", got)
	}
	l.idem.release(held.keys)
	if got := submit(t, l, s); got.Duplicate || got.Err != nil {
		t.Errorf("got %+v", got)
	}
	if len(l.idem.busy) != 0 {
		t.Errorf("%d keys are still claimed", len(l.idem.busy))
	}
}

// TestManyKeysInOneRequest is the largest batch that the API takes.
func TestManyKeysInOneRequest(t *testing.T) {
	l := newLogInMemory(t)
	subs := make([]event.Submission, event.MaxBatchItems)
	for i := range subs {
		subs[i] = keyed(fmt.Sprint("key ", i/2), "x")
	}
	must(t, l.Append(t.Context(), subs))
	for i := range subs {
		if subs[i].Duplicate != (i%2 == 1) || subs[i].Err != nil || subs[i].Event.ID != subs[i/2*2].Event.ID {
			t.Fatalf("submission %d: %+v", i, subs[i])
		}
	}
}
