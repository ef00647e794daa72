// Package breaker is a circuit breaker per endpoint: arithmetic on a given now,
// without a clock, a goroutine or a lock of its own.
//
// The names of its settings are Convoy's. This is what they mean here:
//
//	observability_window   closed, outcomes are counted in ten buckets of a sliding
//	                       window of so many minutes
//	failure_threshold      it opens when so many percent of them are failures,
//	minimum_request_count  if there are at least so many
//	sample_rate            an evaluation that left it closed is followed by the next
//	                       after so many seconds at the earliest. Convoy evaluates at
//	                       these intervals; here a failure that is recorded does
//	error_timeout          open, nothing is sent for so many seconds. Then it is
//	                       half-open: one attempt at a time is let through, a probe
//	success_threshold      it closes when so many percent of a round of 20 probes
//	                       have succeeded in a row. Convoy's 5 are one success. A
//	                       probe that fails opens it again, for the same time
//	consecutive_failure_threshold
//	                       after so many openings in a row its owner disables the
//	                       endpoint
//
// Besides, it opens after five attempts in a row that got no answer, however few
// there were and whenever it was evaluated.
package breaker

import "time"

// maxUnreachable is how many attempts in a row without an answer open a breaker.
const maxUnreachable = 5

// State is what a breaker does at the moment.
type State uint8

// The states of a breaker. Their texts are Convoy's cb_state.
const (
	Closed State = iota
	Open
	HalfOpen
)

// String is "closed", "open" or "half-open".
func (s State) String() string { return [...]string{"closed", "open", "half-open"}[s] }

// Outcome is how an attempt ended, as a breaker sees it.
type Outcome uint8

// The outcomes.
const (
	Succeeded   Outcome = iota
	Failed              // an answer that is not 2xx
	Unreachable         // no answer: no connection, a timeout
)

// Event is what Record and Forget did to the breaker.
type Event uint8

// What can happen to a breaker.
const (
	Nothing   Event = iota
	Opened          // from closed, or again from half-open
	Recovered       // it closed
)

// Breaker is the breaker of one endpoint. The zero value is closed. Its owner
// serialises calls, and does not copy it once it is in use. It takes 40 bytes, and
// some 120 more while there are outcomes to be counted.
type Breaker struct {
	window *window // of outcomes; nil before the first, and while it is not closed
	until  int64   // it is open until then; 0: it is not
	probe  int64   // when the probe that is on its way was let through; 0: none is
	trips  int32   // 0: it is closed
	streak uint8   // attempts in a row that got no answer, while closed
	good   uint8   // probes in a row that succeeded, while half-open
}

// Restore brings back a breaker after a restart, as it was by Trips and Until. One
// that had opened and is not open any more is half-open.
func Restore(trips int, until time.Time) Breaker {
	if trips <= 0 {
		return Breaker{}
	}
	b := Breaker{trips: int32(min(trips, maxTrips))}
	if !until.IsZero() {
		b.until = until.UnixNano()
	}
	return b
}

// Allow reports whether an attempt may be made at now. If not, wait is when to ask
// again; 0 means when the probe that is on its way has ended. An attempt that was
// allowed must be followed by Record or Forget. A probe that never is does not block
// for ever: after error_timeout, but at least a minute, the next one is let through
// to whoever asks.
func (b *Breaker) Allow(c Config, now time.Time) (ok bool, wait time.Duration) {
	if !c.on || b.trips == 0 {
		return true, 0
	}
	at := now.UnixNano()
	// It was opened with another timeout, or the clock was set back.
	b.until = min(b.until, at+c.timeout)
	if at < b.until {
		return false, time.Duration(b.until - at)
	}
	if b.probe != 0 && at-b.probe < c.lost && b.probe-at < c.lost {
		return false, 0
	}
	b.until, b.probe = 0, at
	return true, 0
}

// Record takes the outcome of an attempt that ended at now. The outcome of an
// attempt that began before the breaker opened does not count while it is open, or
// half-open without a probe; while a probe is on its way it counts as the probe's.
func (b *Breaker) Record(c Config, now time.Time, o Outcome) Event {
	switch {
	case !c.on:
		return b.off()
	case b.trips == 0:
		return b.count(&c, now.UnixNano(), o)
	case b.probe == 0:
		return Nothing
	}
	b.probe = 0
	if o != Succeeded {
		return b.open(&c, now.UnixNano())
	}
	b.good++
	if b.good < c.probes {
		return Nothing
	}
	*b = Breaker{}
	return Recovered
}

// off forgets everything, now that the breaker has been switched off.
func (b *Breaker) off() Event {
	was := b.trips
	*b = Breaker{}
	if was > 0 {
		return Recovered
	}
	return Nothing
}

// count is Record while the breaker is closed.
func (b *Breaker) count(c *Config, now int64, o Outcome) Event {
	if b.window == nil {
		b.window = new(window)
	}
	if !b.window.advance(now, c.bucket) {
		b.streak = 0 // what happened so long ago is not in a row with this
	}
	b.window.add(o != Succeeded)
	switch o {
	case Unreachable:
		b.streak++
	default:
		b.streak = 0
	}
	if b.streak >= maxUnreachable || o != Succeeded && b.window.tooMany(c, now) {
		return b.open(c, now)
	}
	return Nothing
}

// maxTrips is where counting them ends.
const maxTrips = 1 << 30

func (b *Breaker) open(c *Config, now int64) Event {
	*b = Breaker{until: now + c.timeout, trips: min(b.trips+1, maxTrips)}
	return Opened
}

// Forget is Record for an attempt that did not count.
func (b *Breaker) Forget() { b.probe = 0 }

// State is the state at now.
func (b *Breaker) State(now time.Time) State {
	switch {
	case b.trips == 0:
		return Closed
	case now.UnixNano() < b.until:
		return Open
	}
	return HalfOpen
}

// Trips is how often in a row it opened without a recovery in between.
func (b *Breaker) Trips() int { return int(b.trips) }

// Rest is how long an open breaker lets nothing through from now on; 0 when it is not open.
// It is not longer than the timeout of c: the clock may have been set back.
func (b *Breaker) Rest(c Config, now time.Time) time.Duration {
	if b.until == 0 {
		return 0
	}
	at := now.UnixNano()
	if c.on {
		b.until = min(b.until, at+c.timeout)
	}
	return time.Duration(max(0, b.until-at))
}

// Until is when an open breaker lets a probe through; zero when it is not open.
func (b *Breaker) Until() time.Time {
	if b.until == 0 {
		return time.Time{}
	}
	return time.Unix(0, b.until).UTC()
}

// Blank reports whether there is nothing to remember at now: it is closed and has
// no outcomes in its window. It may then be replaced by the zero value.
func (b *Breaker) Blank(c Config, now time.Time) bool {
	return b.trips == 0 && (b.window == nil || !c.on || !b.window.advance(now.UnixNano(), c.bucket))
}
