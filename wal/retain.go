package wal

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"posthaste/event"
)

// Keep says how long something is kept. 0 is for ever, or without a bound.
type Keep struct {
	Payload time.Duration // events and their data
	History time.Duration // deliveries and their attempts
	// Keys is how long idempotency keys are kept; 0: as long as Payload and
	// Options.IdempotencyWindow, whichever is longer.
	Keys time.Duration
	// MaxBytes bounds the project's events with their data, as they were posted,
	// hours that are not over left out; the oldest hours go first.
	MaxBytes int64
}

// Policy is what Retain goes by.
type Policy struct {
	Now     time.Time
	Default Keep // of each project that Except does not name, those that are gone included
	// Except names the projects that are not kept as Default says. A project's
	// operational events have an id of their own here: event.MetaProject.
	Except map[event.ID]Keep
	// Longest is the longest history that a living endpoint of this hash is to have, 0
	// for ever; false if there is none. Where projects keep their history for
	// different times it is removed by hash, and two projects' endpoints may share one.
	// Nil: there are none.
	Longest func(hash uint32) (time.Duration, bool)
	// Quit, when closed, ends a call early, as Close does. May be nil.
	Quit <-chan struct{}
}

// Retained is what one call of Retain did.
type Retained struct {
	Hours     int         // that were looked at
	Ranges    int         // of keys that were removed
	Postponed []Postponed // what was old enough and had to stay, wholly or in part
	// Before and After are the bytes of the store's tables and blob files; 0 if nothing
	// was removed. What is in memory, or only in the write-ahead log, does not count.
	Before, After int64
}

// Postponed is something old enough to be removed that had to stay.
type Postponed struct {
	Hour   time.Time // its beginning
	Reason string
}

// Retain removes what the policy says is too old, or too much, as ranges of whole
// hours that are over, and gives the space back. Nothing owed is removed, nor the event
// it belongs to. The watermark must have passed an hour; see event.Mark.
//
// One call runs at a time, in the caller's goroutine, and may take minutes when
// much is to be removed: the space is given back by rewriting what shares files with
// it. Close ends it early. A call with nothing to do costs a few look-ups. What stayed
// is looked at again an hour later.
func (l *Log) Retain(p Policy) (Retained, error) {
	if p.Now.IsZero() {
		return Retained{}, errors.New("log: a retention policy without the time")
	}
	if err := l.enter(); err != nil {
		return Retained{}, err
	}
	defer l.gate.RUnlock()
	l.retained.mu.Lock()
	defer l.retained.mu.Unlock()
	r := &retaining{l: l, p: &p, state: &l.retained}
	err := r.run()
	return r.done, err
}

// retention is what Retain knows from one call to the next.
type retention struct {
	mu      sync.Mutex // one Retain at a time; guards all but sizes
	loaded  bool
	classes map[event.ID]*class
	left    map[uint32]time.Time // hours in which something stayed; when to look again
	sizes   sizes
}

// retaining is one call of Retain.
type retaining struct {
	l       *Log
	p       *Policy
	state   *retention
	limit   uint64 // ms; what was created later stays
	behind  []event.Behind
	sized   map[event.ID]uint32 // hours before this go, for their size
	targets map[event.ID]progress
	least   progress // of all targets
	most    progress
	visited map[uint32]bool
	removed []span
	done    Retained
}

func (r *retaining) run() error {
	if err := r.prepare(); err != nil || r.limit == 0 {
		return err
	}
	if err := r.tooLarge(); err != nil {
		return err
	}
	changed := r.aim()
	again := r.dueAgain()
	if !changed && len(again) == 0 {
		return nil
	}
	before := r.l.liveBytes()
	if err := r.announce(); err != nil {
		return err
	}
	err := r.visitAll(again)
	if err == nil {
		err = r.note()
	}
	if len(r.removed) > 0 {
		err = errors.Join(err, r.reclaim())
		r.done.Before, r.done.After = before, r.l.liveBytes()
	}
	return err
}

// prepare reads how far everything is.
func (r *retaining) prepare() error {
	if err := r.load(); err != nil {
		return err
	}
	wm, err := r.readMark()
	r.limit = min(wm, uint64(max(0, r.p.Now.UnixMilli())))
	return err
}

// readMark reads the watermark and the endpoints that are behind, as one mark left
// them. Later marks only move on.
func (r *retaining) readMark() (uint64, error) {
	snap := r.l.db.NewSnapshot()
	defer snap.Close()
	marks, err := readWatermarks(snap)
	wm := marks.least(r.l.partitions)
	if err != nil || wm == 0 {
		return 0, err
	}
	everywhere := func(uint16) bool { return true }
	err = readBehind(snap, everywhere, func(b event.Behind) { r.behind = append(r.behind, b) })
	return wm, err
}

// dueAgain lists the hours in which something stayed and that are to be looked at
// again.
func (r *retaining) dueAgain() []uint32 {
	var hours []uint32
	for hour, at := range r.state.left {
		if !r.p.Now.Before(at) && hour < max(r.most[payload], r.most[keys], r.most[history]) {
			hours = append(hours, hour)
		}
	}
	slices.Sort(hours)
	return hours
}

// visitAll visits the hours that a class has not been cleaned of yet, then those of
// again. It stops when the log closes.
func (r *retaining) visitAll(again []uint32) error {
	r.visited = make(map[uint32]bool)
	from, to := r.window()
	for from < to {
		hour, found, err := r.nextHour(from)
		if err != nil || !found || hour >= to {
			return errors.Join(err, r.visitThose(again))
		}
		if err := r.visit(hour); err != nil {
			return err
		}
		from = hour + 1
	}
	return r.visitThose(again)
}

func (r *retaining) visitThose(hours []uint32) error {
	for _, hour := range hours {
		if r.visited[hour] {
			continue
		}
		if err := r.visit(hour); err != nil {
			return err
		}
	}
	return nil
}

// nextHour is the first hour from one on that has rows that may be removed.
func (r *retaining) nextHour(from uint32) (first uint32, found bool, err error) {
	it, err := r.l.db.NewIter(nil)
	if err != nil {
		return 0, false, err
	}
	for _, kinds := range kindsOf {
		for _, kind := range kinds {
			if hour, some := nextBucket(it, kind, from); some && (!found || hour < first) {
				first, found = hour, true
			}
		}
	}
	return first, found, errors.Join(it.Error(), it.Close())
}

// untilClose is a context that ends when the log closes, or quit.
func (l *Log) untilClose(quit <-chan struct{}) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-l.stop:
			cancel()
		case <-quit:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel()
		<-ended
	}
}

func hourTime(bucket uint32) time.Time {
	return time.UnixMilli(int64(bucket) * bucketMillis).UTC()
}
