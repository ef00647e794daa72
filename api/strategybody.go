package api

import (
	"posthaste/event"
	"posthaste/retry"
)

// strategyBody is a retry strategy in a request. What it does not name stays as it
// is, unless another type makes it meaningless.
type strategyBody struct {
	Type            *string       `json:"type"`
	Duration        seconds       `json:"duration"`
	RetryCount      *int          `json:"retry_count"`
	MaxDuration     seconds       `json:"max_duration"`
	Schedule        []seconds     `json:"schedule"` // null: as before
	ScheduleName    *string       `json:"schedule_name"`
	Jitter          optional[int] `json:"jitter"`            // null: the default
	NoRetryStatuses []int         `json:"no_retry_statuses"` // null: as before
	MaxAge          seconds       `json:"max_age"`
}

// over is the strategy that results from the body and the strategy as it was. It
// shares no memory with either that anybody writes to. The catalog checks it.
func (b *strategyBody) over(s event.Strategy) event.Strategy {
	asked := retry.Normalize(b.asked())
	if named := asked.Type == event.StrategySchedule || b.asked().Type != ""; named && asked.Type != s.Type {
		s = strategyOfType(asked.Type, s)
	}
	b.setSchedule(&s, asked.ScheduleName)
	setSeconds(&s.Duration, b.Duration)
	set(&s.RetryCount, b.RetryCount)
	setSeconds(&s.MaxDuration, b.MaxDuration)
	setSeconds(&s.MaxAge, b.MaxAge)
	if b.Jitter.sent {
		s.Jitter = b.Jitter.value
	}
	if b.NoRetryStatuses != nil {
		s.NoRetryStatuses = b.NoRetryStatuses
	}
	return retry.Normalize(s)
}

// asked is what the body alone says of the type.
func (b *strategyBody) asked() event.Strategy {
	s := event.Strategy{Duration: b.Duration.n, Schedule: b.schedule()}
	set(&s.Type, b.Type)
	set(&s.ScheduleName, b.ScheduleName)
	return s
}

func (b *strategyBody) schedule() []int {
	waits := make([]int, len(b.Schedule))
	for i, wait := range b.Schedule {
		waits[i] = wait.n
	}
	return waits
}

// strategyOfType is a strategy of another type than s, with what of s holds for it too.
func strategyOfType(kind string, s event.Strategy) event.Strategy {
	out := event.Strategy{Type: kind, NoRetryStatuses: s.NoRetryStatuses, MaxAge: s.MaxAge}
	if kind == event.StrategySchedule {
		return out
	}
	d := event.DefaultProjectConfig().Strategy
	out.Duration, out.RetryCount = d.Duration, d.RetryCount
	if s.Type != event.StrategySchedule {
		out.Duration, out.RetryCount = s.Duration, s.RetryCount
	}
	return out
}

// setSchedule sets the schedule, by its name or as a list, and takes the other away. The
// number of attempts follows if it was the schedule's.
func (b *strategyBody) setSchedule(s *event.Strategy, name string) {
	if b.Schedule == nil && b.ScheduleName == nil && name == "" {
		return
	}
	if s.Type == event.StrategySchedule && s.RetryCount == len(s.Schedule)+1 {
		s.RetryCount = 0
	}
	if b.Schedule != nil || name != "" {
		s.Schedule = b.schedule()
	}
	s.ScheduleName = name
}
