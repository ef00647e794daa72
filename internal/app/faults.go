package app

import (
	"sync"
	"time"

	"posthaste/engine"
)

// faultEvery is how often a fault that comes again and again is logged.
const faultEvery = 10 * time.Second

// recurring counts a fault that may come many times a second, for a log that is to tell of it
// now and then. The zero value has seen none. Any goroutine.
type recurring struct {
	mu    sync.Mutex
	times int       // since the last line; guarded by mu
	last  time.Time // when that was; guarded by mu
}

// again counts the fault once more. If it is time for a line, times is what it should say;
// otherwise it is 0.
func (r *recurring) again(now time.Time) (times int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.times++
	if !r.last.IsZero() && now.Sub(r.last) < faultEvery {
		return 0
	}
	times, r.times, r.last = r.times, 0, now
	return times
}

// unaccepted hears of connections to the API that could not be accepted.
func (a *App) unaccepted(err error) {
	a.m.unaccepted.Inc()
	if n := a.faults.accept.again(time.Now()); n > 0 {
		a.log.Error().Err(err).Int("times", n).Msg("no connection to the API can be accepted; trying again")
	}
}

// hooks are the engine's.
func (a *App) hooks() engine.Hooks {
	h := a.m.hooks()
	h.Local = func(reason string) {
		a.m.localFaults.Inc()
		if n := a.faults.attempt.again(time.Now()); n > 0 {
			a.log.Error().Str("reason", reason).Int("times", n).Msg("attempts cannot be made, for a fault of this machine; they do not count and are made again")
		}
	}
	h.Blocked = a.blocks.add
	return h
}
