package ratelimit

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

var start = time.Unix(1795278039, 123)

func TestPerDuration(t *testing.T) {
	f := func(count int, per time.Duration, burst int, wantInterval time.Duration, wantBurst int) {
		t.Helper()
		l := PerDuration(count, per, burst)
		if l.Interval() != wantInterval || l.Burst() != wantBurst {
			t.Errorf("%d per %v, burst %d: got %v and %d, want %v and %d",
				count, per, burst, l.Interval(), l.Burst(), wantInterval, wantBurst)
		}
	}
	f(5000, time.Minute, 0, 12*time.Millisecond, 8)
	f(7, time.Second, 0, 142857143, 2)
	f(1000, time.Minute, 0, 60*time.Millisecond, 2)
	f(1, time.Second, 0, time.Second, 1)
	f(2, time.Second, -1, 500*time.Millisecond, 2)
	f(30, time.Second, 0, 33333334, 2)
	f(1000, time.Second, 0, time.Millisecond, 100)
	f(1000, 10*time.Millisecond, 0, 10*time.Microsecond, 1000)
	f(1000, time.Second, 1, time.Millisecond, 1)
	f(10, time.Second, 500, 100*time.Millisecond, 500)
	f(math.MaxInt, time.Second, 0, 1, 100_000_000)
	f(1, math.MaxInt64, 0, maxSpan, 1)
	f(1, time.Hour, math.MaxInt, time.Hour, 1+maxSpan/int(time.Hour))
}

func TestNoLimit(t *testing.T) {
	for _, l := range []Limit{{}, PerDuration(0, time.Second, 1), PerDuration(-1, time.Second, 1), PerDuration(1, 0, 1), PerDuration(1, -1, 1)} {
		if !l.Unlimited() || l.Burst() != 0 || l.Interval() != 0 {
			t.Errorf("%+v is a limit", l)
		}
		if tat, wait := l.Take(42, start); tat != 42 || wait != 0 {
			t.Errorf("%+v: got %d and %v", l, tat, wait)
		}
	}
	if PerDuration(1, time.Hour, 0).Unlimited() {
		t.Error("one an hour is no limit")
	}
}

func TestBurstAfterAPause(t *testing.T) {
	for _, l := range []Limit{PerDuration(5000, time.Minute, 0), PerDuration(7, time.Second, 5), PerDuration(1, time.Hour, 0)} {
		if got := takenAt(l, start); got != l.Burst() {
			t.Errorf("%+v: %d at once, want %d", l, got, l.Burst())
		}
	}
}

func takenAt(l Limit, now time.Time) (n int) {
	var tat int64
	for {
		next, wait := l.Take(tat, now)
		if wait > 0 {
			return n
		}
		tat, n = next, n+1
	}
}

// TestRateOverTenWindows drives a limit as a timer does: each request comes up
// to a millisecond after the time it was told. The rate stays within 1%, and
// no window has more than its count and the burst.
func TestRateOverTenWindows(t *testing.T) {
	f := func(count int, per time.Duration) {
		t.Helper()
		l := PerDuration(count, per, 0)
		random := rand.New(rand.NewPCG(1, uint64(count)))
		var times []time.Time
		var tat int64
		for now := start; now.Sub(start) < 10*per; {
			next, wait := l.Take(tat, now)
			if tat = next; wait == 0 {
				times = append(times, now)
				continue
			}
			now = now.Add(wait + time.Duration(random.Int64N(int64(time.Millisecond))))
		}
		if n := len(times); n < 10*count*99/100 || n > 10*count+l.Burst() {
			t.Errorf("%d per %v: %d in ten windows", count, per, n)
		}
		for i := count + l.Burst(); i < len(times); i++ {
			if d := times[i].Sub(times[i-count-l.Burst()]); d < per {
				t.Fatalf("%d per %v: %d within %v", count, per, count+l.Burst()+1, d)
			}
		}
	}
	for count := 1; count <= 100; count++ {
		f(count, time.Second)
	}
	f(5000, time.Minute)
	f(1000, time.Minute)
	f(10_000, time.Second)
	f(1, time.Minute)
	f(7, 3*time.Second)
}

func TestClockSetBack(t *testing.T) {
	l := PerDuration(100, time.Second, 5)
	tat, _ := l.Take(0, start)
	// A little: waited for, and no token is given away.
	for range 4 {
		tat, _ = l.Take(tat, start)
	}
	if _, wait := l.Take(tat, start.Add(-time.Second)); wait != time.Second+10*time.Millisecond {
		t.Errorf("a second back: wait %v", wait)
	}
	// A lot: one token, and the burst is used up.
	back := start.Add(-time.Hour)
	tat, wait := l.Take(tat, back)
	if wait != 0 {
		t.Fatalf("an hour back: wait %v", wait)
	}
	if _, wait = l.Take(tat, back); wait != 10*time.Millisecond {
		t.Errorf("an hour back, the next: wait %v", wait)
	}
}

func TestLimitMadeFaster(t *testing.T) {
	tat, _ := PerDuration(1, time.Hour, 0).Take(0, start)
	if _, wait := PerDuration(100, time.Second, 0).Take(tat, start.Add(time.Millisecond)); wait != 0 {
		t.Errorf("still waits %v for the old limit", wait)
	}
}

func TestExtremesDoNotOverflow(t *testing.T) {
	for _, l := range []Limit{
		PerDuration(1, math.MaxInt64, math.MaxInt),
		PerDuration(math.MaxInt, 1, math.MaxInt),
		PerDuration(math.MaxInt, math.MaxInt64, 1),
	} {
		var tat int64
		for range 100 {
			next, wait := l.Take(tat, start)
			if wait < 0 || next < tat || (wait == 0 && next <= start.UnixNano()) {
				t.Fatalf("%+v: tat %d, then %d, wait %v", l, tat, next, wait)
			}
			tat = next
		}
	}
}

func TestTakeDoesNotAllocate(t *testing.T) {
	l := PerDuration(5000, time.Minute, 0)
	var tat int64
	now := start
	n := testing.AllocsPerRun(1000, func() {
		tat, _ = l.Take(tat, now)
		now = now.Add(5 * time.Millisecond)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
