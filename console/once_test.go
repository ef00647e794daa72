package console

import (
	"testing"
	"time"
)

// TestOnce: a value is taken one time, not after its time, and there is a bound to them.
func TestOnce(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	o := newOnce[int](func() time.Time { return now })
	name := o.keep(7)
	if v, some := o.take(name); v != 7 || !some {
		t.Errorf("taken: %d, %v", v, some)
	}
	if v, some := o.take(name); some {
		t.Errorf("taken again: %d", v)
	}
	late := o.keep(8)
	now = now.Add(onceTime + time.Second)
	if v, some := o.take(late); some {
		t.Errorf("taken too late: %d", v)
	}
	for i := range maxOnce - 1 {
		o.keep(i)
	}
	now = now.Add(onceTime / 2)
	young := o.keep(9)
	now = now.Add(onceTime/2 + time.Second) // only the last is left
	next := o.keep(10)
	if len(o.live) != 2 {
		t.Errorf("%d are kept", len(o.live))
	}
	for name, want := range map[string]int{young: 9, next: 10} {
		if v, some := o.take(name); v != want || !some {
			t.Errorf("%d is gone: %d, %v", want, v, some)
		}
	}
	for i := range maxOnce + 5 {
		o.keep(i)
	}
	if len(o.live) > maxOnce {
		t.Errorf("%d are kept, at most %d", len(o.live), maxOnce)
	}
}
