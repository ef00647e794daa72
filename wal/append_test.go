package wal

import (
	"bytes"
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

// TestIDsRiseInCommitOrder appends from many goroutines: the Sink sees ids rise,
// sees every event once, and a writer's own ids rise too.
func TestIDsRiseInCommitOrder(t *testing.T) {
	const writers, each = 16, 40
	sink := &recordingSink{}
	o := testOptions(vfs.NewMem())
	o.Sink = sink
	l := openLog(t, o)
	recoverAll(t, l)

	ids := make([][]event.ID, writers)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				subs := []event.Submission{post(idOf(1), fmt.Sprint(w, i), idOf(2), idOf(3)), post(idOf(1), "2", idOf(2))}
				if err := l.Append(t.Context(), subs); err != nil {
					t.Error(err)
					return
				}
				ids[w] = append(ids[w], subs[0].Event.ID, subs[1].Event.ID)
			}
		})
	}
	wg.Wait()
	must(t, l.Flush())

	committed, _ := sink.snapshot()
	if !slices.IsSortedFunc(committed, event.ID.Compare) {
		t.Error("ids do not rise in commit order")
	}
	all := slices.Concat(ids...)
	for w := range ids {
		if !slices.IsSortedFunc(ids[w], event.ID.Compare) {
			t.Errorf("writer %d: ids do not rise", w)
		}
	}
	slices.SortFunc(all, event.ID.Compare)
	sameIDs(t, "committed", committed, all)
	if len(slices.Compact(all)) != 2*writers*each {
		t.Error("an id was given twice")
	}
	owed, err := owedTo(l, idOf(2), event.ID{}, event.DeliveryID(maxMillis, 0, 0), 100)
	must(t, err)
	if len(owed) != 2*writers*each || !slices.IsSortedFunc(idsOf(owed), event.ID.Compare) {
		t.Errorf("%d deliveries to one endpoint, want %d in order", len(owed), 2*writers*each)
	}
}

func TestEventReadsBackExactly(t *testing.T) {
	l := newLogInMemory(t)
	for name, data := range map[string]string{
		"json":       "{ \"b\":1,\n\t\"a\": [1.0, 1e5, \"\\u00e9é\U0001F600\"] }",
		"empty":      "",
		"not utf-8":  "\xff\xfe\x00",
		"large":      string(bytes.Repeat([]byte("0123456789"), 100_000)),
		"big number": "123456789012345678901234567890.10",
	} {
		s := post(idOf(1), data, idOf(2), idOf(3))
		s.Event.Type, s.Event.OwnerID, s.Event.IdempotencyKey = "über.typ", "owner-ñ", "key "+name
		s.Event.Headers = []event.Header{{Name: "X-Ünicode", Value: "värde"}, {Name: "B"}}
		want := appendOne(t, l, s)
		got, err := l.Event(idOf(1), want.ID)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := sameEvent(got, want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := l.Event(idOf(9), want.ID); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("%s: seen by another project: %v", name, err)
		}
	}
}

func TestDeliveryReadsBackExactly(t *testing.T) {
	l := newLogInMemory(t)
	s := post(idOf(1), "x", idOf(2), idOf(3))
	s.Event.Owed[1].Status, s.Event.Owed[1].Reason = event.Discarded, "the endpoint is paused"
	ev := appendOne(t, l, s)
	for i := range ev.Owed {
		want := ev.Owed[i]
		if want.ID == (event.ID{}) || want.EventID != ev.ID || want.ProjectID != idOf(1) || !want.UpdatedAt.Equal(event.TimeOf(want.ID)) {
			t.Errorf("Append left %+v", want)
		}
		got, err := l.Delivery(idOf(1), want.ID)
		if err != nil || got != want {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
		if _, err := l.Delivery(idOf(9), want.ID); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("seen by another project: %v", err)
		}
		if _, err := l.Attempts(idOf(9), want.ID); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("attempts seen by another project: %v", err)
		}
	}
	for _, id := range []event.ID{{}, idOf(77), ev.ID, event.Before(ev.Owed[0].ID)} {
		if _, err := l.Delivery(idOf(1), id); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("delivery %s: got error %v", id, err)
		}
		if _, err := l.Attempts(idOf(1), id); !errors.Is(err, event.ErrNotFound) {
			t.Errorf("attempts of %s: got error %v", id, err)
		}
	}
	if _, err := l.Event(idOf(1), ev.Owed[0].ID); !errors.Is(err, event.ErrNotFound) {
		t.Errorf("an event by a delivery's id: %v", err)
	}
}

