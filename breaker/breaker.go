// Package breaker is a circuit breaker per endpoint: arithmetic on a given now,
// without a clock, a goroutine or a lock of its own.
package breaker

import (
	"time"

	"posthaste/event"
)

// Config is a compiled event.CircuitBreakerConfig, a value that is shared. The zero
// value is a breaker that is off.
type Config struct {
	on bool
}

// Compile checks a configuration. An error is an event.InvalidError whose field is
// relative, as in "failure_threshold". Zero numbers get the defaults.
func Compile(c event.CircuitBreakerConfig) (Config, error) { return Config{on: c.Enabled}, nil }

// On reports whether there is a breaker at all.
func (c Config) On() bool { return c.on }

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

// Breaker is the breaker of one endpoint. The zero value is closed. Its owner
// serialises calls.
type Breaker struct{}

// Allow reports whether an attempt may be made at now. If not, wait is when to ask
// again; 0 means when the probe that is on its way has ended. An attempt that was
// allowed must be followed by Record or Forget.
func (b *Breaker) Allow(c Config, now time.Time) (ok bool, wait time.Duration) { return true, 0 }

// Event is what Record and Forget did to the breaker.
type Event uint8

// What can happen to a breaker.
const (
	Nothing   Event = iota
	Opened          // from closed, or again from half-open
	Recovered       // it closed
)

// Record takes the outcome of an attempt that ended at now.
func (b *Breaker) Record(c Config, now time.Time, o Outcome) Event { return Nothing }

// Forget is Record for an attempt that did not count.
func (b *Breaker) Forget() {}

// State is the state at now.
func (b *Breaker) State(now time.Time) State { return Closed }

// Trips is how often in a row it opened without a recovery in between.
func (b *Breaker) Trips() int { return 0 }

// Until is when an open breaker lets a probe through; zero when it is not open.
func (b *Breaker) Until() time.Time { return time.Time{} }

// Restore brings back a breaker after a restart, as it was by Trips and Until.
func Restore(trips int, until time.Time) Breaker { return Breaker{} }
