package wal

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"posthaste/event"
	"posthaste/wal/waltest"
)

const (
	crashProject   = 1
	crashFanout    = 3
	crashRequests  = 90
	crashPerEvents = 2 // events of a request
	crashRepeat    = 9 // every so many requests one is posted twice
)

// cut is the disk as a power cut inside one write left it.
type cut struct {
	op    int64
	fs    vfs.FS
	acked int // requests that had been acknowledged by then
}

// plainReuse is what a file system in memory needs to be crashed.
type plainReuse struct{ vfs.FS }

func (f plainReuse) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return waltest.PlainReuse(f).ReuseForWrite(from, to, c)
}

// crashRun is one workload, and the cuts made in it.
type crashRun struct {
	o     Options
	acked atomic.Int64
	reqs  [][]event.Submission // in order of their acknowledgement
	cuts  []cut
	stats Stats
}

// run appends requests of two events with three deliveries each, settles some of
// them, moves the mark as the engine does, and cuts the power inside every n-th
// write of the file system.
func (c *crashRun) run(t *testing.T, every int64) {
	mem := vfs.NewCrashableMem()
	var ops atomic.Int64
	cuts := make(chan cut, 4096)
	c.o.FS = errorfs.Wrap(plainReuse{mem}, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
			return nil
		}
		if n := ops.Add(1); n%every == 0 {
			acked := int(c.acked.Load())
			percent := []int{0, 1, 50, 100}[n/every%4]
			cuts <- cut{n, mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(uint64(n), 7))}), acked}
		}
		return nil
	}))
	l, err := Open(c.o)
	must(t, err)
	recoverAll(t, l)
	c.workload(t, l)
	must(t, l.db.Compact(t.Context(), []byte{0}, []byte{255}, false)) // one at least, however quick the flushes were
	c.stats = l.Stats()
	must(t, l.Close())
	close(cuts)
	for cut := range cuts {
		c.cuts = append(c.cuts, cut)
	}
	t.Logf("%d writes, %d cuts, %d flushes, %d compactions", ops.Load(), len(c.cuts), c.stats.Flushes, c.stats.Compactions)
}

func (c *crashRun) workload(t *testing.T, l *Log) {
	var open []event.Delivery // not settled yet
	for i := range crashRequests {
		subs := make([]event.Submission, crashPerEvents)
		for k := range subs {
			subs[k] = post(idOf(crashProject), fmt.Sprintf("%d %d %0500d", i, k, i), idOf(2), idOf(3), idOf(4))
			subs[k].Event.OwnerID = fmt.Sprint(i)
		}
		if i%30 == 20 { // larger than half a memtable
			subs[0].Event.Data = bytes.Repeat([]byte{byte(i)}, 20_000)
		}
		if i%crashRepeat == 0 {
			for k := range subs {
				subs[k].Event.IdempotencyKey = fmt.Sprint(i, k)
			}
		}
		if i%10 == 9 { // so many tables at the least: one flush may take several memtables
			must(t, l.db.Flush())
		}
		if i%10 == 5 { // as at the end of an hour
			l.endStretches()
			poke(l.index)
		}
		again := slices.Clone(subs)
		must(t, l.Append(t.Context(), subs))
		if i%crashRepeat == 0 { // acknowledged together with its duplicates
			must(t, l.Append(t.Context(), again))
		}
		c.reqs = append(c.reqs, subs)
		c.acked.Add(1)
		for k := range subs {
			open = append(open, subs[k].Event.Owed...)
		}
		if i%3 == 2 { // leave some open
			open = settleSome(t, l, open)
			must(t, l.SetMark(event.Mark{Watermark: open[0].ID.Time(), Health: []event.Health{{Endpoint: idOf(2), Failures: i % 2}}}))
		}
	}
}

func settleSome(t *testing.T, l *Log, open []event.Delivery) []event.Delivery {
	n := len(open) * 3 / 4
	for i := range open[:n] {
		s := attempted(open[i], []event.Status{event.Success, event.Retry, event.Failure}[i%3])
		must(t, l.Settle(&s))
	}
	return open[n:]
}

// verify opens what a cut left and checks the promises. It returns an error so
// that a run that has to fail can be tested too.
func (c *crashRun) verify(t *testing.T, k cut) error {
	o := c.o
	o.FS = k.fs
	l, err := Open(o)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { must(t, l.Close()) }()
	r, err := tryRecover(l)
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	for i := range c.reqs[:k.acked] {
		for e := range c.reqs[i] {
			want := &c.reqs[i][e].Event
			got, err := l.Event(want.ProjectID, want.ID)
			if err != nil {
				return fmt.Errorf("acked request %d: %w", i, err)
			}
			if err := sameEvent(got, want); err != nil {
				return fmt.Errorf("acked request %d: %w", i, err)
			}
		}
	}
	if err := c.checkDuplicates(l, k.acked); err != nil {
		return err
	}
	if err := checkIndex(l); err != nil {
		return err
	}
	return checkWhole(l, r)
}

