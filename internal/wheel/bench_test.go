package wheel

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

const million = 1_000_000

// filled is a wheel of n timers spread over a day.
func filled(n int) (*Wheel[int], []Timer[int]) {
	r := rand.New(rand.NewPCG(3, 4))
	w := New[int](time.Millisecond, epoch)
	timers := make([]Timer[int], n)
	for i := range timers {
		timers[i].Value = i
		w.Add(&timers[i], at(time.Duration(r.Int64N(int64(24*time.Hour)))))
	}
	return w, timers
}

func TestAddRemoveAndAdvanceAllocateNothing(t *testing.T) {
	w, _ := filled(10_000)
	timer := &Timer[int]{}
	now := epoch
	fire := func(int) {}
	perRun := testing.AllocsPerRun(1000, func() {
		now = now.Add(80 * time.Second)
		w.Add(timer, now.Add(time.Hour))
		w.Add(timer, now)
		w.Remove(timer)
		w.Advance(now, fire)
		w.Next()
	})
	if perRun != 0 {
		t.Fatalf("%v allocations", perRun)
	}
}

// BenchmarkWheelAddRemove adds a timer beside n others and removes it again: always
// the same timer, or one of a million in turn, each cold in the processor's cache.
// An operation is both.
func BenchmarkWheelAddRemove(b *testing.B) {
	for _, n := range []int{1000, million} {
		b.Run(fmt.Sprintf("timers=%d/timer=hot", n), func(b *testing.B) {
			benchAddRemove(b, n, make([]Timer[int], 1))
		})
		b.Run(fmt.Sprintf("timers=%d/timer=cold", n), func(b *testing.B) {
			benchAddRemove(b, n, make([]Timer[int], million))
		})
	}
}

// benchAddRemove takes turns between timers, far apart from one to the next.
func benchAddRemove(b *testing.B, n int, timers []Timer[int]) {
	w, _ := filled(n)
	dues := randomDues()
	for i := range timers { // so that their memory is there
		timers[i].Value = i
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		t := &timers[i*stride%len(timers)]
		w.Add(t, dues[i%len(dues)])
		w.Remove(t)
	}
}

// stride leads from one timer to another in a different part of memory. It is a prime.
const stride = 7919

// BenchmarkWheelMove moves one of n timers after the other to another time: the timer
// and its neighbours in both slots are cold.
func BenchmarkWheelMove(b *testing.B) {
	for _, n := range []int{1000, million} {
		b.Run(fmt.Sprintf("timers=%d", n), func(b *testing.B) {
			w, timers := filled(n)
			dues := randomDues()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				w.Add(&timers[i*stride%n], dues[i%len(dues)])
			}
		})
	}
}

// BenchmarkWheelAdvance runs n timers round and round, each due again a day after it
// fired. An operation is a second of the wheel's time; ns/timer is what one timer costs
// from its Add to its end, with its way down the levels.
func BenchmarkWheelAdvance(b *testing.B) {
	for _, n := range []int{1000, million} {
		b.Run(fmt.Sprintf("timers=%d", n), func(b *testing.B) {
			w, timers := filled(n)
			now, count := epoch, 0
			fire := func(i int) {
				count++
				w.Add(&timers[i], now.Add(24*time.Hour))
			}
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(time.Second)
				w.Advance(now, fire)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(count, 1)), "ns/timer")
		})
	}
}

func randomDues() []time.Time {
	r := rand.New(rand.NewPCG(5, 6))
	dues := make([]time.Time, 4096)
	for i := range dues {
		dues[i] = at(time.Duration(r.Int64N(int64(24 * time.Hour))))
	}
	return dues
}
