package retry

import (
	"slices"

	"posthaste/event"
)

// The names that Convoy's older documents give the strategies.
const (
	oldLinear      = "default"
	oldExponential = "exponential-backoff"
)

var schedules = map[string][]int{
	event.ScheduleConvoy:   {10, 30, 60, 180, 300, 600, 900},
	event.ScheduleStandard: {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400},
}

// Named is the schedule of that name, in seconds; the caller may change it.
func Named(name string) (steps []int, ok bool) {
	steps, ok = schedules[name]
	return slices.Clone(steps), ok
}

// Normalize writes a strategy as it is stored and shown. It does not check it, and
// changes nothing that it has normalized before.
//
//   - The type "default" is linear. "exponential-backoff" is exponential if it has
//     a duration, and else the schedule that Convoy's documents show for it. No type
//     is a schedule if there is one, and else linear.
//   - A schedule that has a known name gets its steps, in place of none or of those
//     of another name.
//   - A schedule without a number of attempts gets one more than it has steps, and
//     so does one that changed its name and had as many as the old name gave it.
func Normalize(s event.Strategy) event.Strategy {
	s.Type, s.ScheduleName = typeOf(&s)
	if s.Type != event.StrategySchedule {
		return s
	}
	if steps, ok := Named(s.ScheduleName); ok {
		was := nameOf(s.Schedule)
		if was != "" && was != s.ScheduleName && s.RetryCount == len(s.Schedule)+1 {
			s.RetryCount = 0
		}
		if was != "" || len(s.Schedule) == 0 {
			s.Schedule = steps
		}
	}
	if s.RetryCount == 0 && len(s.Schedule) > 0 {
		s.RetryCount = len(s.Schedule) + 1
	}
	return s
}

// typeOf is the strategy's type by its name of today, and the name of its schedule.
func typeOf(s *event.Strategy) (kind, schedule string) {
	switch {
	case s.Type == "" && (s.ScheduleName != "" || len(s.Schedule) > 0):
		return event.StrategySchedule, s.ScheduleName
	case s.Type == "", s.Type == oldLinear:
		return event.StrategyLinear, s.ScheduleName
	case s.Type == oldExponential && s.Duration != 0:
		return event.StrategyExponential, s.ScheduleName
	case s.Type == oldExponential:
		return event.StrategySchedule, event.ScheduleConvoy
	}
	return s.Type, s.ScheduleName
}

// nameOf is the name under which these steps are known; "" if they are not.
func nameOf(steps []int) string {
	for name, known := range schedules {
		if slices.Equal(steps, known) {
			return name
		}
	}
	return ""
}
