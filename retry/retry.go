// Package retry says when an attempt that failed is followed by another. It is
// arithmetic: it has no clock and draws no random number.
package retry

import (
	"slices"
	"time"

	"posthaste/event"
)

// Policy is a compiled event.Strategy. It never changes and any number of
// goroutines may use it. The zero value is not a policy.
type Policy struct {
	limit  int
	waits  []span // of the first, second, ... failed attempt; the last one goes for all after it
	final  []int  // sorted
	maxAge time.Duration
}

// Compile normalizes a strategy, checks it and makes a Policy of it. An error is an
// event.InvalidError whose field is relative to the strategy, as in "schedule[2]".
func Compile(s event.Strategy) (*Policy, error) {
	s = Normalize(s)
	if err := check(&s); err != nil {
		return nil, err
	}
	final := slices.Clone(s.NoRetryStatuses)
	slices.Sort(final)
	age := s.MaxAge
	if age == 0 {
		age = event.MaxRetrySeconds
	}
	return &Policy{
		limit:  s.RetryCount,
		waits:  spans(&s),
		final:  slices.Compact(final),
		maxAge: time.Duration(age) * time.Second,
	}, nil
}

// Limit is how many attempts there are, the first included.
func (p *Policy) Limit() int { return p.limit }

// Wait is the time between the end of the n-th attempt, counted from 1, and the
// next; random is evenly distributed over all of its values. A wait is at least a
// millisecond and at most 1.2 times event.MaxRetrySeconds.
func (p *Policy) Wait(n int, random uint32) time.Duration {
	return p.waits[min(max(n, 1), len(p.waits))-1].at(random)
}

// Final reports whether a delivery fails at once after an answer with this status.
func (p *Policy) Final(status int) bool {
	_, found := slices.BinarySearch(p.final, status)
	return found
}

// MaxAge is the age of a delivery from which a failed attempt is the last.
func (p *Policy) MaxAge() time.Duration { return p.maxAge }
