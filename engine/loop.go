package engine

import (
	"context"
	"runtime/pprof"
	"time"

	"posthaste/event"
)

// readsPerRound is how many endpoints a loop reads from the log before it turns
// the wheel again.
const readsPerRound = 32

// leastRoom is how many deliveries an endpoint reads when the memory for those
// that wait is full: it goes on whatever the others hold. They are small, for
// what is read from the log comes without its event.
const leastRoom = 16

// loop is the shard's own goroutine: it turns the wheel, reads the log for
// endpoints that have room, and adds workers while those that run are held up.
func (s *Shard) loop() {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("posthaste", "shard")))
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	r := &reading{s: s}
	for {
		rest := s.round(r)
		due := time.Now().Add(rest)
		timer.Reset(rest)
		select {
		case <-s.e.stop:
			return
		case <-s.poke:
		case <-timer.C:
			s.lag = time.Since(due)
		}
	}
}

// round does what is due and returns how long there is nothing to do.
func (s *Shard) round(r *reading) time.Duration {
	s.mu.Lock()
	s.wheel.Advance(time.Now(), s.fire)
	s.start()
	for !s.draining && s.reads.len() > 0 && len(r.eps) < readsPerRound {
		r.eps = append(r.eps, s.reads.popFront())
	}
	s.mu.Unlock()

	for _, ep := range r.eps {
		r.read(ep)
	}
	clear(r.eps)
	r.eps = r.eps[:0]

	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy.look(time.Now(), s.lag)
	s.start()
	return s.nothingFor()
}

// fire handles an alarm of the wheel. The caller holds mu.
func (s *Shard) fire(a alarm) {
	switch a.kind {
	case alarmToken:
		if wait := a.ep.mustRest(time.Now()); wait > 0 {
			s.rest(a.ep, time.Now(), wait)
			return
		}
		s.list(a.ep)
		s.refill(a.ep)
	case alarmRetry:
		a.ep.resting = false
		s.wantRead(a.ep)
	}
}

// nothingFor is how long the loop may sleep. The caller holds mu.
func (s *Shard) nothingFor() time.Duration {
	rest := time.Hour
	if next, ok := s.wheel.Next(); ok {
		rest = max(0, time.Until(next))
	}
	s.looking = !s.draining && s.ready.len() > 0
	if s.looking {
		rest = min(rest, lookEvery)
	}
	if s.reads.len() > 0 && !s.draining {
		rest = 0
	}
	return rest
}

// reading is the loop's memory for reading the log.
type reading struct {
	s   *Shard
	eps []*endpoint
	ds  []event.Delivery
}

// read fills an endpoint's queue from the log: due timers first, they have waited
// longer, then deliveries that did not fit in memory.
func (r *reading) read(ep *endpoint) {
	s := r.s
	s.mu.Lock()
	room := s.window(ep) - ep.queue.len()
	if s.e.queued.Load() >= s.e.o.QueueBytes {
		room = min(room, leastRoom)
	}
	behind, cursor, tail := ep.behind, ep.cursor, ep.tail
	afterDue, afterID := ep.timerDue, ep.timerID
	until, due := uint64(0), false
	if room > 0 {
		until, due = s.dueTimers(ep)
	}
	spilled := ep.spilled
	s.mu.Unlock()

	if spilled && !r.caughtUp(ep) {
		return
	}
	if due {
		room -= r.readTimers(ep, afterDue, afterID, until, room)
	}
	if behind && room > 0 {
		r.readOwed(ep, cursor, tail, room)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ep.reading = false
	s.refill(ep)
}

// caughtUp waits until what was settled before the endpoint's deliveries went back
// to the log can be read, so that none of it is taken for owed.
func (r *reading) caughtUp(ep *endpoint) bool {
	err := r.s.e.o.Store.Flush()
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if err != nil {
		r.s.readFailed(ep, err)
		ep.reading = false
		return false
	}
	ep.spilled = false
	return true
}

// dueTimers reports whether the endpoint's timers are to be read now, and up to
// where: not past one that is on its way into the log, which will set the alarm
// when it is there. The caller holds mu.
func (s *Shard) dueTimers(ep *endpoint) (until uint64, due bool) {
	now := uint64(s.e.now().UnixMilli())
	if ep.next == 0 {
		return 0, false
	}
	if ep.next > now {
		if !ep.retry.Active() {
			s.setRetry(ep)
		}
		return 0, false
	}
	until = min(now, ep.soonest()-1)
	due = ep.next <= until
	ep.next = 0 // a timer that comes into the log meanwhile sets it
	s.wheel.Remove(&ep.retry)
	if due {
		ep.readTo = max(ep.readTo, until)
	}
	return until, due
}

func (r *reading) readTimers(ep *endpoint, afterDue uint64, afterID event.ID, until uint64, room int) int {
	s := r.s
	ds, next, err := s.e.o.Store.ReadTimers(r.ds[:0], ep.id, afterDue, afterID, until, room)
	r.keep(ds)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.readFailed(ep, err)
		return 0
	}
	for i := range ds {
		if s.manual.stands(&ds[i]) {
			s.push(ep, job{d: ds[i], ev: s.keptEvent(ds[i].ID), timed: true})
		}
		ep.timerDue, ep.timerID = uint64(ds[i].Due.UnixMilli()), ds[i].ID
	}
	s.start()
	if next == 0 || next > until {
		ep.emptied = time.Now()
	}
	if next != 0 {
		s.armRetry(ep, next)
	}
	return len(ds)
}

func (r *reading) readOwed(ep *endpoint, cursor, tail event.ID, room int) {
	s := r.s
	ds, last, err := s.e.o.Store.ReadOwed(r.ds[:0], ep.id, cursor, tail, room)
	r.keep(ds)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.readFailed(ep, err)
		return
	}
	for i := range ds {
		s.push(ep, job{d: ds[i]})
	}
	s.start()
	ep.cursor = last
	if last == ep.tail { // not where the tail moved on meanwhile
		ep.behind = false
		s.e.o.Hooks.Behind(-1)
	}
}

func (r *reading) keep(ds []event.Delivery) { r.ds = ds[:0] }

// readFailed lets the endpoint rest: the log does not give what it holds. The
// caller holds mu.
func (s *Shard) readFailed(ep *endpoint, err error) {
	s.e.o.Logger.Error().Err(err).Str("endpoint", ep.id.String()).Msg("deliveries cannot be read from the log; trying again")
	ep.resting = true
	ep.next = uint64(s.e.now().Add(localPause).UnixMilli())
	s.setRetry(ep)
}
