package wal

import (
	"errors"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// group is what one commit writes: the batch, who waits for it, and what to
// hand on afterwards. It belongs to whoever holds Log.mu until the committer
// takes it, and to the committer from then on.
type group struct {
	batch   *pebble.Batch
	waiters []*waiter
	events  [][]event.Submission
	timers  []event.Timer
	ids     bool // it holds records with ids that were made for it
	stats   GroupStats
}

// full: an empty batch has a header, so that its length is never zero.
func (g *group) full(bound int) bool { return !g.empty() && g.batch.Len() > bound }

func (g *group) empty() bool { return g.batch == nil || g.batch.Empty() }

func (l *Log) newGroup() *group {
	g, _ := l.groups.Get().(*group)
	if g == nil {
		g = &group{}
	}
	g.batch = l.db.NewBatch()
	return g
}

func (l *Log) putGroup(g *group) {
	clear(g.waiters)
	clear(g.events)
	g.waiters, g.events, g.timers = g.waiters[:0], g.events[:0], g.timers[:0]
	g.batch, g.ids, g.stats = nil, false, GroupStats{}
	l.groups.Put(g)
}

// waiter is somebody who waits for a group to be durable.
type waiter struct {
	done chan error // one result, buffered
}

var waiters = sync.Pool{New: func() any { return &waiter{done: make(chan error, 1)} }}

// wait waits until w's group is durable, or the log fails, and gives w back.
func (l *Log) wait(w *waiter) error {
	select {
	case err := <-w.done:
		waiters.Put(w)
		return err
	case <-l.broken: // its result may come yet: w is not used again
		return l.failure()
	}
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
	if g.ids {
		l.setClock(g)
	}
	l.group = l.newGroup()
	l.room.Broadcast()
	return g
}
