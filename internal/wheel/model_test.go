package wheel

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	modelTick   = 10 * time.Microsecond
	modelTimers = 12
)

// entry is a timer of the model: a sorted list with none of the wheel's ideas.
type entry struct {
	id      int
	due     time.Duration
	overdue bool // was due when it was added
	seq     int
}

type model struct {
	now     time.Duration
	seq     int
	entries []entry
}

func ticksUp(d time.Duration) time.Duration {
	return (max(d, 0) + modelTick - 1) / modelTick
}

func (m *model) remove(id int) bool {
	n := len(m.entries)
	m.entries = slices.DeleteFunc(m.entries, func(e entry) bool { return e.id == id })
	return len(m.entries) < n
}

func (m *model) add(id int, due time.Duration) {
	m.remove(id)
	m.seq++
	m.entries = append(m.entries, entry{id, due, ticksUp(due) <= m.now/modelTick, m.seq})
}

// before orders as Advance fires: what was overdue first, then by tick, then by age.
func before(a, b entry) int {
	if a.overdue != b.overdue {
		if a.overdue {
			return -1
		}
		return 1
	}
	if d := int(ticksUp(a.due) - ticksUp(b.due)); d != 0 && !a.overdue {
		return d
	}
	return a.seq - b.seq
}

// advance fires into fire what is due, except what fire itself adds as overdue.
func (m *model) advance(now time.Duration, fire func(id int)) {
	if max(now, 0)/modelTick < m.now/modelTick {
		return
	}
	m.now = max(m.now, now)
	last := m.seq
	for {
		slices.SortFunc(m.entries, before)
		i := slices.IndexFunc(m.entries, func(e entry) bool {
			return e.seq <= last && ticksUp(e.due) <= m.now/modelTick
		})
		if i < 0 {
			return
		}
		id := m.entries[i].id
		m.entries = slices.Delete(m.entries, i, i+1)
		fire(id)
	}
}

// world drives a wheel and its model with the same calls.
type world struct {
	w      *Wheel[int]
	timers [modelTimers]Timer[int]
	m      model
	react  [modelTimers]reaction
}

// reaction is what firing a timer does: add or remove another one, or itself.
type reaction struct {
	kind  int // 0 nothing, 1 add, 2 remove
	other int
	delay time.Duration
}

func newWorld() *world {
	wo := &world{w: New[int](modelTick, epoch)}
	for i := range wo.timers {
		wo.timers[i].Value = i
	}
	return wo
}

// span draws durations of every magnitude, the short ones as often as the long,
// half of them whole ticks, one in eight 0, one in eight negative.
func span(t *rapid.T, name string) time.Duration {
	kind := rapid.IntRange(0, 7).Draw(t, name+" kind")
	if kind == 0 {
		return 0
	}
	exponent := rapid.IntRange(0, 51).Draw(t, name+" magnitude") // up to 26 days
	d := time.Duration(rapid.Int64Range(0, 1<<exponent).Draw(t, name))
	if kind <= 4 {
		d -= d % modelTick
	}
	if kind == 4 {
		return -d / 16
	}
	return d
}

func (wo *world) add(t *rapid.T) {
	id := rapid.IntRange(0, modelTimers-1).Draw(t, "id")
	due := wo.m.now + span(t, "delay")
	wo.react[id] = reaction{
		kind:  rapid.IntRange(0, 2).Draw(t, "reaction"),
		other: rapid.IntRange(0, modelTimers-1).Draw(t, "other"),
		delay: span(t, "reaction delay"),
	}
	wo.w.Add(&wo.timers[id], at(due))
	wo.m.add(id, due)
}

func (wo *world) remove(t *rapid.T) {
	id := rapid.IntRange(0, modelTimers-1).Draw(t, "id")
	if got, want := wo.w.Remove(&wo.timers[id]), wo.m.remove(id); got != want {
		t.Fatalf("Remove(%d) = %v, want %v", id, got, want)
	}
}

func (wo *world) advance(t *rapid.T) {
	now := wo.m.now + span(t, "step")
	effective := max(now, wo.m.now)
	var got, want []int
	wo.w.Advance(at(now), func(id int) {
		got = append(got, id)
		switch r := wo.react[id]; r.kind {
		case 1:
			wo.w.Add(&wo.timers[r.other], at(effective+r.delay))
		case 2:
			wo.w.Remove(&wo.timers[r.other])
		}
	})
	wo.m.advance(now, func(id int) {
		want = append(want, id)
		switch r := wo.react[id]; r.kind {
		case 1:
			wo.m.add(r.other, effective+r.delay)
		case 2:
			wo.m.remove(r.other)
		}
	})
	if !slices.Equal(got, want) {
		t.Fatalf("Advance(%v) fired %v, want %v", now, got, want)
	}
}

// check compares what can be seen from outside.
func (wo *world) check(t *rapid.T) {
	if wo.w.Len() != len(wo.m.entries) {
		t.Fatalf("Len = %d, want %d", wo.w.Len(), len(wo.m.entries))
	}
	next, ok := wo.w.Next()
	if ok != (len(wo.m.entries) > 0) {
		t.Fatalf("Next reports %v with %d timers", ok, len(wo.m.entries))
	}
	earliest := time.Duration(math.MaxInt64)
	for _, e := range wo.m.entries {
		earliest = min(earliest, ticksUp(e.due)*modelTick)
		if !wo.timers[e.id].Active() {
			t.Fatalf("timer %d waits but is not active", e.id)
		}
	}
	if ok && next.After(at(max(earliest, wo.m.now))) {
		t.Fatalf("Next = %v after start, want at most %v", next.Sub(epoch), earliest)
	}
}

func TestAgainstASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wo := newWorld()
		t.Repeat(map[string]func(*rapid.T){
			"add":     wo.add,
			"remove":  wo.remove,
			"advance": wo.advance,
			"":        wo.check,
		})
	})
}