func TestRefusedSubmissionsAreNotStored(t *testing.T) {
	sink := &recordingSink{}
	o := testOptions(vfs.NewMem())
	o.Sink = sink
	l := openLog(t, o)
	refused := errors.New("refused before")
	subs := []event.Submission{post(idOf(1), "a", idOf(2)), post(idOf(1), "b", idOf(2)), post(idOf(1), "c", idOf(2))}
	subs[1].Err = refused
	must(t, l.Append(t.Context(), subs))
	must(t, l.Flush())
	stored, _, err := l.Events(idOf(1), event.Range{Limit: 10}, event.EventFilter{})
	must(t, err)
	if len(stored) != 2 || string(stored[0].Data) != "a" || string(stored[1].Data) != "c" {
		t.Errorf("stored %d events", len(stored))
	}
	if committed, _ := sink.snapshot(); len(committed) != 2 {
		t.Errorf("the sink got %d events", len(committed))
	}
	if subs[1].Err != refused || subs[1].Event.ID != (event.ID{}) {
		t.Errorf("the refused one became %+v", subs[1])
	}

	before := len(records(t, l))
	must(t, l.Append(t.Context(), []event.Submission{{Err: refused}}))
	must(t, l.Append(t.Context(), nil))
	if after := len(records(t, l)); after != before {
		t.Errorf("%d records were written for nothing", after-before)
	}
}

// TestAppendHonoursContext: before it joined a group, and not afterwards.
func TestAppendHonoursContext(t *testing.T) {
	l := newLogInMemory(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Append(ctx, []event.Submission{post(idOf(1), "a", idOf(2))}); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
	if events, _, err := l.Events(idOf(1), event.Range{Limit: 10}, event.EventFilter{}); err != nil || len(events) != 0 {
		t.Errorf("stored %d events, %v", len(events), err)
	}
}

// TestGroupIsBounded appends far more than a group holds.
func TestGroupIsBounded(t *testing.T) {
	o := testOptions(vfs.NewMem())
	o.GroupBytes = 4 << 10
	var mu sync.Mutex
	var largest int
	o.Observe = func(s GroupStats) {
		mu.Lock()
		defer mu.Unlock()
		largest = max(largest, s.Bytes)
	}
	l := openLog(t, o)
	data := string(make([]byte, 1000))
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for range 10 {
				if err := l.Append(t.Context(), []event.Submission{post(idOf(1), data, idOf(2))}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	must(t, l.Flush())
	mu.Lock()
	defer mu.Unlock()
	if largest == 0 || largest > o.GroupBytes+2000 {
		t.Errorf("the largest group had %d bytes, with a bound of %d and one request beyond it", largest, o.GroupBytes)
	}
}

// TestLargeBatch is more than half of a memtable, which Pebble treats apart.
func TestLargeBatch(t *testing.T) {
	fs := vfs.NewMem()
	o := testOptions(fs)
	o.MemTableBytes = 64 << 10
	l, err := Open(o)
	must(t, err)
	subs := make([]event.Submission, 300)
	for i := range subs {
		subs[i] = post(idOf(1), fmt.Sprintf("%01000d", i), idOf(2), idOf(3))
	}
	must(t, l.Append(t.Context(), subs))
	must(t, l.Close())
	l = openLog(t, o)
	for i := range subs {
		got, err := l.Event(idOf(1), subs[i].Event.ID)
		must(t, err)
		must(t, sameEvent(got, &subs[i].Event))
	}
}

// TestSequenceWraps: ids still rise when the sequence starts again.
func TestSequenceWraps(t *testing.T) {
	l := newLogInMemory(t)
	setClock(l, goldenClock)
	l.mu.Lock()
	l.seq = event.MaxDeliverySeq - 3
	l.mu.Unlock()
	var last event.ID
	var lastDelivery event.ID
	for range 4 {
		ev := appendOne(t, l, post(idOf(1), "x", idOf(2)))
		if ev.ID.Compare(last) <= 0 || ev.Owed[0].ID.Compare(lastDelivery) <= 0 {
			t.Errorf("ids %s, %s after %s, %s", ev.ID, ev.Owed[0].ID, last, lastDelivery)
		}
		last, lastDelivery = ev.ID, ev.Owed[0].ID
	}
	if last.Time() != goldenClock+1 {
		t.Errorf("the last id is of %d, want one millisecond later than %d", last.Time(), uint64(goldenClock))
	}
}

// TestObserve counts what is committed.
func TestObserve(t *testing.T) {
	o := testOptions(vfs.NewMem())
	stats := make(chan GroupStats, 100)
	o.Observe = func(s GroupStats) { stats <- s }
	l := openLog(t, o)
	ev := appendOne(t, l, post(idOf(1), "x", idOf(2)))
	settle(t, l, attempted(ev.Owed[0], event.Success))
	must(t, l.Close())
	close(stats)
	var sum GroupStats
	for s := range stats {
		sum.Events += s.Events
		sum.Settlements += s.Settlements
		sum.Bytes += s.Bytes
		if s.Wait < 0 || s.Wait > time.Minute {
			t.Errorf("a commit took %v", s.Wait)
		}
	}
	if sum.Events != 1 || sum.Settlements != 1 || sum.Bytes == 0 {
		t.Errorf("got %+v", sum)
	}
}
