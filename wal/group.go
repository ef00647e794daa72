package wal

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
	"posthaste/stats"
)

// group is what one commit writes: the batch, its outcome, and what to hand on
// afterwards. It belongs to whoever holds Log.mu until the committer
// takes it, and to the committer from then on.
type group struct {
	batch   *pebble.Batch
	outcome *outcome
	events  [][]event.Submission
	timers  []event.Timer
	ids     bool // it holds records with ids that were made for it
	stats   GroupStats

	outcomes []event.Outcome // for Options.Tail, while somebody listens

	settled []stats.Settled
	book    stats.Book // what the group changes of the counts
	counted uint64     // the record that says so; 0: none
}

// full: an empty batch has a header, so that its length is never zero.
func (g *group) full(bound int) bool { return !g.empty() && g.batch.Len() > bound }

func (g *group) empty() bool { return g.batch.Empty() }

// newGroup is an empty group, one that was used before if there is any: its batch
// has grown to the size that groups have at present. Only the committer calls it,
// and Open before that runs.
func (l *Log) newGroup() *group {
	var g *group
	if n := len(l.spare); n > 0 {
		g, l.spare = l.spare[n-1], l.spare[:n-1]
	} else {
		g = &group{batch: l.db.NewBatch(pebble.WithMaxRetainedSizeBytes(l.o.GroupBytes))}
	}
	g.outcome = &outcome{done: make(chan struct{})}
	return g
}

// putGroup takes a group back that is committed.
func (l *Log) putGroup(g *group) {
	g.batch.Reset()
	clear(g.events)
	g.events, g.timers = g.events[:0], g.timers[:0]
	g.outcome, g.ids, g.stats = nil, false, GroupStats{}
	g.outcomes = nil // few have any
	clear(g.settled)
	g.settled, g.counted = g.settled[:0], 0
	g.book.Reset()
	l.spare = append(l.spare, g)
}

// outcome is what became of a group. All who wait for it wait on one channel:
// closing that wakes them together, which costs less than a send to each.
type outcome struct {
	err  error
	done chan struct{} // closed when err is set
}

// wait waits until the group is durable, or the log has failed.
func (o *outcome) wait() error {
	<-o.done
	return o.err
}

func (o *outcome) set(err error) {
	o.err = err
	close(o.done)
}

// enter read-locks the gate for a writer that uses the store itself, unless the
// log takes no more.
func (l *Log) enter() error {
	l.gate.RLock()
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.failure()
	switch {
	case l.readOnly:
		err = errReadOnly
	case l.closed:
		err = event.ErrClosed
	}
	if err != nil {
		l.gate.RUnlock()
	}
	return err
}

var errReadOnly = errors.New("log: opened for reading only")

// reserve waits until the group has room and returns it, with mu held. On an
// error mu is not held.
func (l *Log) reserve() (*group, error) {
	if l.readOnly {
		return nil, errReadOnly
	}
	l.mu.Lock()
	for l.group.full(l.o.GroupBytes) && !l.closed && l.failure() == nil {
		l.room.Wait()
	}
	if l.closed {
		l.mu.Unlock()
		return nil, event.ErrClosed
	}
	if err := l.failure(); err != nil {
		l.mu.Unlock()
		return nil, err
	}
	return l.group, nil
}

// take takes the group that was being built and puts an empty one in its place;
// nil when it is empty, or holds fewer than so many records.
func (l *Log) take(least int) *group {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.group
	if g.empty() || least > 1 && int(g.batch.Count()) < least {
		return nil
	}
	if g.ids || g.stats.Settlements > 0 {
		l.setClock(g)
	}
	l.group = l.newGroup()
	l.undecided = append(l.undecided, l.group.outcome)
	l.room.Broadcast()
	return g
}
