package ratelimit

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkLimitTake takes a token of each of so many endpoints in turn, as a shard does, whose
// states are in memory of its own: of one, which stays in the processor's cache, or of
// a million. With taken=no every token is refused.
func BenchmarkLimitTake(b *testing.B) {
	for _, endpoints := range []int{1, 1_000_000} {
		for _, taken := range []string{"yes", "no"} {
			b.Run(fmt.Sprintf("endpoints=%d/taken=%s", endpoints, taken), func(b *testing.B) {
				l, step := PerDuration(5000, time.Minute, 0), 13*time.Millisecond
				if taken == "no" {
					l, step = PerDuration(1, 24*time.Hour, 1), 0
				}
				tats, now := make([]int64, endpoints), start
				for i := range tats {
					tats[i], _ = l.Take(0, now)
				}
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					tat := &tats[i*stride%endpoints]
					*tat, _ = l.Take(*tat, now)
					now = now.Add(step)
				}
			})
		}
	}
}

// stride leads from one endpoint to another in a different part of memory. It is a prime.
const stride = 7919

// BenchmarkTableTake takes a token of each of so many keys in turn, all of which there is
// room for. With keys=new each is a key that was not there and the table is full, so that another has to be
// forgotten.
func BenchmarkTableTake(b *testing.B) {
	l := PerDuration(1_000_000, time.Second, 0)
	for _, keys := range []int{1, 1024, 1_000_000} {
		take := func(t *Table, i int) { t.one(keyOf(i*stride%keys), l, start.Add(time.Duration(i))) }
		filled := func() *Table {
			table := NewTable(4 * keys)
			for i := range keys {
				take(table, i)
			}
			return table
		}
		b.Run(fmt.Sprintf("keys=%d/goroutines=one", keys), func(b *testing.B) {
			table := filled()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				take(table, i)
			}
		})
		b.Run(fmt.Sprintf("keys=%d/goroutines=all", keys), func(b *testing.B) {
			table := filled()
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					take(table, i)
				}
			})
		})
	}
	b.Run("keys=new", func(b *testing.B) {
		table, hourly := NewTable(1024), PerDuration(1, time.Hour, 0)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			table.one(keyOf(i), hourly, start)
		}
	})
}

// BenchmarkBucketTake takes the tokens of a request of 100 events at once from what all share. With
// give=yes they are given back, as when the events could not be stored.
func BenchmarkBucketTake(b *testing.B) {
	l := PerDuration(1_000_000_000, time.Second, 1_000_000_000)
	var bucket Bucket
	for _, give := range []bool{false, true} {
		request := func(i int) {
			bucket.Take(l, 100, start.Add(time.Duration(i)*time.Microsecond))
			if give {
				bucket.Give(l, 100)
			}
		}
		b.Run(fmt.Sprintf("give=%v/goroutines=one", give), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				request(i)
			}
		})
		b.Run(fmt.Sprintf("give=%v/goroutines=all", give), func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					request(i)
				}
			})
		})
	}
}

func TestBucketDoesNotAllocate(t *testing.T) {
	var bucket Bucket
	l := PerDuration(5000, time.Minute, 0)
	if n := testing.AllocsPerRun(100, func() { bucket.Take(l, 1, start); bucket.Give(l, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
