package wheel

// Timer is one entry of a Wheel. Its owner embeds it in the thing that waits,
// so that adding and removing allocate nothing. The zero Timer is ready for
// use. A Timer belongs to at most one wheel at a time and must not be copied or
// moved while it is in one.
type Timer[T any] struct {
	// Value is what the wheel hands to fire. The wheel never changes it.
	Value T

	next, prev *Timer[T] // a ring; nil while the timer is in no wheel
	due        uint64    // in ticks since the wheel's start
	slot       int32     // index into Wheel.slots
}

// Active reports whether the timer is in a wheel and has yet to fire.
func (t *Timer[T]) Active() bool { return t.next != nil }

// ring is a circular list without a sentinel: its first element, nil if empty.
// The element before the first is the last.
type ring[T any] struct{ first *Timer[T] }

func (r *ring[T]) append(t *Timer[T]) {
	head := r.first
	if head == nil {
		t.next, t.prev = t, t
		r.first = t
		return
	}
	t.next, t.prev = head, head.prev
	head.prev.next = t
	head.prev = t
}

// remove takes out t, which is in this ring.
func (r *ring[T]) remove(t *Timer[T]) {
	switch {
	case t.next == t:
		r.first = nil
	case r.first == t:
		r.first = t.next
	}
	t.prev.next = t.next
	t.next.prev = t.prev
	t.next, t.prev = nil, nil
}
