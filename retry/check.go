package retry

import (
	"fmt"
	"slices"

	"posthaste/event"
)

// maxFinalStatuses is how many statuses outside 2xx there are.
const maxFinalStatuses = 400

// check checks a normalized strategy.
func check(s *event.Strategy) error {
	if err := checkType(s); err != nil {
		return err
	}
	for _, r := range []struct {
		field     string
		n         int
		low, high int
		what      string
	}{
		{"duration", s.Duration, leastDuration(s), event.MaxRetrySeconds, "seconds"},
		{"retry_count", s.RetryCount, 1, event.MaxAttempts, "attempts, the first included"},
		{"max_duration", s.MaxDuration, 0, event.MaxRetrySeconds, "seconds; 0 is the default"},
		{"max_age", s.MaxAge, 0, event.MaxRetrySeconds, "seconds; 0 is the default"},
	} {
		if r.n < r.low || r.n > r.high {
			return event.Invalid(r.field, "is %d; it must be %d to %d %s", r.n, r.low, r.high, r.what)
		}
	}
	if s.Jitter != nil && (*s.Jitter < 0 || *s.Jitter > 100) {
		return event.Invalid("jitter", "is %d; it must be 0 to 100 percent of the wait", *s.Jitter)
	}
	return checkStatuses(s.NoRetryStatuses)
}

// leastDuration: the other types have one, a schedule does not look at it.
func leastDuration(s *event.Strategy) int {
	if s.Type == event.StrategySchedule {
		return 0
	}
	return 1
}

func checkType(s *event.Strategy) error {
	switch s.Type {
	case event.StrategySchedule:
		return checkSchedule(s)
	case event.StrategyLinear, event.StrategyExponential:
	default:
		return event.Invalid("type", "is none that is known; it must be %q, %q or %q",
			event.StrategyLinear, event.StrategyExponential, event.StrategySchedule)
	}
	if s.ScheduleName != "" {
		return event.Invalid("schedule_name", "goes with the type %q only; set that type, or clear the name", event.StrategySchedule)
	}
	if len(s.Schedule) > 0 {
		return event.Invalid("schedule", "goes with the type %q only; set that type, or clear the list", event.StrategySchedule)
	}
	return nil
}

func checkSchedule(s *event.Strategy) error {
	if s.ScheduleName != "" {
		steps, ok := Named(s.ScheduleName)
		if !ok {
			return event.Invalid("schedule_name", "is none that is known; it must be %q or %q, or empty for a list in schedule",
				event.ScheduleConvoy, event.ScheduleStandard)
		}
		if !slices.Equal(s.Schedule, steps) {
			return event.Invalid("schedule", "is not the schedule %q; leave it out, or clear schedule_name", s.ScheduleName)
		}
	}
	if n := len(s.Schedule); n == 0 || n > event.MaxScheduleSteps {
		return event.Invalid("schedule", "has %d waits; give 1 to %d, in seconds, or a schedule_name", n, event.MaxScheduleSteps)
	}
	for i, step := range s.Schedule {
		if step < 1 || step > event.MaxRetrySeconds {
			return event.Invalid(fmt.Sprintf("schedule[%d]", i), "is %d; it must be 1 to %d seconds", step, event.MaxRetrySeconds)
		}
	}
	return nil
}

func checkStatuses(statuses []int) error {
	if len(statuses) > maxFinalStatuses {
		return event.Invalid("no_retry_statuses", "has %d entries; there are %d such statuses", len(statuses), maxFinalStatuses)
	}
	for i, status := range statuses {
		if status < 100 || status > 599 || status >= 200 && status <= 299 {
			return event.Invalid(fmt.Sprintf("no_retry_statuses[%d]", i), "is %d; it must be 100 to 199 or 300 to 599", status)
		}
	}
	return nil
}
