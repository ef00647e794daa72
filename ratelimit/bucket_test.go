package ratelimit

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBucket(t *testing.T) {
	l := PerDuration(10, time.Second, 5) // 100 ms a token
	type step struct {
		after time.Duration // since the last step
		n     int
		want  State
	}
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for name, steps := range map[string][]step{
		"one by one": {
			{0, 1, State{0, 4, ms(100)}}, {0, 4, State{0, 0, ms(500)}},
			{0, 1, State{ms(100), 0, ms(500)}}, {ms(99), 1, State{ms(1), 0, ms(401)}}, {ms(1), 1, State{0, 0, ms(500)}},
		},
		"all or nothing":    {{0, 3, State{0, 2, ms(300)}}, {0, 3, State{ms(100), 2, ms(300)}}, {0, 2, State{0, 0, ms(500)}}},
		"a look":            {{0, 0, State{0, 5, 0}}, {0, 2, State{0, 3, ms(200)}}, {0, 0, State{0, 3, ms(200)}}, {ms(200), -1, State{0, 5, 0}}},
		"a debt":            {{0, 20, State{0, 0, ms(2000)}}, {ms(1599), 1, State{ms(1), 0, ms(401)}}, {ms(1), 1, State{0, 0, ms(500)}}},
		"a debt from full":  {{0, 1, State{0, 4, ms(100)}}, {0, 6, State{ms(100), 4, ms(100)}}, {ms(100), 6, State{0, 0, ms(600)}}},
		"the debt is alone": {{0, 20, State{0, 0, ms(2000)}}, {ms(1), 20, State{ms(1999), 0, ms(1999)}}},
	} {
		t.Run(name, func(t *testing.T) {
			var b Bucket
			now := start
			for i, s := range steps {
				now = now.Add(s.after)
				if got := b.Take(l, s.n, now); got != s.want {
					t.Fatalf("step %d: %+v, want %+v", i, got, s.want)
				}
			}
		})
	}
}

func TestBucketWithoutLimit(t *testing.T) {
	var b Bucket
	b.Give(Limit{}, 3)
	if got := b.Take(Limit{}, 1000, start); got != (State{}) {
		t.Errorf("%+v", got)
	}
}

func TestGive(t *testing.T) {
	l := PerDuration(10, time.Second, 5)
	var b Bucket
	b.Take(l, 2, start)
	before := b.Take(l, 0, start)
	b.Take(l, 3, start)
	b.Give(Limit{}, 1)
	b.Give(PerDuration(1, time.Second, 5), 1)
	b.Give(l, 3)
	if after := b.Take(l, 0, start); after != before {
		t.Errorf("%+v, want %+v", after, before)
	}
	table := NewTable(10)
	table.Give(keyOf(1), l, 5)
	if table.Take(keyOf(1), l, 5, start); table.Len() != 1 {
		t.Errorf("%d keys", table.Len())
	}
	table.Give(keyOf(1), l, 2)
	if got := table.Take(keyOf(1), l, 0, start); got.Remaining != 2 {
		t.Errorf("%+v", got)
	}
}

// A limit that was changed does not wait for what the old one let through.
func TestLimitChanged(t *testing.T) {
	slow, quick := PerDuration(1, time.Hour, 0), PerDuration(100, time.Second, 10)
	var b Bucket
	b.Take(slow, 1000, start)
	if got := b.Take(quick, 1, start); got.Wait != 10*time.Millisecond || got.Remaining != 0 {
		t.Errorf("%+v", got)
	}
	if got := b.Take(slow, 1, start); got.Wait != 100*time.Millisecond {
		t.Errorf("slow again: %+v", got)
	}
}

func TestLookingStoresNothing(t *testing.T) {
	table := NewTable(1000)
	if got := table.Take(keyOf(1), PerDuration(10, time.Second, 5), 0, start); got.Remaining != 5 || table.Len() != 0 {
		t.Errorf("%+v, %d keys", got, table.Len())
	}
}

func TestManyTokensDoNotOverflow(t *testing.T) {
	for _, l := range []Limit{PerDuration(1, math.MaxInt64, math.MaxInt), PerDuration(math.MaxInt, 1, math.MaxInt), PerDuration(1, math.MaxInt64, 1)} {
		var b Bucket
		for range 10 {
			if got := b.Take(l, math.MaxInt, start); got.Wait < 0 || got.Remaining < 0 || got.Full <= 0 {
				t.Fatalf("%+v: %+v", l, got)
			}
		}
	}
}

// TestManyAtOnceAreManyInTurn: n tokens at once are n single ones, and a wait is exact.
func TestManyAtOnceAreManyInTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLimit(t)
		var many Bucket
		var tat int64
		now := start
		for range rapid.IntRange(1, 40).Draw(t, "requests") {
			now = now.Add(drawStep(t, l.Interval(), 0))
			n := rapid.IntRange(1, l.burst).Draw(t, "n")
			next, all := tat, true
			for range n {
				var wait time.Duration
				next, wait = l.Take(next, now)
				all = all && wait == 0
			}
			got := many.Take(l.Limit, n, now)
			if (got.Wait == 0) != all {
				t.Fatalf("%d at once: %+v, one by one: %v", n, got, all)
			}
			if all {
				tat = next
				continue
			}
			if early := many.Take(l.Limit, n, now.Add(got.Wait-1)); early.Wait != 1 {
				t.Fatalf("1 ns before the wait of %v is over: %+v", got.Wait, early)
			}
		}
		if got := many.Take(l.Limit, 0, now); got.Remaining > l.burst || got.Remaining < 0 || got.Remaining > 0 && many.Take(l.Limit, got.Remaining, now).Wait != 0 {
			t.Fatalf("%d tokens are not there", got.Remaining)
		}
	})
}

// TestDebtIsPaid: whatever the sizes, not more than rate x time + burst + the
// last that was larger than the burst.
func TestDebtIsPaid(t *testing.T) {
	l := PerDuration(100, time.Second, 10)
	rapid.Check(t, func(t *rapid.T) {
		var b Bucket
		now, taken, largest := start, 0, 0
		for range rapid.IntRange(1, 60).Draw(t, "requests") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "step")))
			n := rapid.IntRange(1, 50).Draw(t, "n")
			if b.Take(l, n, now).Wait == 0 {
				taken, largest = taken+n, max(largest, n)
			}
			if most := int(now.Sub(start)/l.Interval()) + max(10, largest); taken > most {
				t.Fatalf("%d taken within %v, at most %d should be", taken, now.Sub(start), most)
			}
		}
	})
}
