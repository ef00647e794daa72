package wheel

import (
	"math"
	"math/bits"
	"time"
)

const (
	digitBits = 6
	slotCount = 1 << digitBits
	digitMask = slotCount - 1
	levels    = (64 + digitBits - 1) / digitBits // for all 64 bits of a tick count

	// Two more slots behind the levels hold timers that were due when they
	// were added: one is filled while Advance empties the other.
	overdueSlot = levels * slotCount
)

// Wheel holds timers and hands out those that fall due.
//
// Timers fire in the order of their due ticks, and those of one tick in the
// order they were added. A timer never fires early: its due time is rounded up
// to a tick and the time given to Advance down to one, so the first Advance at
// least one tick after a timer's due time fires it for certain.
type Wheel[T any] struct {
	tick  time.Duration
	start time.Time

	now    uint64 // the tick of the latest Advance
	cursor uint64 // the tick levels are relative to; behind now only inside Advance
	count  int

	occupied [levels]uint64 // bit s: slot s of the level has a timer
	live     uint16         // bit l: level l has an occupied slot
	fill     int32          // the overdue slot that Add fills
	slots    [overdueSlot + 2]ring[T]
}

// New makes an empty wheel that counts ticks of the given length from start.
// The tick is the wheel's precision; it must be positive.
func New[T any](tick time.Duration, start time.Time) *Wheel[T] {
	if tick <= 0 {
		panic("BUG: wheel: tick must be positive")
	}
	return &Wheel[T]{tick: tick, start: start, fill: overdueSlot}
}

// Len is the number of timers in the wheel.
func (w *Wheel[T]) Len() int { return w.count }

// Add puts the timer in the wheel, or moves it if it is there already. A due
// time that has passed by the time of the latest Advance fires at the next
// Advance, and not in the one that is running.
func (w *Wheel[T]) Add(t *Timer[T], due time.Time) {
	w.Remove(t)
	t.due = w.ceil(due)
	w.count++
	if t.due <= w.now {
		t.slot = w.fill
		w.slots[w.fill].append(t)
		return
	}
	w.place(t)
}

// Remove takes the timer out of the wheel and reports whether it was there. The
// timer must not be in another wheel.
func (w *Wheel[T]) Remove(t *Timer[T]) bool {
	if t.next == nil {
		return false
	}
	w.count--
	r := &w.slots[t.slot]
	r.remove(t)
	if r.first == nil && t.slot < overdueSlot {
		w.vacate(t.slot>>digitBits, t.slot&digitMask)
	}
	return true
}

// Advance moves the wheel to now and calls fire with the value of every timer
// that has fallen due, each already out of the wheel. fire may Add and Remove
// any timers, the fired one too; it must not call Advance. A now in an earlier
// tick than that of the latest Advance does nothing. If fire panics, no other
// timer is lost.
func (w *Wheel[T]) Advance(now time.Time, fire func(T)) {
	target := w.floor(now)
	if target < w.now {
		return
	}
	w.now = target
	w.fireOverdue(fire)
	for w.live != 0 {
		level, slot, begin := w.first()
		if begin > target {
			break
		}
		w.cursor = begin
		if level == 0 {
			w.fireAll(&w.slots[slot], fire)
		} else {
			w.cascade(level, slot)
		}
	}
	w.cursor = target
}

// Next is a time before which nothing falls due, as late as the wheel can tell
// at once: its owner calls Advance again then. With a timer that is already due
// it is a time not after that of the latest Advance. It reports false when the
// wheel is empty.
func (w *Wheel[T]) Next() (time.Time, bool) {
	if w.slots[overdueSlot].first != nil || w.slots[overdueSlot+1].first != nil {
		return w.timeOf(w.now), true
	}
	if w.live == 0 {
		return time.Time{}, false
	}
	_, _, begin := w.first()
	return w.timeOf(begin), true
}

// place puts t, due at or after the cursor, in its slot.
func (w *Wheel[T]) place(t *Timer[T]) {
	differ := t.due ^ w.cursor | digitMask
	level := (bits.Len64(differ) - 1) / digitBits
	slot := int32(t.due>>(level*digitBits)) & digitMask
	t.slot = int32(level)<<digitBits | slot
	w.slots[t.slot].append(t)
	w.occupied[level] |= 1 << slot
	w.live |= 1 << level
}

// vacate notes that a slot has become empty.
func (w *Wheel[T]) vacate(level, slot int32) {
	w.occupied[level] &^= 1 << slot
	if w.occupied[level] == 0 {
		w.live &^= 1 << level
	}
}

// first finds the slot that comes next, and the tick at which it begins. The
// wheel has at least one occupied slot.
func (w *Wheel[T]) first() (level, slot int32, begin uint64) {
	level = int32(bits.TrailingZeros16(w.live))
	slot = int32(bits.TrailingZeros64(w.occupied[level]))
	shift := level * digitBits
	above := ^uint64(0) << (shift + digitBits) // the digits that the level's timers share with the cursor
	return level, slot, w.cursor&above | uint64(slot)<<shift
}

// cascade spreads the timers of a slot that the cursor has just reached over
// the levels below, in order.
func (w *Wheel[T]) cascade(level, slot int32) {
	head := w.slots[level<<digitBits|slot].first
	w.slots[level<<digitBits|slot].first = nil
	w.vacate(level, slot)
	head.prev.next = nil
	for t := head; t != nil; {
		next := t.next
		w.place(t)
		t = next
	}
}

// fireOverdue fires what was due already when it was added. What fire adds in
// its turn goes to the other slot, and so waits for the next Advance.
func (w *Wheel[T]) fireOverdue(fire func(T)) {
	ready := w.fill
	w.fill = overdueSlot + overdueSlot + 1 - ready
	w.fireAll(&w.slots[ready], fire)
}

// fireAll fires the timers of r one by one until none is left, whatever fire
// does to those that still wait.
func (w *Wheel[T]) fireAll(r *ring[T], fire func(T)) {
	for t := r.first; t != nil; t = r.first {
		w.Remove(t)
		fire(t.Value)
	}
}

// floor is the number of whole ticks from the start to now; 0 before the start.
func (w *Wheel[T]) floor(now time.Time) uint64 {
	return uint64(max(now.Sub(w.start), 0) / w.tick)
}

// ceil is the first tick that is not before due; 0 before the start.
func (w *Wheel[T]) ceil(due time.Time) uint64 {
	d := max(due.Sub(w.start), 0)
	n := d / w.tick
	if n*w.tick < d {
		n++
	}
	return uint64(n)
}

// timeOf is when a tick begins, or the last time the wheel can tell.
func (w *Wheel[T]) timeOf(tick uint64) time.Time {
	if tick > uint64(math.MaxInt64/int64(w.tick)) {
		return w.start.Add(math.MaxInt64)
	}
	return w.start.Add(time.Duration(tick) * w.tick)
}