// checkDuplicates: each acknowledged duplicate is there, and has its first event.
func (c *crashRun) checkDuplicates(l *Log, acked int) error {
	events, _, err := l.Events(idOf(crashProject), event.Range{Limit: 1 << 20}, event.EventFilter{})
	if err != nil {
		return err
	}
	repeats := map[event.ID]int{}
	for _, ev := range events {
		if ev.Origin != event.Duplicate {
			continue
		}
		first, err := l.Event(ev.ProjectID, ev.Of)
		if err != nil || !bytes.Equal(first.Data, ev.Data) {
			return fmt.Errorf("the first event of a duplicate: %w", err)
		}
		repeats[ev.Of]++
	}
	for i := 0; i < acked; i += crashRepeat {
		for k := range c.reqs[i] {
			if id := c.reqs[i][k].Event.ID; repeats[id] != 1 {
				return fmt.Errorf("acked request %d: %d duplicates of event %s", i, repeats[id], id)
			}
		}
	}
	return nil
}

// checkIndex: what is listed by owner is what there is, and every stretch has what it claims.
func checkIndex(l *Log) error {
	all, _, err := l.Events(idOf(crashProject), event.Range{Limit: 1 << 20}, event.EventFilter{})
	if err != nil {
		return err
	}
	byOwner := map[string][]event.ID{}
	for _, ev := range all {
		byOwner[ev.OwnerID] = append(byOwner[ev.OwnerID], ev.ID)
	}
	for owner, want := range byOwner {
		got, _, err := l.Events(idOf(crashProject), event.Range{Limit: 1 << 20}, event.EventFilter{OwnerID: owner})
		if err != nil || !slices.Equal(eventIDs(got), want) {
			return fmt.Errorf("of owner %s: listed %d events, want %d: %w", owner, len(got), len(want), err)
		}
	}
	return nil
}

// checkWhole: every request is there with all of its events and deliveries or not at
// all, and each delivery that is owed is found by recovery.
func checkWhole(l *Log, r recovered) error {
	events, _, err := l.Events(idOf(crashProject), event.Range{Limit: 1 << 20}, event.EventFilter{})
	if err != nil {
		return err
	}
	found, err := foundAgain(l, r)
	if err != nil {
		return err
	}
	perRequest := map[string]int{}
	for _, ev := range events {
		if ev.Origin == event.Duplicate {
			continue
		}
		perRequest[ev.OwnerID]++
		if len(ev.Owed) != crashFanout {
			return fmt.Errorf("event %s is owed %d times", ev.ID, len(ev.Owed))
		}
		for i := range ev.Owed {
			d, err := l.Delivery(ev.ProjectID, ev.Owed[i].ID)
			if err != nil {
				return fmt.Errorf("event %s: %w", ev.ID, err)
			}
			attempts, err := l.Attempts(ev.ProjectID, d.ID)
			if err != nil || len(attempts) != d.Attempts {
				return fmt.Errorf("delivery %s says %d attempts, has %d: %w", d.ID, d.Attempts, len(attempts), err)
			}
			if d.Status.Owed() != found[d.ID] {
				return fmt.Errorf("delivery %s is %s, found by recovery: %v", d.ID, d.Status, found[d.ID])
			}
		}
	}
	for request, n := range perRequest {
		if n != crashPerEvents {
			return fmt.Errorf("request %s: %d of %d events", request, n, crashPerEvents)
		}
	}
	return nil
}

// foundAgain is what recovery leads to.
func foundAgain(l *Log, r recovered) (map[event.ID]bool, error) {
	found := map[event.ID]bool{}
	for ep, after := range r.behind {
		ds, err := owedTo(l, ep, after, l.Horizon(ep), 50)
		if err != nil {
			return nil, err
		}
		for i := range ds {
			found[ds[i].ID] = true
		}
	}
	for ep := range r.timers {
		ds, _, err := l.ReadTimers(nil, ep, 0, event.ID{}, maxMillis, 1<<20)
		if err != nil {
			return nil, err
		}
		for i := range ds {
			found[ds[i].ID] = true
		}
	}
	return found, nil
}

func crashOptions() Options {
	o := testOptions(nil)
	o.MemTableBytes = 24 << 10
	return o
}

// TestCrashInsideEveryWrite cuts the power inside the writes of a run with
// flushes and compactions: what was acknowledged is there, and nothing is half
// there.
func TestCrashInsideEveryWrite(t *testing.T) {
	every := int64(1)
	if testing.Short() {
		every = 17
	}
	c := &crashRun{o: crashOptions()}
	c.run(t, every)
	if c.stats.Flushes < 5 || c.stats.Compactions < 1 || len(c.cuts) < 20 {
		t.Errorf("too little happened: %+v, %d cuts", c.stats, len(c.cuts))
	}
	for _, k := range c.cuts {
		if err := c.verify(t, k); err != nil {
			t.Fatalf("cut inside write %d, %d requests acked: %v", k.op, k.acked, err)
		}
	}
}

// TestRelaxedLosesInACrash tests the test above: without the fsync before the
// answer it has to find a loss.
func TestRelaxedLosesInACrash(t *testing.T) {
	c := &crashRun{o: crashOptions()}
	c.o.Relaxed = true
	c.run(t, 9)
	losses := slices.DeleteFunc(slices.Clone(c.cuts), func(k cut) bool { return c.verify(t, k) == nil })
	if len(losses) == 0 {
		t.Errorf("none of %d cuts lost anything", len(c.cuts))
	}
	t.Logf("%d of %d cuts lost something", len(losses), len(c.cuts))
}
