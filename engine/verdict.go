package engine

import (
	"fmt"
	"net/http"
	"time"

	"posthaste/breaker"
	"posthaste/catalog"
	"posthaste/event"
)

// examine draws the conclusions of an attempt that ended: about the endpoint's
// health, its breaker and its state. The caller holds mu.
func (s *Shard) examine(w *worker, now time.Time) {
	ep, a := w.ep, w.settlement.Attempt
	ep.probing = false
	if w.reason != "" {
		return
	}
	if w.settled && a != nil {
		ep.slow = now.Sub(w.started) >= slowAttempt
	}
	if !w.settled || a == nil || blameless(a) {
		if ep.health != nil && w.project.Breaker.On() {
			ep.health.breaker.Forget()
		}
		return
	}
	if a.Succeeded() {
		s.praise(w, now)
	} else {
		s.blame(w, a, now)
	}
}

// blameless reports whether an attempt failed through no fault of the endpoint or
// its owner's settings of it.
func blameless(a *event.Attempt) bool { return !a.Class.Charged() || a.Class == event.ClassTransform }

func (s *Shard) praise(w *worker, now time.Time) {
	if w.target.Status == event.EndpointPending {
		s.e.clerk.add(w, event.EndpointActive, "a delivery that was retried by hand succeeded")
	}
	h := w.ep.health
	if h == nil {
		return
	}
	h.succeeded()
	if w.project.Breaker.On() && h.breaker.Record(w.project.Breaker, now, breaker.Succeeded) == breaker.Recovered {
		h.ramp, h.until, h.changed = now, time.Time{}, true
		s.e.o.Hooks.Breaker(breaker.Closed)
	}
}

func (s *Shard) blame(w *worker, a *event.Attempt, now time.Time) {
	h := w.ep.ill()
	h.failed(a, now)
	s.activate(w.ep)
	if h.failures >= downAfter {
		s.nap(w.ep, now, downPause)
	}
	c := w.project.Breaker
	if c.On() && h.breaker.Record(c, now, outcomeOf(a)) == breaker.Opened {
		h.changed = true
		s.e.o.Hooks.Breaker(breaker.Open)
	}
	if reason := fatal(w.project, w.target, h, a, &w.settlement.Delivery, now); reason != "" {
		w.ep.held = true // until that is written
		s.e.clerk.add(w, event.EndpointInactive, reason)
	}
}

func outcomeOf(a *event.Attempt) breaker.Outcome {
	if a.StatusCode == 0 {
		return breaker.Unreachable
	}
	return breaker.Failed
}

// fatal says why a failed attempt ends deliveries to its endpoint; "" if it does
// not. d is the delivery after the attempt.
func fatal(p *catalog.Project, target *catalog.Endpoint, h *health, a *event.Attempt, d *event.Delivery, now time.Time) string {
	if p.IsMeta() {
		return ""
	}
	switch {
	case a.StatusCode == http.StatusGone:
		return "it answered 410 Gone"
	case target.Status == event.EndpointPending:
		return "a delivery that was retried by hand failed"
	case p.Breaker.On() && p.Breaker.TripLimit() > 0 && h.breaker.Trips() >= p.Breaker.TripLimit():
		return fmt.Sprintf("its circuit breaker opened %d times in a row", h.breaker.Trips())
	case !p.Config.DisableEndpoint:
		return ""
	}
	return dead(&p.Config.DeadEndpoint, h, d, now)
}

// dead is the rule for endpoints that fail consecutively.
func dead(c *event.DeadEndpointConfig, h *health, d *event.Delivery, now time.Time) string {
	count, window := c.Count, time.Duration(c.Window)*time.Second
	setDefault(&count, event.DefaultDeadCount)
	setDefault(&window, event.DefaultDeadWindow*time.Second)
	switch c.Strategy {
	case event.DeadConsecutive:
		if h.failures >= count {
			return fmt.Sprintf("%d attempts in a row failed", h.failures)
		}
	case event.DeadWindow:
		if failing := now.Sub(h.since); h.failures >= count && failing >= window {
			return fmt.Sprintf("nothing but failures for %s", failing.Round(time.Second))
		}
	default:
		if d.Status == event.Failure && d.Attempts >= d.Limit {
			return fmt.Sprintf("a delivery failed %d times, which is its limit", d.Attempts)
		}
	}
	return ""
}
