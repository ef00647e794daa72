package wal

import (
	"bytes"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
	"posthaste/internal/steady"
)

// machine is a machine whose clock a test sets; its monotonic clock is the real one.
type machine struct{ off atomic.Int64 }

func (m *machine) clock() *steady.Clock {
	began := time.Now()
	return steady.Of(func() (wall, mono int64) {
		now := time.Now()
		return now.UnixNano() + m.off.Load(), int64(now.Sub(began))
	})
}

func (m *machine) set(by time.Duration) { m.off.Add(int64(by)) }

// TestIdsRiseWhateverTheClockDoes appends while the machine's clock is set ahead and back,
// and over restarts with a clock that is wrong. Ids rise, also those of deliveries to one
// endpoint, everything can be read back, and keys are known.
func TestIdsRiseWhateverTheClockDoes(t *testing.T) {
	fs, project, ep := vfs.NewMem(), idOf(1), idOf(2)
	var m machine
	var ids, owed []event.ID
	keyed := post(project, `{"keyed":true}`, ep)
	keyed.Event.IdempotencyKey = "once"
	var first event.ID

	appendSome := func(l *Log) {
		for range 20 {
			ev := appendOne(t, l, post(project, `{}`, ep))
			ids, owed = append(ids, ev.ID), append(owed, ev.Owed[0].ID)
		}
		again := []event.Submission{keyed}
		must(t, l.Append(t.Context(), again))
		switch got := again[0]; {
		case first == event.ID{}:
			first = got.Event.ID
			owed = append(owed, got.Event.Owed[0].ID)
		case !got.Duplicate || got.Event.ID != first:
			t.Errorf("%v: the key was forgotten", time.Duration(m.off.Load()))
		}
	}
	for _, steps := range [][]time.Duration{
		{0, time.Hour, -time.Hour, -time.Hour, -22 * time.Hour},
		{0, -24 * time.Hour},
		{30 * time.Hour, -time.Minute},
	} {
		m.set(steps[0])
		o := testOptions(fs)
		o.Clock = m.clock()
		l, err := Open(o)
		must(t, err)
		recoverAll(t, l)
		appendSome(l)
		for _, by := range steps[1:] {
			m.set(by)
			appendSome(l)
			if before, now := time.UnixMilli(int64(ids[len(ids)-1].Time())), l.Now(); now.Before(before) {
				t.Errorf("now is %s, an id was made at %s", now, before)
			}
		}
		must(t, l.Close())
	}
	for _, list := range [][]event.ID{ids, owed} {
		if !slices.IsSortedFunc(list, func(a, b event.ID) int { return bytes.Compare(a[:], b[:]) }) {
			t.Errorf("ids went back: %v", list)
		}
	}
	l := openLog(t, testOptions(fs))
	recoverAll(t, l)
	ds, err := owedTo(l, ep, event.ID{}, l.Horizon(ep), 7)
	must(t, err)
	sameIDs(t, "what the endpoint is owed", idsOf(ds), owed)
}

// The log's clock begins where the store ends, however far behind the machine's is.
func TestTheLogsClockBeginsAtTheNewestID(t *testing.T) {
	fs := vfs.NewMem()
	l := openLog(t, testOptions(fs))
	recoverAll(t, l)
	if newest := l.Newest(); newest.Year() != 1970 {
		t.Errorf("a new store's newest id is of %s", newest)
	}
	ev := appendOne(t, l, post(idOf(1), `{}`))
	must(t, l.Close())

	var m machine
	m.set(-20 * 365 * 24 * time.Hour)
	o := testOptions(fs)
	o.Clock = m.clock()
	l = openLog(t, o)
	made := time.UnixMilli(int64(ev.ID.Time()))
	if now := l.Now(); now.Before(made) {
		t.Errorf("before Recover now is %s, the newest id is of %s", now, made)
	}
	recoverAll(t, l)
	if newest := l.Newest(); newest.Before(made) || newest.Sub(made) > time.Second {
		t.Errorf("the newest id is of %s, want %s", newest, made)
	}
	if now := l.Now(); now.Before(made) || now.Sub(made) > time.Minute {
		t.Errorf("now is %s, the newest id is of %s", now, made)
	}
}
