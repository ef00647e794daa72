package wheel

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// lateness is how late timers fired, in whole ticks after the one they were due in,
// by count.
type lateness struct {
	ticks map[int]int
	total int
	early bool // a timer fired before it was due
}

func (l *lateness) add(late, tick time.Duration) {
	l.early = l.early || late < 0
	l.ticks[int(late/tick)]++
	l.total++
}

// quantile is the number of ticks that so large a part of the timers was late at most.
func (l *lateness) quantile(q float64) int {
	late := make([]int, 0, len(l.ticks))
	for ticks := range l.ticks {
		late = append(late, ticks)
	}
	slices.Sort(late)
	seen := 0
	for _, ticks := range late {
		if seen += l.ticks[ticks]; float64(seen) >= q*float64(l.total) {
			return ticks
		}
	}
	return 0
}

const latenessTick = time.Millisecond

// runLate lets n timers that are due within a span fall due, as an owner does that
// sleeps until Next and then calls Advance, on a simulated clock. The owner's own work
// takes time on it: cost says how much, for an Advance that fired so many timers and took
// so long here.
func runLate(n int, span time.Duration, cost func(fired int, took time.Duration) time.Duration) *lateness {
	r := rand.New(rand.NewPCG(1, 2))
	w := New[int](latenessTick, epoch)
	timers := make([]Timer[int], n)
	dues := make([]time.Time, n)
	for i := range timers {
		timers[i].Value, dues[i] = i, at(time.Duration(r.Int64N(int64(span))))
		w.Add(&timers[i], dues[i])
	}
	l := &lateness{ticks: make(map[int]int)}
	for now := epoch; ; {
		next, ok := w.Next()
		if !ok {
			return l
		}
		if next.After(now) {
			now = next
		}
		fired, begun := 0, time.Now()
		w.Advance(now, func(i int) {
			fired++
			l.add(now.Sub(dues[i]), latenessTick)
		})
		now = now.Add(cost(fired, time.Since(begun)))
	}
}

// TestLatenessOfAMillionTimersIsAtMostOneTick lets the million fall due within a
// minute, about 17 in each tick, while each costs its owner ten microseconds. Lateness
// is counted from the time a timer was due, which is rounded up to a tick: 0 ticks is the best
// that a wheel can do, and no timer of that load may be later than one.
func TestLatenessOfAMillionTimersIsAtMostOneTick(t *testing.T) {
	n, span := million, time.Minute
	if testing.Short() {
		n, span = n/20, span/20
	}
	l := runLate(n, span, func(fired int, _ time.Duration) time.Duration { return time.Duration(fired) * 10 * time.Microsecond })
	if l.total != n || l.early {
		t.Errorf("%d of %d fired, one of them early: %v", l.total, n, l.early)
	}
	if p99, all := l.quantile(0.99), l.quantile(1); p99 > 1 || all > 1 {
		t.Errorf("p99 is %d ticks late, the latest %d: %v", p99, all, l.ticks)
	}
}

// TestLatenessIsSeen: an owner that cannot keep up is late, so that the test above can
// fail.
func TestLatenessIsSeen(t *testing.T) {
	l := runLate(10_000, time.Second, func(fired int, _ time.Duration) time.Duration { return time.Duration(fired) * 200 * time.Microsecond })
	if p50 := l.quantile(0.5); p50 < 100 {
		t.Errorf("twice as much work as time, and the median is %d ticks late: %v", p50, l.ticks)
	}
}

// BenchmarkWheelLateness lets a million timers fall due within a minute of a simulated
// clock on which the wheel's own work takes the time that it takes here.
func BenchmarkWheelLateness(b *testing.B) {
	var l *lateness
	for b.Loop() {
		l = runLate(million, time.Minute, func(_ int, took time.Duration) time.Duration { return took })
	}
	b.ReportMetric(float64(l.quantile(0.99)), "p99-ticks")
	b.ReportMetric(float64(l.quantile(0.9999)), "p99.99-ticks")
	b.ReportMetric(float64(l.quantile(1)), "max-ticks")
}
