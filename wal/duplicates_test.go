package wal

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

func duplicatesOf(t *testing.T, l *Log, project event.ID) []*event.Event {
	t.Helper()
	events, _, err := l.Events(project, event.Range{Limit: 1 << 20}, event.EventFilter{})
	must(t, err)
	var dups []*event.Event
	for _, ev := range events {
		if ev.Origin == event.Duplicate {
			dups = append(dups, ev)
		}
	}
	return dups
}

// TestADuplicateIsKept as a row of its own that owes nothing and reads back with the
// first one's data, also after a restart.
func TestADuplicateIsKept(t *testing.T) {
	o := testOptions(vfs.NewMem())
	sink := &recordingSink{}
	o.Sink = sink
	l := openLog(t, o)
	first := submit(t, l, keyed("k", "the data"))
	again := keyed("k", "the data")
	again.Event.Headers = []event.Header{{Name: "X-A", Value: "1"}}
	again.Event.SourceID, again.Event.Path = idOf(5), "/in"
	submit(t, l, again)
	l = reopen(t, l, o)

	dups := duplicatesOf(t, l, idOf(1))
	if len(dups) != 1 {
		t.Fatalf("%d duplicates", len(dups))
	}
	got := dups[0]
	if got.Of != first.Event.ID || got.ID.Compare(first.Event.ID) <= 0 || string(got.Data) != "the data" || len(got.Owed) != 0 ||
		got.IdempotencyKey != "k" || len(got.Headers) != 1 || got.SourceID != idOf(5) || got.Path != "/in" {
		t.Errorf("got %+v", got)
	}
	one, err := l.Event(idOf(1), got.ID)
	must(t, err)
	if err := sameEvent(one, got); err != nil || one.Of != first.Event.ID {
		t.Errorf("read alone: %v, %+v", err, one)
	}
	ds, _, err := l.Deliveries(idOf(1), event.Range{Limit: 10}, event.DeliveryFilter{EventID: got.ID})
	if err != nil || len(ds) != 0 {
		t.Errorf("it owes %v, %v", ds, err)
	}
	if events, _ := sink.snapshot(); len(events) != 1 {
		t.Errorf("the sink was fed %v", events)
	}

	must(t, l.db.Delete(appendEventKey(nil, idOf(1), first.Event.ID), nil))
	if one, err = l.Event(idOf(1), got.ID); err != nil || len(one.Data) != 0 || one.Of != first.Event.ID {
		t.Errorf("without the first: %+v, %v", one, err)
	}
}

// TestDuplicatesWithinOneRequest each have a row, and know the first one's id.
func TestDuplicatesWithinOneRequest(t *testing.T) {
	l := newLogInMemory(t)
	subs := []event.Submission{keyed("k", "x"), keyed("k", "x"), keyed("", "y"), keyed("k", "x"), keyed("k", "z")}
	must(t, l.Append(t.Context(), subs))
	dups := duplicatesOf(t, l, idOf(1))
	if len(dups) != 2 || len(stored(t, l)) != 2 {
		t.Fatalf("%d duplicates, %d others", len(dups), len(stored(t, l)))
	}
	for _, dup := range dups {
		if dup.Of != subs[0].Event.ID || string(dup.Data) != "x" {
			t.Errorf("got %+v, want one of %s", dup, subs[0].Event.ID)
		}
	}
	if subs[3].Event.ID != subs[0].Event.ID {
		t.Errorf("the submitter sees %s", subs[3].Event.ID)
	}
}

// TestAReplayIsNotADuplicate although it carries the key of its event.
func TestAReplayIsNotADuplicate(t *testing.T) {
	l := newLogInMemory(t)
	first := submit(t, l, keyed("k", "x"))
	for range 2 {
		s := keyed("k", "x")
		s.Event.Origin, s.Event.Of = event.Replayed, first.Event.ID
		if got := submit(t, l, s); got.Duplicate || got.Err != nil || got.Event.ID == first.Event.ID {
			t.Errorf("got %+v", got)
		}
	}
	if got := submit(t, l, keyed("k", "x")); !got.Duplicate || got.Event.ID != first.Event.ID {
		t.Errorf("posted after the replays: %+v", got)
	}
}
