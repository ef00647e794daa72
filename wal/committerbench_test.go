package wal

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"posthaste/event"
)

// onEach runs a benchmark of the committer on the disk and in memory, with one
// goroutine that asks it and with many.
func onEach(b *testing.B, run func(b *testing.B, l *Log, goroutines int)) {
	for _, where := range []string{"disk", "memory"} {
		for _, goroutines := range []int{1, 16, 128} {
			b.Run(fmt.Sprintf("on=%s/goroutines=%d", where, goroutines), func(b *testing.B) {
				run(b, benchLogOn(b, where), goroutines)
			})
		}
	}
}

// share runs do b.N times altogether, in so many goroutines that are numbered from 0. Each
// calls newDo first for a do of its own.
func share(b *testing.B, goroutines int, newDo func(g int) (do func() error)) {
	var left atomic.Int64
	left.Store(int64(b.N))
	var wg sync.WaitGroup
	b.ReportAllocs()
	b.ResetTimer()
	for g := range goroutines {
		wg.Go(func() {
			for do := newDo(g); left.Add(-1) >= 0; {
				if err := do(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkAppend: one event of 1 KiB with one delivery, durable, by so many at once. One
// alone waits for a sync each time; many share the groups and the syncs.
func BenchmarkAppend(b *testing.B) {
	onEach(b, func(b *testing.B, l *Log, goroutines int) {
		b.SetBytes(int64(len(benchData)))
		share(b, goroutines, func(g int) func() error {
			subs, owed := make([]event.Submission, 1), benchPost(idOf(uint64(100+g)))
			return func() error {
				owed.Event.Owed = []event.Delivery{{EndpointID: idOf(uint64(100 + g)), SubscriptionID: idOf(7), Status: event.Scheduled}}
				subs[0] = owed
				return l.Append(b.Context(), subs)
			}
		})
	})
}

// BenchmarkSettle: a first attempt that succeeded, by so many workers. Settle waits for
// no sync, but for room; the last outcomes are durable when the time ends.
func BenchmarkSettle(b *testing.B) {
	onEach(b, func(b *testing.B, l *Log, goroutines int) {
		share(b, goroutines, func(g int) func() error {
			s := benchSettlement(idOf(uint64(2 + g)))
			hash, n := event.EndpointHash(s.Delivery.EndpointID), uint64(0)
			return func() error {
				n++
				s.Delivery.ID = event.DeliveryID(goldenClock, hash, n)
				return l.Settle(&s)
			}
		})
		must(b, l.Flush())
	})
}

// benchSettlement is the outcome of a first attempt that succeeded.
func benchSettlement(endpoint event.ID) event.Settlement {
	s := attempted(event.Delivery{EndpointID: endpoint, ProjectID: idOf(1), EventID: idOf(3)}, event.Success)
	a := *s.Attempt
	a.Address = "203.0.113.9:443"
	a.RequestHeaders, a.ResponseHeaders, a.ResponseBody = []byte(sampleRequest), []byte(sampleAnswer), []byte("ok")
	s.Attempt = &a
	return s
}
