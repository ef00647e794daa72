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

// BenchmarkAddRemove adds a timer beside n others and removes it again.
func BenchmarkAddRemove(b *testing.B) {
	for _, n := range []int{1000, million} {
		b.Run(fmt.Sprintf("timers=%d", n), func(b *testing.B) {
			w, _ := filled(n)
			dues := randomDues()
			timer := &Timer[int]{}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				w.Add(timer, dues[i%len(dues)])
				w.Remove(timer)
			}
		})
	}
}

// BenchmarkMove moves one of n timers after the other to another time, so that
// every neighbour is cold in the cache.
func BenchmarkMove(b *testing.B) {
	for _, n := range []int{1000, million} {
		b.Run(fmt.Sprintf("timers=%d", n), func(b *testing.B) {
			w, timers := filled(n)
			dues := randomDues()
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				w.Add(&timers[i*7919%n], dues[i%len(dues)])
			}
		})
	}
}

// BenchmarkAdvance runs n timers round and round, each due again a day after it
// fired, in steps of one second.
func BenchmarkAdvance(b *testing.B) {
	for _, n := range []int{1000, million} {
		b.Run(fmt.Sprintf("timers=%d", n), func(b *testing.B) {
			w, timers := filled(n)
			now, count := epoch, 0
			fire := func(i int) {
				count++
				w.Add(&timers[i], now.Add(24*time.Hour))
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
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
