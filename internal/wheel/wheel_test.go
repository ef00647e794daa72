package wheel

import (
	"math"
	"slices"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func at(d time.Duration) time.Time { return epoch.Add(d) }

// fired advances the wheel and returns what fired.
func fired[T any](w *Wheel[T], now time.Time) []T {
	var out []T
	w.Advance(now, func(v T) { out = append(out, v) })
	return out
}

func TestFiresOnTheFirstTickNotBeforeDue(t *testing.T) {
	const ms = time.Millisecond
	cases := []struct {
		name string
		due  time.Duration
		tick time.Duration
		want time.Duration // the earliest time at which Advance fires it
	}{
		{"one tick", ms, ms, ms},
		{"rounded up", ms + 1, ms, 2 * ms},
		{"just below", 2*ms - 1, ms, 2 * ms},
		{"last slot of level 0", 63 * ms, ms, 63 * ms},
		{"first slot of level 1", 64 * ms, ms, 64 * ms},
		{"inside level 1", 65 * ms, ms, 65 * ms},
		{"last of level 1", 4095 * ms, ms, 4095 * ms},
		{"first of level 2", 4096 * ms, ms, 4096 * ms},
		{"one hour", time.Hour + 7*ms, ms, time.Hour + 7*ms},
		{"30 days", 30*24*time.Hour + 1, ms, 30*24*time.Hour + ms},
		{"ten years", 87600*time.Hour + ms, ms, 87600*time.Hour + ms},
		{"a tick of one nanosecond", 123456789, 1, 123456789},
		{"the end of time at one nanosecond", math.MaxInt64 - 1, 1, math.MaxInt64 - 1},
		{"a tick of a minute", 61 * time.Second, time.Minute, 2 * time.Minute},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := New[string](c.tick, epoch)
			timer := &Timer[string]{Value: c.name}
			w.Add(timer, at(c.due))
			if got := fired(w, at(c.want-1)); got != nil {
				t.Fatalf("fired early: %v", got)
			}
			if next, ok := w.Next(); !ok || next.After(at(c.want)) {
				t.Fatalf("Next = %v %v, want not after %v", next, ok, at(c.want))
			}
			if got := fired(w, at(c.want)); len(got) != 1 {
				t.Fatalf("not fired at %v", c.want)
			}
			if w.Len() != 0 || timer.Active() {
				t.Fatal("still in the wheel after it fired")
			}
		})
	}
}

func TestPastDueFiresAtTheNextAdvance(t *testing.T) {
	w := New[int](time.Millisecond, epoch)
	w.Advance(at(time.Hour), nil)
	for i, due := range []time.Duration{time.Minute, time.Hour, -time.Hour, math.MinInt64} {
		w.Add(&Timer[int]{Value: i}, at(due))
	}
	if next, ok := w.Next(); !ok || next.After(at(time.Hour)) {
		t.Fatalf("Next = %v %v, want not after the latest Advance", next, ok)
	}
	if got := fired(w, at(time.Hour)); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Fatalf("fired %v, want all four in the order they were added", got)
	}
}

func TestFiresInOrderOfDueThenOfAdd(t *testing.T) {
	w := New[int](time.Millisecond, epoch)
	const late = 3*time.Hour + 17*time.Millisecond
	w.Add(&Timer[int]{Value: 2}, at(late))
	w.Add(&Timer[int]{Value: 1}, at(time.Second))
	w.Advance(at(late-2*time.Millisecond), func(v int) {
		if v != 1 {
			t.Errorf("fired %d early", v)
		}
	})
	w.Add(&Timer[int]{Value: 3}, at(late)) // placed low at once; 2 came down to it from above
	w.Add(&Timer[int]{Value: 4}, at(late+time.Millisecond))
	w.Add(&Timer[int]{Value: 0}, at(late-time.Millisecond))
	if got := fired(w, at(late+time.Hour)); !slices.Equal(got, []int{0, 2, 3, 4}) {
		t.Fatalf("fired %v", got)
	}
}

func TestNowGoingBackwardsDoesNothing(t *testing.T) {
	w := New[int](time.Millisecond, epoch)
	w.Advance(at(time.Minute), nil)
	w.Add(&Timer[int]{Value: 1}, at(time.Second))
	w.Add(&Timer[int]{Value: 2}, at(2*time.Minute))
	for _, now := range []time.Duration{59 * time.Second, -time.Hour} {
		if got := fired(w, at(now)); got != nil {
			t.Fatalf("fired %v going back to %v", got, now)
		}
	}
	if got := fired(w, at(2*time.Minute)); !slices.Equal(got, []int{1, 2}) {
		t.Fatalf("fired %v", got)
	}
}

