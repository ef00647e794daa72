package api

import (
	"slices"

	"posthaste/event"
	"posthaste/retry"
)

// strategyOf is the retry strategy that applies to an endpoint, its own, else its
// project's, and how many attempts it allows.
func strategyOf(c *call, endpoint event.ID) (s event.Strategy, limit int) {
	strategy, policy := &c.project.Config.Strategy, c.project.Retry
	if e := c.snap.Endpoint(endpoint); e != nil {
		policy = e.Policy(c.project)
		if e.Strategy != nil {
			strategy = e.Strategy
		}
	}
	return retry.Normalize(*strategy), policy.Limit()
}

// intervalAfter is the wait, in seconds, that a strategy starts from after so many
// attempts: of a schedule the step, else what it is configured with.
func intervalAfter(s *event.Strategy, attempts int) int {
	if s.Type != event.StrategySchedule || len(s.Schedule) == 0 {
		return s.Duration
	}
	return s.Schedule[min(max(attempts, 1), len(s.Schedule))-1]
}

// longestWait is the longest wait of a strategy, in seconds.
func (a *API) longestWait(s *event.Strategy) int {
	longest := a.o.MaxRetrySeconds
	switch {
	case s.Type == event.StrategyExponential && s.MaxDuration > 0:
		longest = min(longest, s.MaxDuration)
	case s.Type == event.StrategyExponential:
		longest = min(longest, event.DefaultMaxBackoff)
	case s.Type == event.StrategySchedule && len(s.Schedule) > 0:
		longest = min(longest, slices.Max(s.Schedule))
	}
	return longest
}
