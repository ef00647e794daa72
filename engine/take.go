package engine

import (
	"context"
	"time"

	"posthaste/event"
)

// Take takes partitions on: it recovers what they are owed, as Start does, and begins
// to deliver it. Nothing else waits meanwhile. It returns once they are held. The
// error is the log's, or that of ctx as for Release; then none of them is held.
// Partitions that are held are passed over. Between Start and Stop, from any goroutine.
func (e *Engine) Take(ctx context.Context, partitions ...uint16) error {
	if err := e.beginHandover(ctx, partitions); err != nil {
		return err
	}
	defer e.endHandover()
	coming := e.expect(partitions)
	if len(coming) == 0 {
		return nil
	}
	found, err := e.find(coming)
	if err != nil {
		e.expectNoMore(coming)
		return err
	}
	e.arrive(coming, found)
	return nil
}

// expect notes from here on what is committed for those of the partitions that are
// not held.
func (e *Engine) expect(partitions []uint16) partitionSet {
	e.beginMark()
	defer e.endMark()
	coming := make(partitionSet)
	for _, p := range partitions {
		if e.held[p] {
			continue
		}
		coming[p] = true
		s := e.shardWith(p)
		s.mu.Lock()
		s.away[p].coming = make(map[event.ID]stretch)
		s.mu.Unlock()
	}
	return coming
}

func (e *Engine) expectNoMore(coming partitionSet) {
	for p := range coming {
		s := e.shardWith(p)
		s.mu.Lock()
		s.away[p].coming = nil
		s.mu.Unlock()
	}
}

// found is what recovery tells of partitions.
type found struct {
	behind []event.Behind
	tails  []event.ID // of each of these, how far it is to read
	timers []event.Timer
	ill    []event.Health
	until  uint64 // ms of the horizon
}

// find recovers partitions. When it returns, everything up to the horizon has been
// handed to the engine: what comes later is not found twice.
func (e *Engine) find(coming partitionSet) (f found, err error) {
	err = e.o.Store.Recover(func(p uint16) bool { return coming[p] },
		func(b event.Behind) { f.behind = append(f.behind, b) },
		func(t event.Timer) { f.timers = append(f.timers, t) },
		func(h event.Health) { f.ill = append(f.ill, h) })
	if err != nil {
		return f, err
	}
	for i := range f.behind {
		f.tails = append(f.tails, e.o.Store.Horizon(f.behind[i].Endpoint))
	}
	f.until = e.o.Store.Horizon(event.ID{}).Time()
	// Behind the first nothing is on its way to the disk that has an id below the
	// horizon; behind the second it has also been handed over.
	if err := e.o.Store.Flush(); err != nil {
		return f, err
	}
	return f, e.o.Store.Flush()
}

// arrive makes the partitions held.
func (e *Engine) arrive(coming partitionSet, f found) {
	e.beginMark()
	defer e.endMark()
	for _, s := range e.shards {
		s.arrive(coming, &f)
	}
	for p := range coming {
		e.held[p] = true
	}
	e.marked = 0
}

// arrive is Engine.arrive for the partitions that are the shard's.
func (s *Shard) arrive(coming partitionSet, f *found) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := func(endpoint event.ID) bool { return s.e.shardOf(event.EndpointHash(endpoint)) == s }
	var came []map[event.ID]stretch
	for p := range coming {
		if s.e.shardWith(p) == s {
			came = append(came, s.away[p].coming)
			delete(s.away, p)
		}
	}
	if len(s.away) == 0 {
		s.away = nil
	}
	s.fed = max(s.fed, f.until)
	snap := s.e.o.Catalog.Snapshot()
	for i := range f.ill {
		h := &f.ill[i]
		switch {
		case !mine(h.Endpoint):
		case cameBack(snap.Endpoint(h.Endpoint), h): // as in lookAgain
			ep := s.endpoint(h.Endpoint)
			ep.health, ep.recorded = &health{ramp: time.Now(), changed: true}, true
			s.activate(ep)
		default:
			s.recoverHealth(*h)
		}
	}
	for i, b := range f.behind {
		if mine(b.Endpoint) && b.After.Compare(f.tails[i]) < 0 {
			s.recoverBehind(b, f.tails[i])
		}
	}
	for _, eps := range came {
		for id, c := range eps {
			s.recoverStretch(id, c)
		}
	}
	for _, t := range f.timers {
		if mine(t.Endpoint) {
			s.armRetry(s.endpoint(t.Endpoint), t.DueMilli)
		}
	}
}

// recoverStretch lets an endpoint read what came for it while its partition was being
// taken. The caller holds mu.
func (s *Shard) recoverStretch(id event.ID, c stretch) {
	ep := s.endpoint(id)
	if ep.behind {
		if c.last.Compare(ep.tail) > 0 {
			ep.tail = c.last
		}
		return
	}
	s.recoverBehind(event.Behind{Endpoint: id, After: event.Before(c.first)}, c.last)
}