func TestRemove(t *testing.T) {
	w := New[int](time.Millisecond, epoch)
	timers := make([]Timer[int], 5)
	if w.Remove(&timers[0]) {
		t.Fatal("removed what was never added")
	}
	for i := range timers {
		timers[i].Value = i
		w.Add(&timers[i], at(time.Second))
	}
	for _, i := range []int{0, 4, 2} { // first, last, middle of the slot
		if !w.Remove(&timers[i]) || w.Remove(&timers[i]) {
			t.Fatalf("Remove of timer %d: want true, then false", i)
		}
	}
	if got := fired(w, at(time.Second)); !slices.Equal(got, []int{1, 3}) {
		t.Fatalf("fired %v", got)
	}
	if _, ok := w.Next(); ok || w.Len() != 0 {
		t.Fatal("an empty wheel has no next time")
	}
}

func TestAddMovesATimer(t *testing.T) {
	w := New[int](time.Millisecond, epoch)
	timer := &Timer[int]{Value: 7}
	w.Add(timer, at(time.Second))
	w.Add(timer, at(time.Hour))
	if w.Len() != 1 {
		t.Fatalf("Len = %d", w.Len())
	}
	if got := fired(w, at(time.Minute)); got != nil {
		t.Fatalf("fired at its old time: %v", got)
	}
	if got := fired(w, at(time.Hour)); len(got) != 1 {
		t.Fatal("not fired at its new time")
	}
}

func TestFireMayAddItselfAsDueNow(t *testing.T) {
	w := New[int](time.Millisecond, epoch)
	timer := &Timer[int]{}
	w.Add(timer, at(time.Millisecond))
	calls := 0
	again := func(int) { calls++; w.Add(timer, at(0)) }
	for want := 1; want <= 3; want++ {
		w.Advance(at(time.Duration(want)*time.Hour), again)
		if calls != want {
			t.Fatalf("%d calls after %d advances: want one each", calls, want)
		}
	}
}

func TestFireMayRemoveItsNeighbours(t *testing.T) {
	for _, overdue := range []bool{false, true} {
		w := New[int](time.Millisecond, epoch)
		w.Advance(at(time.Second), nil)
		due := at(time.Minute)
		if overdue {
			due = at(0)
		}
		timers := make([]Timer[int], 4)
		for i := range timers {
			timers[i].Value = i
			w.Add(&timers[i], due)
		}
		var got []int
		w.Advance(at(time.Hour), func(v int) {
			got = append(got, v)
			w.Remove(&timers[3])
			w.Remove(&timers[(v+1)%4])
		})
		if !slices.Equal(got, []int{0, 2}) || w.Len() != 0 {
			t.Fatalf("overdue %v: fired %v, %d left", overdue, got, w.Len())
		}
	}
}

func TestPanicInFireLosesNoOtherTimer(t *testing.T) {
	w := New[int](time.Millisecond, epoch)
	timers := make([]Timer[int], 6)
	for i := range timers {
		timers[i].Value = i
		w.Add(&timers[i], at(time.Duration(i/2)*time.Second)) // the first two are overdue
	}
	seen := map[int]bool{}
	advance := func() {
		defer func() { _ = recover() }()
		w.Advance(at(time.Minute), func(v int) { seen[v] = true; panic(v) })
	}
	for range 2 * len(timers) {
		advance()
	}
	if len(seen) != len(timers) || w.Len() != 0 {
		t.Fatalf("%d of %d fired, %d left", len(seen), len(timers), w.Len())
	}
}

func TestNextWalksToTheTimerInAFewSteps(t *testing.T) {
	w := New[int](time.Millisecond, epoch)
	due := at(29*24*time.Hour + 12345*time.Millisecond)
	w.Add(&Timer[int]{Value: 1}, due)
	steps := 0
	for w.Len() > 0 {
		next, ok := w.Next()
		if !ok || next.After(due) {
			t.Fatalf("Next = %v %v with a timer due at %v", next, ok, due)
		}
		w.Advance(next, func(int) {})
		if steps++; steps > levels {
			t.Fatalf("not there after %d steps", steps)
		}
	}
}

func TestNewRefusesATickThatIsNotPositive(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("no panic")
		}
	}()
	New[int](0, epoch)
}
