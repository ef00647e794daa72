package wal

import (
	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// What is written of the index at a time, in tags: so much, or, when more waits, a
// quarter of that, but not so much that writers wait for it.
const (
	writeTags     = 32 << 10
	mostWriteTags = 8 * writeTags
)

// indexLoop is the one goroutine that writes the index: it sorts what was noted and puts
// the rows into the group that is being built, behind the events that they tell
// of. It ends when quit is closed and all that has ended is written.
func (l *Log) indexLoop(quit <-chan struct{}) {
	defer close(l.indexed)
	for {
		select {
		case <-l.index:
			l.writeIndex()
		case <-quit:
			l.writeIndex()
			return
		}
	}
}

// writeIndex writes all stretches that have ended. When the log fails or closes they
// stay in memory.
func (l *Log) writeIndex() {
	for {
		some := l.takeEnded()
		if len(some) == 0 || l.putStretches(some) != nil {
			return
		}
	}
}

// takeEnded takes a few stretches off the queue.
func (l *Log) takeEnded() []*stretch {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, size := 0, 0
	for most := min(max(writeTags, l.indexer.behind/4), mostWriteTags); n < len(l.indexer.queue) && size < most; n++ {
		size += l.indexer.queue[n].cost()
	}
	some := l.indexer.queue[:n:n]
	if l.indexer.queue = l.indexer.queue[n:]; len(l.indexer.queue) == 0 {
		l.indexer.queue = nil
	}
	return some
}

// putStretches writes stretches and returns when they can be read.
func (l *Log) putStretches(some []*stretch) error {
	batches := make([]*pebble.Batch, len(some))
	scratch := make([]byte, maxShardRow)
	for i, s := range some {
		batches[i] = l.db.NewBatch()
		defer batches[i].Close()
		appendStretch(batches[i], s, scratch)
	}
	g, err := l.reserve()
	if err != nil {
		return err
	}
	for i, s := range some {
		if s.bucket() >= l.frozen.below { // else the hour may have been cleaned, and is not looked at again
			_ = g.batch.Apply(batches[i], nil)
		}
	}
	if g.empty() {
		l.indexer.written(some)
		l.mu.Unlock()
		return nil
	}
	o := g.outcome
	l.mu.Unlock()
	l.pokeForIndex()
	if err := o.wait(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.indexer.written(some)
	return nil
}

// pokeForIndex wakes the committer. The index has time, like settlements, unless the log
// closes: endIndex pokes too, so that one of the two comes late enough.
func (l *Log) pokeForIndex() {
	select {
	case <-l.indexQuit:
		poke(l.wake)
	default:
		poke(l.lazy)
	}
}

// endIndex ends all stretches and waits until they are written, as far as the log lets
// them be.
func (l *Log) endIndex() {
	l.endStretches()
	close(l.indexQuit)
	poke(l.wake)
	<-l.indexed
}

// endStretches ends all stretches behind the newest event. It does not go by the clock,
// which may be ahead of what the store knows, and so of the next process.
func (l *Log) endStretches() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.indexer.open) > 0 {
		next := idAfter(l.indexer.newest)
		if l.clock == l.indexer.newest.Time() {
			next = event.DeliveryID(l.clock, l.node, l.seq) // behind its deliveries, too
		}
		l.indexer.endAll(next)
	}
}
