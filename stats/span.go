package stats

import (
	"time"

	"posthaste/event"
)

// MaxSteps bounds what a Span asks for.
const MaxSteps = 4000

// Span is the time that counts are asked for: steps of a length, from the one that From
// is in to the one that the millisecond before To is in. Times are in milliseconds since
// the Unix epoch. A step is whole minutes; steps begin at multiples of their length.
type Span struct {
	From, To uint64
	Step     time.Duration
}

// Begin is when the first step begins.
func (s Span) Begin() uint64 { return s.From - s.From%s.millis() }

// Steps is how many there are.
func (s Span) Steps() int {
	if s.To <= s.Begin() {
		return 0
	}
	return int((s.To - s.Begin() + s.millis() - 1) / s.millis())
}

// Index is the step that a time is in; false if none is.
func (s Span) Index(ms uint64) (int, bool) {
	if ms < s.Begin() || ms >= s.To {
		return 0, false
	}
	return int((ms - s.Begin()) / s.millis()), true
}

func (s Span) millis() uint64 { return uint64(s.Step.Milliseconds()) }

// Check is an event.InvalidError if the span cannot be asked for.
func (s Span) Check() error {
	if s.Step < time.Minute || s.Step%time.Minute != 0 {
		return event.Invalid("step", "must be a whole number of minutes")
	}
	if n := s.Steps(); n > MaxSteps {
		return event.Invalid("step", "%d steps are too many, %d is the most: ask for longer steps or for less time", n, MaxSteps)
	}
	return nil
}

// SeriesCells is the counts of one series.
type SeriesCells struct {
	Series Series
	Cells  []Cell // one for each step of the span
}

// Sum is all of its counts together.
func (s *SeriesCells) Sum() Cell {
	var sum Cell
	for _, c := range s.Cells {
		sum.AddCell(c)
	}
	return sum
}
