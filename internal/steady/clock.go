package steady

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// tolerance is how far the gap may be off before the wall clock counts as set: the two
	// clocks are not read at the same moment.
	tolerance = int64(time.Millisecond)
	// slew is what part of the time that passes a Clock that is ahead gives back.
	slew = 10
)

// Clock is a wall clock that does not go back while the process runs. Any goroutine may
// call any method; only when the machine's clock was just set do they wait for each other.
type Clock struct {
	read Source

	mu   sync.Mutex // held by those who replace line
	line atomic.Pointer[line]
}

// Source reads the machine's clocks, both in nanoseconds: the wall clock since 1970, and the
// monotonic one since any moment that stays the same. Any goroutine may call it.
type Source func() (wall, mono int64)

// line is how a Clock goes since the machine's was last set.
type line struct {
	gap   int64 // of the wall clock to the monotonic one
	ahead int64 // of the wall clock, at since
	since int64 // by the monotonic clock
}

// aheadAt is how far ahead of the wall clock the line is.
func (l *line) aheadAt(mono int64) int64 { return max(0, l.ahead-(mono-l.since)/slew) }

// New is a clock that shows the machine's time.
func New() *Clock {
	began := time.Now()
	return Of(func() (wall, mono int64) {
		now := time.Now()
		return now.UnixNano(), int64(now.Sub(began))
	})
}

// Of is a clock over others than the machine's, for tests.
func Of(read Source) *Clock {
	c := &Clock{read: read}
	wall, mono := read()
	c.line.Store(&line{gap: wall - mono, since: mono})
	return c
}

// Now is the time, in UTC and without a monotonic reading. It is the wall clock's, or later
// than that where the wall clock was set back.
func (c *Clock) Now() time.Time {
	wall, mono := c.read()
	l := c.line.Load()
	if off := wall - mono - l.gap; off > tolerance || off < -tolerance {
		l = c.set(wall, mono, 0)
	}
	return time.Unix(0, wall+l.aheadAt(mono)).UTC()
}

// AtLeast moves the clock on to t, if it is not there yet.
func (c *Clock) AtLeast(t time.Time) {
	wall, mono := c.read()
	c.set(wall, mono, t.UnixNano()-wall)
}

// set begins a new line, at least so far ahead of the wall clock.
func (c *Clock) set(wall, mono, least int64) *line {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := c.line.Load()
	gap := wall - mono
	l := &line{gap: gap, ahead: max(0, least, last.aheadAt(mono)-(gap-last.gap)), since: mono}
	c.line.Store(l)
	return l
}

// Wall is the machine's wall clock, in UTC.
func (c *Clock) Wall() time.Time {
	wall, _ := c.read()
	return time.Unix(0, wall).UTC()
}

// Gap is what the machine's wall clock is ahead of its monotonic one. By as much as it
// changes from one call to another the wall clock was set, or the machine slept.
func (c *Clock) Gap() time.Duration {
	wall, mono := c.read()
	return time.Duration(wall - mono)
}

// Ahead is how far the clock is ahead of the machine's wall clock.
func (c *Clock) Ahead() time.Duration {
	now := c.Now()
	return max(0, now.Sub(c.Wall()))
}
