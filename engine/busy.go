package engine

import "time"

const (
	// lookEvery is how often a loop looks at its workers while work waits for them.
	lookEvery = 2 * time.Millisecond
	// slowAfter is the age from which an attempt is slow: its worker waits for an
	// endpoint, and another may run in its place.
	slowAfter = 10 * time.Millisecond
	// slowAnyway is slowAfter while the processor is short, when every attempt
	// takes long and more workers would only make it longer.
	slowAnyway = 200 * time.Millisecond
	// shortOfCPU is how late the loop's alarm is when the processor is short.
	shortOfCPU = time.Millisecond
)

// busyList lists a shard's workers in the order in which their attempts began,
// and counts the slow ones. Those that are slow come first, so that looking for
// more touches only those that became slow since. The shard's lock guards it.
//
// Few workers that are busy are faster than many, so a shard starts no more
// than it needs: Options.Eager, one for each slow one, and as many again so that
// their number doubles while endpoints hang. It cannot be told by the workers'
// pace alone: with the processor short, more workers take longer each, which
// looks like slow endpoints, which would call for more workers.
type busyList struct {
	first, last *worker
	quick       *worker // the first that is not slow
	slow        int
}

func (b *busyList) add(w *worker, now time.Time) {
	w.started, w.slow = now, false
	w.prev, w.next = b.last, nil
	if b.last != nil {
		b.last.next = w
	} else {
		b.first = w
	}
	b.last = w
	if b.quick == nil {
		b.quick = w
	}
}

func (b *busyList) remove(w *worker) {
	if w.slow {
		b.slow--
	}
	if b.quick == w {
		b.quick = w.next
	}
	if w.prev != nil {
		w.prev.next = w.next
	} else {
		b.first = w.next
	}
	if w.next != nil {
		w.next.prev = w.prev
	} else {
		b.last = w.prev
	}
	w.prev, w.next = nil, nil
}

// look marks the workers that are slow by now. lag is how late the caller's
// alarm was.
func (b *busyList) look(now time.Time, lag time.Duration) {
	after := slowAfter
	if lag > shortOfCPU {
		after = slowAnyway
	}
	for b.quick != nil && now.Sub(b.quick.started) >= after {
		b.quick.slow = true
		b.slow++
		b.quick = b.quick.next
	}
}

// allowed is how many workers may run. The caller holds mu.
func (s *Shard) allowed() int {
	return min(s.e.o.Eager+2*s.busy.slow, s.e.o.MaxInFlight)
}
