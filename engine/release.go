package engine

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"posthaste/event"
)

// cancelAgain is how often attempts are cancelled that had not begun the last time.
const cancelAgain = 100 * time.Millisecond

// Release gives partitions up. It returns when nothing of them is left here:
//
//	no new attempts ─► attempts in flight end, or are cancelled when ctx ends ─►
//	their outcomes and the partitions' place are durable
//
// A cancelled attempt is no attempt. What waits, and what is committed from here on,
// stays in the log; a retry by hand is refused with event.ErrOverloaded. The place is
// the moment at which Release was called: who takes a partition reads what was
// committed since then, and the backlog of endpoints that were behind. What an engine
// remembers in memory only is lost, as in a restart: the state of rate limits, how
// many failures a breaker has counted, slow starts.
//
// An error of the log means that the place may not be durable; then who takes a
// partition reads from an older one. It is not held here any more in any case. An
// error of ctx means that another Release or Take was under way until it ended, and
// nothing was done. Partitions that are not held are passed over. Between Start and
// Stop, from any goroutine.
func (e *Engine) Release(ctx context.Context, partitions ...uint16) error {
	if err := e.beginHandover(ctx, partitions); err != nil {
		return err
	}
	defer e.endHandover()
	leaving, place := e.leave(partitions)
	if len(leaving) == 0 {
		return nil
	}
	for _, s := range e.shards {
		s.awaitAttempts(ctx, leaving)
	}
	if err := e.depart(leaving, place); err != nil {
		return fmt.Errorf("the place of partitions that were given up: %w", err)
	}
	return e.o.Store.Flush()
}

// leave ends the making of attempts for those of the partitions that are held. From
// here on marks do not speak for them. place is the time in ms up to which the shards
// know what they are owed.
func (e *Engine) leave(partitions []uint16) (leaving partitionSet, place uint64) {
	e.beginMark()
	defer e.endMark()
	leaving, place = make(partitionSet), math.MaxUint64
	for _, p := range partitions {
		if e.held[p] {
			leaving[p], e.held[p] = true, false
		}
	}
	e.marked = 0
	for _, s := range e.shards {
		place = min(place, s.leave(leaving))
	}
	return leaving, place
}

// leave is Engine.leave for the partitions that are the shard's.
func (s *Shard) leave(leaving partitionSet) (place uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := false
	for p := range leaving {
		if s.e.shardWith(p) == s {
			s.miss(p)
			mine = true
		}
	}
	if !mine {
		return math.MaxUint64
	}
	for _, ep := range s.endpoints {
		if leaving.has(event.EndpointHash(ep.id), s.e.partitions) {
			ep.gone = true
			s.leaving = append(s.leaving, ep)
		}
	}
	for range s.reads.len() {
		if ep := s.reads.popFront(); ep.gone {
			ep.reading = false
		} else {
			s.reads.pushBack(ep)
		}
	}
	s.manual.giveUp(func(id event.ID) bool { return leaving.has(event.DeliveryEndpointHash(id), s.e.partitions) })
	return s.fed
}

// awaitAttempts waits until nothing is on its way for the partitions any more: no
// attempt, no reading of the log, no retry by hand. Once ctx has ended, attempts are
// cancelled.
func (s *Shard) awaitAttempts(ctx context.Context, leaving partitionSet) {
	ended := ctx.Done()
	for !s.quiet(leaving) {
		var again <-chan time.Time
		if ctx.Err() != nil {
			ended = nil
			s.e.o.Sender.CancelTo(func(endpoint event.ID) bool {
				return leaving.has(event.EndpointHash(endpoint), s.e.partitions)
			})
			again = time.After(cancelAgain)
		}
		select {
		case <-s.left:
		case <-ended:
		case <-again:
		}
	}
}

func (s *Shard) quiet(leaving partitionSet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leaving = slices.DeleteFunc(s.leaving, func(ep *endpoint) bool { return ep.inFlight == 0 && !ep.reading })
	for p := range leaving {
		if s.manual.open[p] > 0 {
			return false
		}
	}
	return len(s.leaving) == 0
}

// tellLeft wakes the Release that waits for what is on its way. The caller holds mu.
func (s *Shard) tellLeft() {
	select {
	case s.left <- struct{}{}:
	default:
	}
}

// depart writes the partitions' place and forgets their endpoints.
func (e *Engine) depart(leaving partitionSet, place uint64) error {
	e.beginMark()
	defer e.endMark()
	m := event.Mark{Watermark: place, Partitions: leaving.list()}
	for _, s := range e.shards {
		s.depart(leaving, &m)
	}
	return e.o.Store.SetMark(m)
}

// depart adds to the mark where the endpoints of the partitions are, and drops all
// that is known of them.
func (s *Shard) depart(leaving partitionSet, m *event.Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, ep := range s.endpoints {
		if !ep.gone {
			continue
		}
		s.markEndpoint(ep, m, math.MaxUint64)
		ep.markHealth(s.e, m)
		s.drop(ep)
		delete(s.endpoints, id)
	}
	s.active = slices.DeleteFunc(s.active, func(ep *endpoint) bool { return ep.gone })
	for id := range s.ill {
		if leaving.has(event.EndpointHash(id), s.e.partitions) {
			delete(s.ill, id)
		}
	}
	ofThese := func(delivery event.ID) bool { return leaving.has(event.DeliveryEndpointHash(delivery), s.e.partitions) }
	s.e.queued.Add(-s.keep.drop(ofThese))
	s.manual.drop(ofThese)
}

// drop takes an endpoint off the shard's books. What it had in memory is in the log.
// The caller holds mu.
func (s *Shard) drop(ep *endpoint) {
	for ep.queue.len() > 0 {
		j := ep.queue.popFront()
		s.unweigh(ep, &j)
	}
	ep.listed = false // where the ready queue has it, it is passed over
	s.list(ep)
	s.wheel.Remove(&ep.token)
	s.wheel.Remove(&ep.retry)
	if ep.behind {
		s.e.o.Hooks.Behind(-1)
	}
}
