package ratelimit

import (
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawn is a limit with the numbers that it was made of.
type drawn struct {
	Limit
	count, burst int
	per          time.Duration
}

func drawLimit(t *rapid.T) drawn {
	count := rapid.OneOf(rapid.IntRange(1, 20), rapid.IntRange(1, 2_000_000)).Draw(t, "count")
	per := rapid.OneOf(
		rapid.Map(rapid.IntRange(1, 3600), func(s int) time.Duration { return time.Duration(s) * time.Second }),
		rapid.Map(rapid.Int64Range(1, int64(time.Minute)), func(n int64) time.Duration { return time.Duration(n) }),
	).Draw(t, "per")
	burst := rapid.IntRange(0, 12).Draw(t, "burst")
	d := drawn{PerDuration(count, per, burst), count, burst, per}
	if burst == 0 {
		d.burst = d.Burst()
	}
	return d
}

// drawStep draws how long after the last request the next one comes: at once,
// around the interval, around the wait that was told, or anything.
func drawStep(t *rapid.T, interval, wait time.Duration) time.Duration {
	near := rapid.Int64Range(-2, 2).Draw(t, "near")
	switch rapid.IntRange(0, 3).Draw(t, "step") {
	case 0:
		return 0
	case 1:
		return max(0, interval+time.Duration(near))
	case 2:
		return max(0, wait+time.Duration(near))
	default:
		return time.Duration(rapid.Int64Range(0, 5*int64(interval)).Draw(t, "any"))
	}
}

// TestNeverAboveRateAndBurst: between any two requests that were let through, at
// most rate x time + burst were, in exact arithmetic.
func TestNeverAboveRateAndBurst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLimit(t)
		now, tat, wait := start, int64(0), time.Duration(0)
		var taken []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			now = now.Add(drawStep(t, l.Interval(), wait))
			if tat, wait = l.Take(tat, now); wait == 0 {
				taken = append(taken, now)
			}
		}
		for i := range taken {
			for j := i; j < len(taken); j++ {
				if !l.allows(j-i+1, taken[j].Sub(taken[i])) {
					t.Fatalf("%d requests within %v", j-i+1, taken[j].Sub(taken[i]))
				}
			}
		}
	})
}

// allows tells whether n <= count/per*window + burst.
func (d drawn) allows(n int, window time.Duration) bool {
	left := new(big.Int).Mul(big.NewInt(int64(n-d.burst)), big.NewInt(int64(d.per)))
	right := new(big.Int).Mul(big.NewInt(int64(d.count)), big.NewInt(int64(window)))
	return left.Cmp(right) <= 0
}

// TestWaitIsExact: at now+wait the token is there, a nanosecond earlier it is
// not, and a refusal changes nothing.
func TestWaitIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLimit(t)
		now, tat, wait := start, int64(0), time.Duration(0)
		refused := 0
		for refused < 5 {
			before := tat
			if tat, wait = l.Take(tat, now); wait == 0 {
				now = now.Add(time.Duration(rapid.Int64Range(0, int64(l.Interval())-1).Draw(t, "step")))
				continue
			}
			refused++
			if tat != before {
				t.Fatalf("refused, but the TAT went from %d to %d", before, tat)
			}
			if _, early := l.Take(tat, now.Add(wait-1)); early != 1 {
				t.Fatalf("1 ns before the wait of %v is over: wait %v", wait, early)
			}
			now = now.Add(wait)
			if tat, wait = l.Take(tat, now); wait != 0 {
				t.Fatalf("after the wait: wait %v", wait)
			}
		}
	})
}

// bucket is the other form of the algorithm in I.371, the continuous-state
// leaky bucket: a level that drains with time, to which each request adds an
// interval, and which must not be above the tolerance when one comes.
type bucket struct {
	interval, tolerance time.Duration
	level               time.Duration
	last                time.Time
}

func (b *bucket) take(now time.Time) bool {
	level := max(0, b.level-now.Sub(b.last))
	if level > b.tolerance {
		return false
	}
	b.level, b.last = level+b.interval, now
	return true
}

func TestSameAsLeakyBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLimit(t)
		interval := (l.per + time.Duration(l.count) - 1) / time.Duration(l.count)
		b := bucket{interval: interval, tolerance: time.Duration(l.burst-1) * interval, last: start}
		now, tat, wait := start, int64(0), time.Duration(0)
		for i := range rapid.IntRange(1, 80).Draw(t, "requests") {
			now = now.Add(drawStep(t, interval, wait))
			tat, wait = l.Take(tat, now)
			if want := b.take(now); (wait == 0) != want {
				t.Fatalf("request %d: wait %v, the bucket says %v", i, wait, want)
			}
		}
	})
}

// TestTableSameAsLimits: with room for all keys, a table is a limit for each.
func TestTableSameAsLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const keys = 8
		limits := [keys]drawn{}
		for i := range limits {
			limits[i] = drawLimit(t)
		}
		table := NewTable(tableShards * keys)
		var tats [keys]int64
		now := start
		for range rapid.IntRange(1, 80).Draw(t, "requests") {
			i := rapid.IntRange(0, keys-1).Draw(t, "key")
			now = now.Add(drawStep(t, limits[i].Interval(), 0))
			var want time.Duration
			tats[i], want = limits[i].Take(tats[i], now)
			if got := table.one(Key{byte(i)}, limits[i].Limit, now); got != want {
				t.Fatalf("key %d: got %v, want %v", i, got, want)
			}
		}
	})
}
