package wal

import (
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// partitionsOf finds an endpoint of each of so many partitions.
func partitionsOf(count int) []event.ID {
	eps := make([]event.ID, count)
	for n, found := uint64(100), 0; found < count; n++ {
		if p := event.Partition(event.EndpointHash(idOf(n)), count); eps[p].IsZero() {
			eps[p] = idOf(n)
			found++
		}
	}
	return eps
}

// TestWatermarksOfPartitions: a partition with a watermark of its own is read from
// there, the others from that of all, across restarts; and one for all takes the place
// of all of them.
func TestWatermarksOfPartitions(t *testing.T) {
	for _, skip := range []uint64{1, 1000, 3 * hour} {
		o := testOptions(vfs.NewMem())
		o.Partitions = 4
		eps := partitionsOf(4)
		l := openLog(t, o)
		var posts []*event.Event
		for range 8 {
			advance(l, skip)
			posts = append(posts, appendOne(t, l, post(idOf(1), "x", eps...)))
		}
		from := map[event.ID]int{} // the post from which an endpoint is read
		mark := func(at int, partitions ...uint16) {
			must(t, l.SetMark(event.Mark{Watermark: posts[at].ID.Time(), Partitions: partitions}))
			if partitions == nil {
				partitions = []uint16{0, 1, 2, 3}
			}
			for _, p := range partitions {
				from[eps[p]] = at
			}
		}
		check := func(own int) {
			t.Helper()
			l = reopen(t, l, o)
			want := map[event.ID]event.ID{}
			for p, ep := range eps {
				want[ep] = event.Before(posts[from[ep]].Owed[p].ID)
			}
			if r := recoverAll(t, l); !maps.Equal(r.behind, want) {
				t.Errorf("skip %d: behind %v, want %v", skip, r.behind, want)
			}
			marks, err := readWatermarks(l.db)
			must(t, err)
			if len(marks.own) != own {
				t.Errorf("skip %d: watermarks of their own: %v, want %d", skip, marks.own, own)
			}
		}
		mark(2)
		check(0)
		mark(4, 1)
		check(1)
		mark(5, 0, 1, 3) // what 2 has is older, and that of all is still its
		check(3)
		if marks, err := readWatermarks(l.db); err != nil || marks.least(4) != posts[2].ID.Time() {
			t.Errorf("skip %d: the least is %d: %v", skip, marks.least(4), err)
		}
		mark(4, 2)
		check(4)
		if marks, err := readWatermarks(l.db); err != nil || marks.least(4) != posts[4].ID.Time() {
			t.Errorf("skip %d: the least is %d: %v", skip, marks.least(4), err)
		}
		mark(6)
		check(0)
	}
}

// TestRecoverOfOnePartition reads nothing of the others, before their watermarks or
// after.
func TestRecoverOfOnePartition(t *testing.T) {
	o := testOptions(vfs.NewMem())
	o.Partitions = 16
	l := openLog(t, o)
	eps := partitionsOf(16)
	r := rand.New(rand.NewPCG(5, 5))
	want := make(map[event.ID]event.ID)
	var m event.Mark
	for n := range 300 {
		advance(l, r.Uint64N(hour/20))
		p := r.IntN(16)
		d := appendOne(t, l, post(idOf(1), "x", eps[p])).Owed[0]
		switch known := want[eps[p]]; {
		case n%3 > 0:
			settle(t, l, attempted(d, []event.Status{event.Success, event.Retry}[n%2]))
		case known.IsZero():
			want[eps[p]] = event.Before(d.ID)
		}
		if n == 150 { // those behind are recorded, the others have come so far
			for ep, after := range want {
				m.Behind = append(m.Behind, event.Behind{Endpoint: ep, After: after})
			}
			m.Watermark = l.now()
			m.Health = []event.Health{{Endpoint: eps[3], Failures: 3}, {Endpoint: eps[4], Failures: 4}}
			must(t, l.SetMark(m))
		}
	}
	must(t, l.Flush())
	all := recoverAll(t, l)
	for p := range uint16(16) {
		got := recovered{map[event.ID]event.ID{}, map[event.ID]uint64{}, map[event.ID]event.Health{}}
		err := l.Recover(func(q uint16) bool { return q == p },
			func(b event.Behind) { got.behind[b.Endpoint] = b.After },
			func(t event.Timer) { got.timers[t.Endpoint] = t.DueMilli },
			func(h event.Health) { got.health[h.Endpoint] = h })
		must(t, err)
		only := recovered{map[event.ID]event.ID{}, map[event.ID]uint64{}, map[event.ID]event.Health{}}
		ep := eps[p]
		if after, behind := want[ep]; behind {
			only.behind[ep] = after
		}
		if due, waits := all.timers[ep]; waits {
			only.timers[ep] = due
		}
		if h, ill := all.health[ep]; ill {
			only.health[ep] = h
		}
		if !maps.Equal(got.behind, only.behind) || !maps.Equal(got.timers, only.timers) || !maps.Equal(got.health, only.health) {
			t.Errorf("partition %d: got %+v, want %+v", p, got, only)
		}
	}
	if len(all.health) != 2 || len(all.timers) < 8 {
		t.Errorf("got %d endpoints that are not well and %d with timers: the test shows nothing", len(all.health), len(all.timers))
	}
}

// TestRecoverWhileTheLogRuns parts what it found from what comes later.
func TestRecoverWhileTheLogRuns(t *testing.T) {
	l := newLogInMemory(t)
	ep := idOf(2)
	for range 50 {
		before := appendOne(t, l, post(idOf(1), "x", ep)).Owed[0]
		r := recoverAll(t, l)
		horizon := l.Horizon(ep)
		after := appendOne(t, l, post(idOf(1), "y", ep)).Owed[0]
		if before.ID.Compare(horizon) > 0 || after.ID.Compare(horizon) <= 0 {
			t.Fatalf("the horizon %s does not lie between %s and %s", horizon, before.ID, after.ID)
		}
		if len(r.behind) != 1 {
			t.Fatalf("behind %v", r.behind)
		}
	}
}

// TestRetainNeedsEveryWatermark: a partition that nobody holds keeps what it is owed.
func TestRetainNeedsEveryWatermark(t *testing.T) {
	h := newHours(t, 1, 6, 5)
	at := func(hours uint64) uint64 { return (uint64(h.start) + hours) * hour }
	all := Policy{Now: h.at(100), Default: Keep{Payload: time.Hour, History: time.Hour}}
	must(t, h.l.SetMark(event.Mark{Watermark: at(2)}))
	must(t, h.l.SetMark(event.Mark{Watermark: at(4), Partitions: []uint16{0, 1}}))
	must(t, h.l.Flush())
	if r := h.retain(all); r.Hours != 2 {
		t.Errorf("with most partitions in the third hour: %+v", r)
	}
	every := make([]uint16, h.l.Partitions())
	for p := range every {
		every[p] = uint16(p)
	}
	must(t, h.l.SetMark(event.Mark{Watermark: at(4), Partitions: every}))
	must(t, h.l.SetMark(event.Mark{Watermark: at(3), Partitions: every[7:8]}))
	must(t, h.l.Flush())
	if r := h.retain(all); r.Hours != 1 {
		t.Errorf("with one partition in the fourth hour: %+v", r)
	}
	must(t, h.l.SetMark(event.Mark{Watermark: at(5)}))
	must(t, h.l.Flush())
	if r := h.retain(all); r.Hours != 2 {
		t.Errorf("with all in the sixth hour: %+v", r)
	}
}

// TestIDsRiseAboveEveryWatermark, also above one of a single partition.
func TestIDsRiseAboveEveryWatermark(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	ahead := l.now() + 50*hour
	must(t, l.SetMark(event.Mark{Watermark: ahead, Partitions: []uint16{3}}))
	l = reopen(t, l, o)
	if ev := appendOne(t, l, post(idOf(1), "z", idOf(2))); ev.ID.Time() < ahead {
		t.Errorf("the id %s is before a watermark", ev.ID)
	}
}

// slowSink takes its time, and counts.
type slowSink struct{ events atomic.Int64 }

func (s *slowSink) Committed(groups [][]event.Submission) {
	time.Sleep(2 * time.Millisecond)
	for _, subs := range groups {
		s.events.Add(int64(len(subs)))
	}
}

func (s *slowSink) Waiting([]event.Timer) {}

// TestFlushComesBehindTheSink: what was acknowledged before it has been handed on.
func TestFlushComesBehindTheSink(t *testing.T) {
	sink := new(slowSink)
	o := testOptions(vfs.NewMem())
	o.Sink = sink
	l := openLog(t, o)
	recoverAll(t, l)
	for n := range int64(20) {
		appendOne(t, l, post(idOf(1), "x", idOf(2)))
		must(t, l.Flush())
		if got := sink.events.Load(); got != n+1 {
			t.Fatalf("%d events were handed on after a Flush, want %d", got, n+1)
		}
	}
}
