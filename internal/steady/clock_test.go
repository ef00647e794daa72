package steady

import (
	"math/rand/v2"
	"testing"
	"time"
)

// machine is a machine whose clock can be set.
type machine struct{ wall, mono int64 }

func newMachine() *machine {
	return &machine{wall: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC).UnixNano(), mono: 5e9}
}

func (m *machine) read() (wall, mono int64) { return m.wall, m.mono }

func (m *machine) pass(d time.Duration) { m.wall += int64(d); m.mono += int64(d) }

func (m *machine) set(by time.Duration) { m.wall += int64(by) }

func (m *machine) now() time.Time { return time.Unix(0, m.wall).UTC() }

func TestFollowsTheWallClock(t *testing.T) {
	m := newMachine()
	c := Of(m.read)
	for _, by := range []time.Duration{0, time.Second, time.Hour, 100 * 24 * time.Hour} {
		m.set(by)
		m.pass(time.Minute)
		if got := c.Now(); !got.Equal(m.now()) {
			t.Errorf("set ahead by %s: %s, want %s", by, got, m.now())
		}
	}
}

// Set back, it goes on from where it was, more slowly, and the two meet.
func TestSetBack(t *testing.T) {
	for _, by := range []time.Duration{2 * time.Millisecond, time.Second, time.Hour, 24 * time.Hour, 56 * 365 * 24 * time.Hour} {
		m := newMachine()
		c := Of(m.read)
		before := c.Now()
		m.set(-by)
		if got := c.Now(); !got.Equal(before) {
			t.Errorf("-%s: %s, want %s", by, got, before)
		}
		m.pass(10 * time.Second)
		if got, want := c.Now().Sub(before), max(9*time.Second, 10*time.Second-by); got != want {
			t.Errorf("-%s: %s passed of 10 s, want %s", by, got, want)
		}
		if got, want := c.Ahead(), max(0, by-time.Second); got != want {
			t.Errorf("-%s: ahead by %s, want %s", by, got, want)
		}
		if by > 365*24*time.Hour {
			continue
		}
		m.pass(10 * by)
		if got := c.Now(); !got.Equal(m.now()) {
			t.Errorf("-%s: %s after ten times as long, want %s", by, got, m.now())
		}
	}
}

// A clock that is set back and then right again leaves nothing behind.
func TestSetBackAndForth(t *testing.T) {
	m := newMachine()
	c := Of(m.read)
	m.set(-time.Hour)
	c.Now()
	m.pass(time.Minute)
	m.set(time.Hour)
	if got := c.Now(); !got.Equal(m.now()) || c.Ahead() != 0 {
		t.Errorf("%s, %s ahead, want %s", got, c.Ahead(), m.now())
	}
}

func TestAtLeast(t *testing.T) {
	m := newMachine()
	c := Of(m.read)
	later := m.now().Add(time.Hour)
	c.AtLeast(later)
	if got := c.Now(); !got.Equal(later) {
		t.Errorf("%s, want %s", got, later)
	}
	c.AtLeast(m.now())
	if got := c.Now(); !got.Equal(later) {
		t.Errorf("an earlier one: %s, want %s", got, later)
	}
}

func TestGapTellsThatTheClockWasSet(t *testing.T) {
	m := newMachine()
	c := Of(m.read)
	gap := c.Gap()
	m.pass(time.Hour)
	if c.Gap() != gap {
		t.Errorf("%s without a step, was %s", c.Gap(), gap)
	}
	m.set(-time.Minute)
	if by := c.Gap() - gap; by != -time.Minute {
		t.Errorf("%s, want -1m", by)
	}
}

// TestNeverGoesBack sets the clock at random. It never goes back, is never behind the
// machine's, and never goes at less than nine tenths of real time.
func TestNeverGoesBack(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	m := newMachine()
	c := Of(m.read)
	last := c.Now()
	for range 100_000 {
		passed := time.Duration(r.Int64N(int64(time.Minute)))
		m.pass(passed)
		if r.IntN(4) == 0 {
			m.set(time.Duration(r.Int64N(int64(4*time.Hour))) - 2*time.Hour)
		}
		now := c.Now()
		// A line that is left gives back less than a nanosecond too much.
		if now.Sub(last) < passed*9/10-2*time.Duration(tolerance) || now.Before(m.now()) {
			t.Fatalf("%s after %s, %s had passed, the machine says %s", now, last, passed, m.now())
		}
		last = now
	}
}

func TestMachine(t *testing.T) {
	c := New()
	if off := time.Since(c.Now()); off < -time.Second || off > 10*time.Second {
		t.Errorf("%s off the machine's clock", off)
	}
}

func TestNowDoesNotAllocate(t *testing.T) {
	c := New()
	if n := testing.AllocsPerRun(100, func() { c.Now() }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
