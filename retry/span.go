package retry

import (
	"math/bits"
	"time"

	"posthaste/event"
)

// The spread of waits for which a strategy names no jitter.
const (
	linearJitter = 10 // percent, upwards only
	otherJitter  = 20 // percent, to both sides
	// fullJitterSteps are the first waits of ScheduleStandard, each of which is
	// anything between nothing and its step: the herd is largest there.
	fullJitterSteps = 2
)

const (
	minWait = time.Millisecond
	maxWait = event.MaxRetrySeconds * time.Second * 12 / 10
)

// span is where a wait may lie: from low to low+width.
type span struct {
	low, width time.Duration
}

// at picks the wait that random stands for: low at 0, just below low+width at the
// greatest. It is exact, so a recorded random number leads to the same wait anywhere.
func (s span) at(random uint32) time.Duration {
	part, _ := bits.Mul64(uint64(s.width), uint64(random)<<32)
	return min(max(s.low+time.Duration(part), minWait), maxWait)
}

// around is a wait of step, give or take percent.
func around(step time.Duration, percent int) span {
	delta := step * time.Duration(percent) / 100
	return span{step - delta, 2 * delta}
}

// spans works out all the waits of a checked strategy.
func spans(s *event.Strategy) []span {
	steps := steps(s)
	out := make([]span, len(steps))
	for i, step := range steps {
		out[i] = spread(s, i, step)
	}
	return out
}

// spread puts the strategy's jitter around the i-th wait.
func spread(s *event.Strategy, i int, step time.Duration) span {
	switch {
	case s.Jitter != nil:
		return around(step, *s.Jitter)
	case s.Type == event.StrategyLinear:
		return span{step, step * linearJitter / 100}
	case s.ScheduleName == event.ScheduleStandard && i < fullJitterSteps:
		return span{0, step}
	}
	return around(step, otherJitter)
}

// steps are the waits without jitter, up to the one that goes for all the rest.
func steps(s *event.Strategy) []time.Duration {
	switch s.Type {
	case event.StrategyExponential:
		return doublings(seconds(s.Duration), maxBackoff(s))
	case event.StrategySchedule:
		out := make([]time.Duration, len(s.Schedule))
		for i, step := range s.Schedule {
			out[i] = seconds(step)
		}
		return out
	}
	return []time.Duration{seconds(s.Duration)}
}

// doublings is first, twice first, and so on, until the last one is most.
func doublings(first, most time.Duration) []time.Duration {
	var out []time.Duration
	for step := first; step < most; step *= 2 {
		out = append(out, step)
	}
	return append(out, most)
}

func maxBackoff(s *event.Strategy) time.Duration {
	if s.MaxDuration == 0 {
		return seconds(event.DefaultMaxBackoff)
	}
	return seconds(s.MaxDuration)
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
