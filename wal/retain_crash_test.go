package wal

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"posthaste/event"
)

// TestCrashInsideRetention cuts the power inside every write of a retention with
// its compactions. Whatever was removed by then, what has to be there is, every
// delivery that is there is listed, and the next retention brings it to its end.
func TestCrashInsideRetention(t *testing.T) {
	mem := vfs.NewCrashableMem()
	var cutting atomic.Bool
	var ops atomic.Int64
	var cuts []*vfs.MemFS
	clones := make(chan *vfs.MemFS, 4096)
	h := newHoursOn(t, 11, 8, 10, errorfs.Wrap(plainReuse{mem}, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !cutting.Load() || op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
			return nil
		}
		n := ops.Add(1)
		percent := []int{0, 1, 50, 100}[n%4]
		clones <- mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(uint64(n), 7))})
		return nil
	})))
	h.finish(func(d *event.Delivery) event.Status {
		switch h.rng.IntN(15) {
		case 0:
			return event.Retry
		case 1:
			if len(h.behind) < 2 {
				return event.Scheduled
			}
		}
		return event.Success
	})
	p := Policy{
		Now: h.at(9), Default: Keep{Payload: 2 * time.Hour, History: 4 * time.Hour, MaxBytes: 20_000},
		Except: map[event.ID]Keep{idOf(2): {Payload: 5 * time.Hour, History: 5 * time.Hour}},
	}
	cutting.Store(true)
	r := h.retain(p)
	for id := range h.events {
		if err := h.l.DeleteContent(idOf(3), id); err == nil {
			break
		}
	}
	must(t, h.l.PutJob(job(1, 1, event.JobRunning)))
	cutting.Store(false)
	must(t, h.l.Close())
	close(clones)
	for c := range clones {
		cuts = append(cuts, c)
	}
	t.Logf("%d cuts in %+v", len(cuts), r)
	if len(cuts) < 40 || r.Ranges < 10 {
		t.Errorf("too little happened: %d cuts, %+v", len(cuts), r)
	}
	p.Default.MaxBytes = 0
	every := 1
	if testing.Short() {
		every = 7
	}
	for i, fs := range cuts {
		if i%every != 0 {
			continue
		}
		if err := h.verifyCut(fs, p); err != nil {
			t.Fatalf("cut %d of %d: %v", i, len(cuts), err)
		}
	}
}

// verifyCut opens what a cut left. The policy has no bound on sizes: how far that got
// is not known here.
func (h *hoursOf) verifyCut(fs vfs.FS, p Policy) error {
	o := h.o
	o.FS = fs
	l, err := Open(o)
	if err != nil {
		return err
	}
	defer func() { must(h.t, l.Close()) }()
	if _, err := tryRecover(l); err != nil {
		return err
	}
	booksInOrder(h.t, l)
	for range 2 {
		if err := h.hasWhatItMust(l, p); err != nil {
			return err
		}
		if _, err := l.Retain(p); err != nil {
			return err
		}
	}
	events, deliveries := h.want(p)
	for id := range h.state {
		d, err := l.Delivery(h.state[id].ProjectID, id)
		if err == nil && !deliveries[id] {
			return fmt.Errorf("delivery %+v is still there", d)
		}
	}
	for id, ev := range h.events {
		if _, err := l.Event(ev.ProjectID, id); err == nil && !events[id] {
			return fmt.Errorf("an event of hour %d is still there", bucketOf(id.Time())-h.start)
		}
	}
	return nil
}

// hasWhatItMust: all that the policy keeps is there, and all deliveries that are there
// are listed.
func (h *hoursOf) hasWhatItMust(l *Log, p Policy) error {
	_, deliveries := h.want(p)
	there := map[event.ID]bool{}
	for id := range h.state {
		if _, err := l.Delivery(h.state[id].ProjectID, id); err == nil {
			there[id] = true
		} else if deliveries[id] {
			return fmt.Errorf("%+v: %w", h.state[id], err)
		}
	}
	var listed []event.ID
	for project := uint64(1); project <= 3; project++ {
		ds, _, err := l.Deliveries(idOf(project), event.Range{Limit: 1 << 20}, event.DeliveryFilter{})
		if err != nil {
			return err
		}
		listed = append(listed, idsOf(ds)...)
	}
	if want := sorted(slices.Collect(maps.Keys(there))); !slices.Equal(sorted(listed), want) {
		return fmt.Errorf("%d of %d deliveries are listed", len(listed), len(want))
	}
	for id := range there {
		d := h.state[id]
		if d.Status != event.Retry && d.Status.Owed() {
			continue
		}
		if ev, err := l.Event(d.ProjectID, d.EventID); d.Status == event.Retry && (err != nil || ev.ID != d.EventID) {
			return fmt.Errorf("the event of %+v: %w", d, err)
		}
	}
	return nil
}

// TestRetentionDespiteASharedHash: where history goes by the endpoint's hash, the
// longest that any endpoint of that hash needs counts.
func TestRetentionDespiteASharedHash(t *testing.T) {
	a, b := collidingEndpoints()
	for name, c := range map[string]struct {
		longest func(uint32) (time.Duration, bool)
		want    bool
	}{
		"one needs it for ever": {func(uint32) (time.Duration, bool) { return 0, true }, true},
		"one needs a day":       {func(uint32) (time.Duration, bool) { return 24 * time.Hour, true }, true},
		"none needs it":         {func(uint32) (time.Duration, bool) { return time.Hour, true }, false},
		"none lives":            {func(uint32) (time.Duration, bool) { return 0, false }, false},
	} {
		l := newLogInMemory(t)
		setClock(l, (l.now()/hour+1)*hour)
		first := appendOne(t, l, post(idOf(1), "x", a))
		second := appendOne(t, l, post(idOf(2), "x", b))
		for _, ev := range []*event.Event{first, second} {
			settle(t, l, attempted(ev.Owed[0], event.Success))
		}
		advance(l, 5*hour)
		must(t, l.SetMark(event.Mark{Watermark: l.now()}))
		must(t, l.Flush())
		_, err := l.Retain(Policy{
			Now: time.UnixMilli(int64(l.now())), Default: Keep{Payload: time.Hour, History: time.Hour}, Longest: c.longest,
			Except: map[event.ID]Keep{idOf(2): {Payload: time.Hour}},
		})
		must(t, err)
		for _, ev := range []*event.Event{first, second} {
			if _, err := l.Delivery(ev.ProjectID, ev.Owed[0].ID); (err == nil) != c.want {
				t.Errorf("%s: project %s's delivery: %v", name, ev.ProjectID, err)
			}
			if c.want {
				sameIDs(t, name, listed(t, l, ev.ProjectID, event.Range{Limit: 9}, event.DeliveryFilter{}), idsOf(ev.Owed))
			}
		}
	}
}
