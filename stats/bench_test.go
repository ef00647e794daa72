package stats

import (
	"strconv"
	"testing"
	"time"

	"posthaste/event"
)

// BenchmarkBook is what a delivery that is made at once costs: it is counted as it is
// created and as it is settled, in groups of 64, written, and added to what is pending.
func BenchmarkBook(b *testing.B) {
	var group, pending Book
	var text []byte
	endpoints := make([]event.ID, 16)
	types := make([]string, 4)
	for i := range endpoints {
		endpoints[i] = event.NewID()
	}
	for i := range types {
		types[i] = "order.type-" + strconv.Itoa(i)
	}
	project := event.NewID()
	now := uint64(1_800_000_000_000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d := event.Delivery{ID: event.DeliveryID(now, 1, 2), ProjectID: project, EndpointID: endpoints[i%16]}
		group.Created(&d, types[i%4])
		group.Settle(&Settled{
			Project: project, Endpoint: d.EndpointID, Type: types[i%4], Created: now, Is: event.Success,
			Attempt: true, First: true, Result: ResultField(event.ClassNone, 200), Ended: now, Took: 3 * time.Millisecond,
		})
		if i%64 == 63 {
			text = AppendBook(text[:0], &group)
			pending.AddBook(&group)
			group.Reset()
		}
	}
}
