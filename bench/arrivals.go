package bench

import (
	"fmt"
	"slices"
	"sync"
)

// Bounds of what arrivals keep: 8 bytes each.
const (
	maxArrivalEndpoints = 64
	maxArrivalTimes     = 1_000_000
)

// arrivals keeps when requests came to the endpoints from 0 on. Any goroutine may
// call it.
type arrivals struct {
	capacity int // times kept of each endpoint; later ones are not
	of       []arrivalTimes
}

type arrivalTimes struct {
	sync.Mutex
	ns []int64 // guarded; Unix nanoseconds
}

func newArrivals(endpoints, capacity int) (*arrivals, error) {
	if endpoints < 0 || endpoints > maxArrivalEndpoints || capacity < 0 || capacity > maxArrivalTimes {
		return nil, fmt.Errorf("arrivals: %d times at %d endpoints, must be at most %d at %d", capacity, endpoints, maxArrivalTimes, maxArrivalEndpoints)
	}
	return &arrivals{capacity: capacity, of: make([]arrivalTimes, endpoints)}, nil
}

// note keeps a time. A nil receiver keeps none.
func (a *arrivals) note(endpoint uint64, ns int64) {
	if a == nil || endpoint >= uint64(len(a.of)) {
		return
	}
	t := &a.of[endpoint]
	t.Lock()
	defer t.Unlock()
	if len(t.ns) < a.capacity {
		t.ns = append(t.ns, ns)
	}
}

// times are those of one endpoint, in order.
func (a *arrivals) times(endpoint int) []int64 {
	if a == nil || endpoint < 0 || endpoint >= len(a.of) {
		return nil
	}
	t := &a.of[endpoint]
	t.Lock()
	defer t.Unlock()
	return slices.Sorted(slices.Values(t.ns)) // handlers do not end in the order in which they read the clock
}
