// Package retry says when an attempt that failed is followed by another. It is
// arithmetic: it has no clock and draws no random number.
package retry

import (
	"time"

	"posthaste/event"
)

// Policy is a compiled event.Strategy. It never changes. The zero value is not a policy.
type Policy struct {
	strategy event.Strategy
}

// Compile checks a strategy and makes a Policy of it. An error is an
// event.InvalidError whose field is relative to the strategy, as in "schedule[2]".
func Compile(s event.Strategy) (*Policy, error) { return &Policy{s}, nil }

// Limit is how many attempts there are, the first included.
func (p *Policy) Limit() int { return max(1, p.strategy.RetryCount) }

// Wait is the time between the end of the n-th attempt, counted from 1, and the
// next; random is evenly distributed over all of its values.
func (p *Policy) Wait(n int, random uint32) time.Duration {
	return time.Duration(p.strategy.Duration) * time.Second
}

// Final reports whether a delivery fails at once after an answer with this status.
func (p *Policy) Final(status int) bool { return false }

// MaxAge is the age of a delivery from which a failed attempt is the last.
func (p *Policy) MaxAge() time.Duration { return event.MaxRetrySeconds * time.Second }

// After reads the value of a Retry-After header, RFC 9110 section 10.2.3: seconds or
// an HTTP date. ok is false for what is neither; a date that is past is 0.
func After(value string, now time.Time) (wait time.Duration, ok bool) { return 0, false }
