package engine

import (
	"math/bits"
	"net/http"
	"time"

	"posthaste/breaker"
	"posthaste/event"
	"posthaste/ratelimit"
)

const (
	// maxShift halves an endpoint's share of workers at most so often.
	maxShift = 6
	// downAfter is how many failures in a row make an endpoint one that is down,
	// whatever it answers: it is tried with few attempts at once from then on.
	downAfter = 100
	// downPause is how long such an endpoint is left alone after each failure.
	downPause = 2 * time.Millisecond
	// rampStep is how long a slow start stays at a rate before it doubles.
	rampStep = 10 * time.Second
	// rampSteps is how often it doubles: from 1 to 2048 a second.
	rampSteps = 12
)

// health is what is remembered of an endpoint that did not do well of late, or
// that has a circuit breaker. An endpoint without one is well.
type health struct {
	failures int       // attempts in a row that failed
	since    time.Time // of the first of them
	shift    uint8     // its share of workers is halved so often
	until    time.Time // nothing is sent before: it asked for that
	breaker  breaker.Breaker
	config   breaker.Config // of the breaker, when it was last asked

	ramp    time.Time // when its slow start began; zero: none
	rampTAT int64

	changed bool // since it was last recorded
}

// illness is the health of an endpoint that has nothing to do.
type illness struct {
	health   *health
	recorded bool // the log has a record of it
}

// ramps are the rates of a slow start.
var ramps = func() (r [rampSteps]ratelimit.Limit) {
	for i := range r {
		r[i] = ratelimit.PerDuration(1<<i, time.Second, 0)
	}
	return r
}()

// take asks the slow start for leave to send at now.
func (h *health) take(now time.Time, own ratelimit.Limit) (wait time.Duration) {
	if h.ramp.IsZero() {
		return 0
	}
	step := int(now.Sub(h.ramp) / rampStep)
	if step >= rampSteps || !own.Unlimited() && ramps[step].Interval() <= own.Interval() {
		h.ramp, h.rampTAT = time.Time{}, 0
		return 0
	}
	h.rampTAT, wait = ramps[step].Take(h.rampTAT, now)
	return wait
}

// succeeded notes a success.
func (h *health) succeeded() {
	if h.failures != 0 {
		h.changed = true
	}
	h.failures, h.since = 0, time.Time{}
	if h.shift > 0 {
		h.shift--
	}
}

// failed notes a failed attempt. One that got no answer, or one that says that
// the endpoint has too much to do, costs it half of its share of workers: so
// endpoints that hang leave the workers to those that do not. So does any failure of
// one that is down: thousands of attempts a second would tell nothing new, and take
// the processor from the others.
func (h *health) failed(a *event.Attempt, now time.Time) {
	if h.failures == 0 {
		h.since = now
	}
	h.failures++
	h.changed = true
	if overworked(a) || h.failures >= downAfter {
		h.shift = min(h.shift+1, maxShift)
	}
	if a.RetryAfter > 0 {
		h.until = later(h.until, now.Add(min(a.RetryAfter, MaxRetryAfter)))
	}
}

func overworked(a *event.Attempt) bool {
	switch a.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return a.Class == event.ClassTimeout
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// row is what the log remembers, dated by its clock.
func (h *health) row(e *Engine, ep event.ID) event.Health {
	r := event.Health{Endpoint: ep, Failures: h.failures, Trips: h.breaker.Trips()}
	if h.failures > 0 {
		r.Since = uint64(h.since.UnixMilli())
	}
	r.Until = e.noted(later(h.until, h.breaker.Until()))
	return r
}

// healthOf brings back what the log remembers.
func (e *Engine) healthOf(r event.Health) *health {
	h := &health{failures: r.Failures}
	// So many failures make no difference to a smaller share of the workers.
	h.shift = uint8(min(bits.Len(uint(r.Failures)), maxShift))
	if r.Failures > 0 {
		h.since = time.UnixMilli(int64(r.Since)).UTC()
	}
	h.until = e.recalled(r.Until, MaxRetryAfter)
	if r.Trips > 0 {
		h.breaker = breaker.Restore(r.Trips, h.until)
	}
	return h
}

// needless reports whether nothing would change if it were forgotten.
func (h *health) needless(now time.Time) bool {
	return h.failures == 0 && h.shift == 0 && !h.changed && h.breaker.Trips() == 0 &&
		!h.until.After(now) && h.ramp.IsZero() && h.breaker.Blank(h.config, now)
}

// ill gives the endpoint a health, if it has none. The caller holds the shard's
// lock.
func (ep *endpoint) ill() *health {
	if ep.health == nil {
		ep.health = new(health)
	}
	return ep.health
}
