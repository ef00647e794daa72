package engine

import (
	"time"

	"posthaste/breaker"
	"posthaste/catalog"
	"posthaste/event"
)

// maxNap is how long an endpoint that may not send waits before it is looked at
// again, whatever it waits for: the clock may have been set.
const maxNap = 30 * time.Second

// spillAfter is how long an endpoint has to wait for its deliveries to leave the
// memory, if none is in flight.
const spillAfter = 5 * time.Second

// refusal says why an endpoint takes no new deliveries; "" if it does.
func refusal(ep *catalog.Endpoint) string {
	switch {
	case ep == nil:
		return "the endpoint was deleted"
	case ep.Status == event.EndpointPaused:
		return "the endpoint is paused"
	case ep.Status == event.EndpointInactive, ep.Status == event.EndpointPending:
		return "the endpoint is inactive"
	}
	return ""
}

// barred says why a delivery that waits is not sent any more; "" if it is, or if it
// waits on because the endpoint is paused. An endpoint that is pending takes what
// was asked for by hand, and shows by it whether it is well.
func barred(ep *catalog.Endpoint, p *catalog.Project, manual bool) string {
	switch {
	case p == nil && ep != nil:
		return "the project was deleted"
	case ep == nil || ep.Status != event.EndpointPaused && !(manual && ep.Status == event.EndpointPending):
		return refusal(ep)
	}
	return ""
}

// admit decides whether the endpoint may make an attempt now. If not, it is seen
// to that somebody looks again when it may. The caller holds mu.
func (s *Shard) admit(ep *endpoint, target *catalog.Endpoint, p *catalog.Project, now time.Time) bool {
	if target.Status == event.EndpointPaused {
		ep.held = true // until the catalog changes
		s.spill(ep)
		return false
	}
	if ep.slots = s.slots(ep, target); ep.inFlight >= ep.slots {
		return false // until an attempt ends
	}
	tat, wait := target.Limit().Take(ep.tat, now)
	if wait > 0 {
		s.nap(ep, now, wait)
		return false
	}
	if h := ep.health; h != nil || p.Breaker.On() {
		if !s.admitIll(ep, ep.ill(), target, p.Breaker, now) {
			return false
		}
	}
	ep.tat = tat
	return true
}

// admitIll is admit for an endpoint with a history.
func (s *Shard) admitIll(ep *endpoint, h *health, target *catalog.Endpoint, c breaker.Config, now time.Time) bool {
	if wait := h.until.Sub(now); wait > 0 {
		s.rest(ep, now, wait)
		return false
	}
	if !h.until.IsZero() {
		h.until, h.changed = time.Time{}, true
	}
	if wait := h.take(now, target.Limit()); wait > 0 {
		s.nap(ep, now, wait)
		return false
	}
	if !c.On() {
		return true
	}
	h.config = c
	ok, wait := h.breaker.Allow(c, now)
	switch {
	case ok:
	case wait > 0:
		s.rest(ep, now, wait)
	default:
		ep.probing = true // until the probe ends
	}
	return ok
}

// mustRest is how long it is known that the endpoint may not send.
func (ep *endpoint) mustRest(now time.Time) time.Duration {
	if ep.health == nil {
		return 0
	}
	return max(ep.health.until.Sub(now), ep.health.breaker.Rest(ep.health.config, now))
}

// slots is how many attempts at once the endpoint may have now.
func (s *Shard) slots(ep *endpoint, target *catalog.Endpoint) int {
	n := s.e.o.EndpointCap
	if target.MaxConcurrency > 0 {
		n = target.MaxConcurrency
	}
	if target.Status == event.EndpointPending {
		return 1
	}
	if ep.health != nil {
		n = max(1, n>>ep.health.shift)
	}
	return n
}

// window is how many of the endpoint's deliveries are kept in memory: fewer for
// one that does not do well.
func (s *Shard) window(ep *endpoint) int {
	if ep.health == nil {
		return s.e.o.Window
	}
	return max(1, s.e.o.Window>>ep.health.shift)
}

// nap lets the endpoint wait for its turn. The caller holds mu.
func (s *Shard) nap(ep *endpoint, now time.Time, wait time.Duration) {
	s.wheel.Add(&ep.token, now.Add(min(wait, maxNap)))
	s.wake()
}

// rest lets the endpoint wait for long. The caller holds mu.
func (s *Shard) rest(ep *endpoint, now time.Time, wait time.Duration) {
	s.nap(ep, now, wait)
	if wait >= spillAfter {
		s.spill(ep)
	}
}

// spill gives the endpoint's deliveries that wait in memory back to the log: it
// will not send for a while, and others need the memory. While attempts are in
// flight it does nothing; the last of them to end comes back here. The caller
// holds mu.
func (s *Shard) spill(ep *endpoint) {
	if ep.inFlight > 0 || ep.reading || ep.queue.len() == 0 {
		return
	}
	low, fresh := ep.low()
	for ep.queue.len() > 0 {
		j := ep.queue.popFront()
		s.unweigh(ep, &j)
		if j.timed {
			ep.unread(&j.d)
		}
	}
	ep.queue.release()
	if !ep.resting {
		s.wheel.Remove(&ep.retry) // it may be set for later than what was given back
	}
	if fresh {
		if !ep.behind {
			ep.behind, ep.tail = true, ep.cursor
			s.e.o.Hooks.Behind(1)
		}
		ep.cursor = event.Before(low)
	}
	ep.spilled = true
	s.list(ep)
}

// unread makes a timer that was read one that is still to be read.
func (ep *endpoint) unread(d *event.Delivery) {
	due, before := uint64(d.Due.UnixMilli()), event.Before(d.ID)
	if due < ep.timerDue || due == ep.timerDue && before.Compare(ep.timerID) < 0 {
		ep.timerDue, ep.timerID = due, before
	}
	if ep.next == 0 || due < ep.next {
		ep.next = due
	}
}

// asleep reports whether the endpoint may not send for a while, so that reading
// the log for it would be in vain.
func (ep *endpoint) asleep() bool { return ep.held || ep.spilled && ep.token.Active() }
