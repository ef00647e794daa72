package stats

import "time"

// Level says how long a slot is, how long the stretch of a row, and for how long rows are
// kept.
type Level struct {
	Slot, Stretch, Keep time.Duration
}

const day = 24 * time.Hour

// Levels, from the finest on. A slot of a level is whole slots of the one before, and
// so are stretches. They start at the Unix epoch.
var Levels = [...]Level{
	{Slot: time.Minute, Stretch: time.Hour, Keep: 48 * time.Hour},
	{Slot: time.Hour, Stretch: day, Keep: 35 * day},
	{Slot: day, Stretch: 32 * day, Keep: 3 * 366 * day},
}

// Place is the stretch that a time, in milliseconds since the Unix epoch, is in, and the
// slot within it.
func (l Level) Place(ms uint64) (stretch uint32, slot int) {
	length := uint64(l.Stretch.Milliseconds())
	return uint32(ms / length), int(ms % length / uint64(l.Slot.Milliseconds()))
}

// Start is when a slot of a stretch begins, in milliseconds since the Unix epoch.
func (l Level) Start(stretch uint32, slot int) uint64 {
	return uint64(stretch)*uint64(l.Stretch.Milliseconds()) + uint64(slot)*uint64(l.Slot.Milliseconds())
}

// Slots is how many a stretch has.
func (l Level) Slots() int { return int(l.Stretch / l.Slot) }

// LevelFor is the level to read for steps of this length from a time on: the coarsest
// whose slots the step is made of, and that still has the time. If none has, it is the
// last.
func LevelFor(step, age time.Duration) int {
	for i := len(Levels) - 1; i > 0; i-- {
		if step%Levels[i].Slot == 0 {
			return i
		}
	}
	for i, l := range Levels {
		if age <= l.Keep {
			return i
		}
	}
	return len(Levels) - 1
}
