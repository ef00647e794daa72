package wal

import (
	"context"
	"runtime"
	"runtime/pprof"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// worthApplying is how many records a group must hold to be applied while
// another is on its way to the disk. A smaller one waits for that and grows: a
// commit of its own would cost more than the overlap gains.
const worthApplying = 32

// commitLoop is the one goroutine that commits. While a group is on its way to
// the disk the next is built by its writers and applied here, so that neither
// the disk nor the processor waits for the other:
//
//	writers   ──build n+2──►
//	committer        ──apply n+1──►
//	disk      ──sync n──►           ──sync n+1──►
//
// Groups are handed on strictly in the order in which they were applied.
func (l *Log) commitLoop() {
	defer close(l.done)
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("posthaste", "committer")))
	var flying *group // applied, not yet known to be durable
	var started time.Time
	for {
		if flying == nil && !l.await() {
			break
		}
		least := 1
		if flying != nil {
			least = worthApplying
		}
		g := l.take(least)
		now := time.Now()
		if g != nil {
			l.apply(g)
		}
		if flying != nil {
			l.finish(flying, started)
		}
		flying, started = g, now
	}
	for g := l.take(1); g != nil; g = l.take(1) {
		now := time.Now()
		l.apply(g)
		l.finish(g, now)
	}
}

// await blocks until there is something to commit, and reports false once the
// log closes. Settlements alone wait a little for an intake to ride with.
func (l *Log) await() bool {
	select {
	case <-l.wake:
		return true
	case <-l.stop:
		return false
	case <-l.lazy:
	}
	t := time.NewTimer(l.o.SettleDelay)
	defer t.Stop()
	select {
	case <-l.wake:
	case <-l.stop:
		return false
	case <-t.C:
	}
	return true
}

func (l *Log) apply(g *group) {
	defer l.failOnPanic()
	l.count(g)
	g.stats.Bytes = g.batch.Len()
	var err error
	if l.o.Relaxed {
		err = l.db.Apply(g.batch, pebble.NoSync)
	} else {
		err = l.db.ApplyNoSyncWait(g.batch, pebble.Sync)
	}
	if err != nil {
		l.fail(err)
	}
}

// failOnPanic, deferred, makes the error final that Pebble panics with when its
// write-ahead log failed under an earlier group. Any other panic goes on.
func (l *Log) failOnPanic() {
	p := recover()
	if p == nil {
		return
	}
	err, isError := p.(error)
	if _, isBug := p.(runtime.Error); isBug || !isError {
		panic(p)
	}
	l.fail(err)
}

// finish waits for the group's fsync and tells everybody: first those who wait
// for the answer, then the engine.
func (l *Log) finish(g *group, started time.Time) {
	if !l.o.Relaxed {
		if err := g.batch.SyncWait(); err != nil {
			l.fail(err)
		}
	}
	err := l.failure() // somebody else's: a later fsync proves nothing
	l.decide(g.outcome, err)
	if err == nil {
		l.counter.absorb(g)
	}
	if err == nil && l.o.Tail != nil && l.o.Tail.Wanted() {
		l.o.Tail.Durable(g.events, g.outcomes)
	}
	if err == nil && l.o.Sink != nil {
		if len(g.events) > 0 {
			l.o.Sink.Committed(g.events)
		}
		if len(g.timers) > 0 {
			l.o.Sink.Waiting(g.timers)
		}
	}
	if l.o.Observe != nil {
		g.stats.Wait = time.Since(started)
		l.o.Observe(g.stats)
	}
	l.packer.committed.Add(int64(g.stats.Bytes))
	l.putGroup(g)
}

// decide tells those who wait for a group what became of it.
func (l *Log) decide(o *outcome, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.undecided, o); i >= 0 { // else the log has failed, and they know
		o.set(err)
		l.undecided = slices.Delete(l.undecided, i, i+1)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
