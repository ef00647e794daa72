package wal

import (
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// TestOnlyAFewProjectsGetRoomAhead: a full stretch's follower has room for as much, but
// not of so many projects that what they hold is without a bound.
func TestOnlyAFewProjectsGetRoomAhead(t *testing.T) {
	var x indexer
	const clock = goldenClock
	x.start(clock)
	seq := uint64(0)
	for p := range uint64(4 * fewOpen) {
		for range stretchEvents {
			seq++
			x.note(idOf(p+1), event.DeliveryID(clock, 1, seq), []tag{tag(p)})
		}
		x.written(x.queue)
		x.queue = nil
	}
	ahead := 0
	for _, s := range x.open {
		if cap(s.ids) > len(s.ids) {
			ahead++
		}
	}
	if ahead == 0 || ahead > fewOpen {
		t.Errorf("%d of %d projects have room ahead, at most %d may", ahead, len(x.open), fewOpen)
	}
	if len(x.ended) != 0 || x.behind != 0 {
		t.Errorf("all is written, but %d projects wait with %d tags", len(x.ended), x.behind)
	}
}

// TestStretchesThatWaitAreBounded: a log that takes more than it writes of the index forgets
// stretches, not memory.
func TestStretchesThatWaitAreBounded(t *testing.T) {
	var x indexer
	x.start(goldenClock)
	note := func(seq uint64) { x.note(idOf(1), event.DeliveryID(goldenClock, 1, seq), []tag{1, 2, 3}) }
	for seq := range uint64(2 * endedTags / 5) {
		note(seq)
	}
	held := 0
	for _, s := range x.ended[idOf(1)] {
		held += s.cost()
	}
	if held != x.behind || held <= endedTags || held > endedTags+stretchTags {
		t.Errorf("%d tags wait, %d by the count, at most about %d may", held, x.behind, endedTags)
	}
	x.written(x.queue)
	x.queue = nil
	for seq := range uint64(stretchEvents) {
		note(2*endedTags + seq)
	}
	if len(x.queue) != 1 {
		t.Errorf("%d stretches are queued after the others were written", len(x.queue))
	}
}

// TestAForgottenStretchIsReadRowByRow, with stretches around it that are not.
func TestAForgottenStretchIsReadRowByRow(t *testing.T) {
	l := newLogInMemory(t)
	setClock(l, (l.now()/hour+1)*hour) // no hour ends meanwhile
	want := numbered(t, l, idOf(1), stretchEvents+100, 700)
	indexAll(t, l)
	behind := func(n int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.indexer.behind += n
	}
	behind(2 * endedTags)
	want = append(want, numbered(t, l, idOf(1), stretchEvents+100, 700)...)
	indexAll(t, l)
	behind(-2 * endedTags)
	want = append(want, numbered(t, l, idOf(1), 2*stretchEvents, 700)...)
	for range 2 {
		for _, down := range []bool{false, true} {
			got, scan, err := l.Events(idOf(1), event.Range{Limit: 100, Descending: down}, event.EventFilter{EventType: "rare"})
			must(t, err)
			ids := eventIDs(got)
			if down {
				slices.Reverse(ids)
			}
			sameIDs(t, "events", ids, want)
			if scan.Looked < stretchEvents || scan.Looked > 2*stretchEvents {
				t.Errorf("down %v: looked at %d rows", down, scan.Looked)
			}
		}
		indexAll(t, l)
	}
}

// TestAStretchDoesNotClaimIdsOfTheNextProcess: the clock may be ahead of the newest id that
// the store knows when the log closes. The next process begins behind that id.
func TestAStretchDoesNotClaimIdsOfTheNextProcess(t *testing.T) {
	const ahead = 10_000
	o := testOptions(vfs.NewMem())
	l, err := Open(o)
	must(t, err)
	begin := uint64(bucketOf(l.now())+6) * bucketMillis // so that the next process goes by the store
	setClock(l, begin)
	want := numbered(t, l, idOf(1), 100, 50)
	setClock(l, begin+ahead)
	must(t, l.Close())

	l = openLog(t, o)
	if now := l.now(); now >= begin+ahead {
		t.Fatalf("the clock is %d ms behind the newest id", now-begin)
	}
	want = append(want, numbered(t, l, idOf(1), 100, 50)...)
	setClock(l, begin+2*ahead)
	want = append(want, numbered(t, l, idOf(1), 100, 50)...)
	indexAll(t, l)
	got, _, err := l.Events(idOf(1), event.Range{Limit: 100}, event.EventFilter{EventType: "rare"})
	must(t, err)
	sameIDs(t, "events", eventIDs(got), want)
}

// TestCloseHurriesTheIndex: rows that wait for an intake to ride with do not hold up Close.
func TestCloseHurriesTheIndex(t *testing.T) {
	o := testOptions(vfs.NewMem())
	o.SettleDelay = time.Hour
	l, err := Open(o)
	must(t, err)
	appendOne(t, l, post(idOf(1), "x", idOf(2)))
	l.endStretches()
	poke(l.index)
	for waits := false; !waits; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		waits = !l.group.empty()
		l.mu.Unlock()
	}
	closed := make(chan error, 1)
	go func() { closed <- l.Close() }()
	select {
	case err := <-closed:
		must(t, err)
	case <-time.After(20 * time.Second):
		t.Fatal("Close waits for the delay of settlements")
	}
}
