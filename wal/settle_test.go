package wal

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// indexRows counts the rows of the timer and status indexes.
func indexRows(t *testing.T, l *Log) (timers, statuses int) {
	t.Helper()
	for _, r := range records(t, l) {
		switch r.key[0] {
		case kindTimer:
			timers++
		case kindStatus:
			statuses++
		}
	}
	return timers, statuses
}

func wantIndexRows(t *testing.T, l *Log, when string, timers, statuses int) {
	t.Helper()
	if gotT, gotS := indexRows(t, l); gotT != timers || gotS != statuses {
		t.Errorf("%s: %d timers and %d status rows, want %d and %d", when, gotT, gotS, timers, statuses)
	}
}

// TestLifeOfADelivery follows one delivery through every state and checks rows,
// indexes and what is read back at each step.
func TestLifeOfADelivery(t *testing.T) {
	l := newLogInMemory(t)
	d := appendOne(t, l, post(idOf(1), "x", idOf(2))).Owed[0]
	wantIndexRows(t, l, "scheduled", 0, 0)
	var attempts []event.Attempt

	step := func(to event.Status, timers, statuses int) {
		t.Helper()
		s := attempted(d, to)
		s.Attempt.Error = fmt.Sprint("attempt ", s.Attempt.Number)
		s.Attempt.ResponseBody = []byte{byte(s.Attempt.Number), 0, 0xFF}
		attempts = append(attempts, *s.Attempt)
		d = settle(t, l, s)
		wantIndexRows(t, l, to.String(), timers, statuses)
		got, err := l.Delivery(d.ProjectID, d.ID)
		if err != nil || got != d {
			t.Fatalf("%s: got %+v, %v\nwant %+v", to, got, err, d)
		}
		all, err := l.Attempts(d.ProjectID, d.ID)
		if err != nil || !reflect.DeepEqual(all, attempts) {
			t.Fatalf("%s: got attempts %+v, %v\nwant %+v", to, all, err, attempts)
		}
	}
	change := func(to event.Status, reason string, timers, statuses int) {
		t.Helper()
		s := event.Settlement{Delivery: d, Was: d.Status, Timer: d.Due}
		s.Delivery.Status, s.Delivery.Reason, s.Delivery.Due = to, reason, time.Time{}
		if to == event.Retry {
			s.Delivery.Due = time.UnixMilli(1_700_000_000_000).UTC()
		}
		d = settle(t, l, s)
		wantIndexRows(t, l, to.String(), timers, statuses)
		got, err := l.Delivery(d.ProjectID, d.ID)
		if err != nil || got != d {
			t.Fatalf("%s: got %+v, %v\nwant %+v", to, got, err, d)
		}
	}

	step(event.Retry, 1, 1)
	step(event.Retry, 1, 1) // another due time
	change(event.Discarded, "the endpoint is paused", 0, 1)
	change(event.Retry, "", 1, 1) // by hand, at once
	step(event.Failure, 0, 1)
	change(event.Retry, "", 1, 1)
	step(event.Success, 0, 0)

	rows := 0
	for _, r := range records(t, l) {
		if r.key[0] == kindDelivery {
			rows++
		}
	}
	if rows != 1+4+2 { // created; four attempts; a change of state after the 2nd and one after the 3rd
		t.Errorf("%d delivery rows", rows)
	}
}

func TestOutcomeRows(t *testing.T) {
	for _, c := range []struct {
		attempts, number int // number 0: no attempt
		want             uint16
	}{
		{0, 0, 1}, {1, 1, 2}, {1, 0, 3}, {2, 2, 4}, {event.MaxAttempts, event.MaxAttempts, 2000},
		{32766, 0, 65533}, {32767, 32767, 65534}, {32768, 32768, 65534}, {1 << 20, 0, 65534},
	} {
		s := event.Settlement{Delivery: event.Delivery{Attempts: c.attempts}}
		if c.number > 0 {
			s.Attempt = &event.Attempt{Number: c.number}
		}
		if got := outcomeRow(&s); got != c.want {
			t.Errorf("attempts %d, number %d: row %d, want %d", c.attempts, c.number, got, c.want)
		}
	}
}

// TestSettleKeepsNoReference: the worker reuses the attempt's memory at once.
func TestSettleKeepsNoReference(t *testing.T) {
	l := newLogInMemory(t)
	d := appendOne(t, l, post(idOf(1), "x", idOf(2))).Owed[0]
	s := attempted(d, event.Success)
	s.Attempt.ResponseBody = []byte("right")
	must(t, l.Settle(&s))
	copy(s.Attempt.ResponseBody, "wrong")
	*s.Attempt = event.Attempt{}
	must(t, l.Flush())
	all, err := l.Attempts(idOf(1), d.ID)
	if err != nil || len(all) != 1 || string(all[0].ResponseBody) != "right" {
		t.Errorf("got %+v, %v", all, err)
	}
}

// TestSettleCommitsByItself: without an intake or a Flush to ride with.
func TestSettleCommitsByItself(t *testing.T) {
	o := testOptions(vfs.NewMem())
	groups := make(chan GroupStats, 16)
	o.Observe = func(s GroupStats) { groups <- s }
	l := openLog(t, o)
	d := appendOne(t, l, post(idOf(1), "x", idOf(2))).Owed[0]
	<-groups
	s := attempted(d, event.Success)
	must(t, l.Settle(&s))
	if g := <-groups; g.Settlements != 1 {
		t.Errorf("got %+v", g)
	}
	must(t, l.SetMark(event.Mark{Watermark: 5}))
	if g := <-groups; g.Bytes == 0 {
		t.Errorf("got %+v", g)
	}
}

// TestWaitingIsToldOnceTimersCanBeRead is what the engine relies on.
func TestWaitingIsToldOnceTimersCanBeRead(t *testing.T) {
	o := testOptions(vfs.NewMem())
	sink := &readingSink{t: t}
	o.Sink = sink
	l := openLog(t, o)
	sink.l = l
	for i := range 20 {
		d := appendOne(t, l, post(idOf(1), "x", idOf(uint64(10+i)))).Owed[0]
		s := attempted(d, event.Retry)
		must(t, l.Settle(&s))
	}
	must(t, l.Flush())
	if err := l.Close(); err != nil || sink.told != 20 {
		t.Errorf("told of %d timers, %v", sink.told, err)
	}
}

// readingSink reads what it is told of, from the committer's goroutine.
type readingSink struct {
	t    *testing.T
	l    *Log
	told int
}

func (s *readingSink) Committed(groups [][]event.Submission) {
	for _, subs := range groups {
		for i := range subs {
			if _, err := s.l.Event(subs[i].Event.ProjectID, subs[i].Event.ID); err != nil {
				s.t.Errorf("told of an event that cannot be read: %v", err)
			}
		}
	}
}

func (s *readingSink) Waiting(timers []event.Timer) {
	for _, timer := range timers {
		s.told++
		ds, _, err := s.l.ReadTimers(nil, timer.Endpoint, 0, event.ID{}, timer.DueMilli, 10)
		if err != nil || len(ds) != 1 {
			s.t.Errorf("told of a timer, read %d, %v", len(ds), err)
		}
	}
}
