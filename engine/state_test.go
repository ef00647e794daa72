package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"posthaste/event"
)

// state is what the log holds.
type state struct {
	partitions int

	events    map[event.ID]*event.Event
	rows      map[event.ID]*row
	owed      map[event.ID][]*row           // by endpoint, by id
	owedFor   map[event.ID][]event.Delivery // by event
	timers    map[event.ID][]timer
	behind    map[event.ID]event.ID
	health    map[event.ID]event.Health
	watermark uint64            // of the partitions that have none of their own
	own       map[uint16]uint64 // of those that have
	marks     int
	wrong     []string // promises that the engine broke
}

type row struct {
	created  event.Delivery
	now      event.Delivery
	outcomes int
	errors   []string // of its recorded attempts
}

type timer struct {
	due uint64
	id  event.ID
	d   event.Delivery
}

func compareTimers(a, b timer) int {
	return cmp.Or(cmp.Compare(a.due, b.due), a.id.Compare(b.id))
}

func newState(partitions int) *state {
	return &state{
		partitions: partitions, own: make(map[uint16]uint64),
		events: make(map[event.ID]*event.Event), rows: make(map[event.ID]*row), owed: make(map[event.ID][]*row),
		owedFor: make(map[event.ID][]event.Delivery), timers: make(map[event.ID][]timer), behind: make(map[event.ID]event.ID),
		health: make(map[event.ID]event.Health),
	}
}

func (st *state) add(ev *event.Event, owed []event.Delivery) {
	st.events[ev.ID] = ev
	st.owedFor[ev.ID] = owed
	for i := range owed {
		r := &row{created: owed[i], now: owed[i]}
		st.rows[r.now.ID] = r
		st.owed[r.now.EndpointID] = append(st.owed[r.now.EndpointID], r)
	}
}

// settle applies an outcome, and notes what no engine may do.
func (st *state) settle(s *event.Settlement, made []event.Attempt) {
	d := s.Delivery
	r := st.rows[d.ID]
	switch {
	case r == nil:
		st.complain("%s was settled and never created", d.ID)
		return
	case !r.now.Status.Owed() && !d.Manual && s.Was != event.Failure:
		st.complain("%s was settled as %s after its end, %s", d.ID, d.Status, r.now.Status)
	case len(made) > 0 && made[0].Number != r.now.Attempts+1:
		st.complain("%s: attempt %d after %d", d.ID, made[0].Number, r.now.Attempts)
	case s.Was != r.now.Status:
		st.complain("%s was %s, not %s", d.ID, r.now.Status, s.Was)
	case s.Timer.IsZero() != (r.now.Status != event.Retry):
		st.complain("%s: timer %s in state %s", d.ID, s.Timer, r.now.Status)
	}
	r.outcomes++
	for _, a := range made {
		r.errors = append(r.errors, a.Error)
	}
	r.now = d
	st.moveTimer(s)
}

func (st *state) moveTimer(s *event.Settlement) {
	list := st.timers[s.Delivery.EndpointID]
	if !s.Timer.IsZero() {
		i, found := slices.BinarySearchFunc(list, timer{due: uint64(s.Timer.UnixMilli()), id: s.Delivery.ID}, compareTimers)
		if found {
			list = slices.Delete(list, i, i+1)
		} else {
			st.complain("%s: no timer at %s", s.Delivery.ID, s.Timer)
		}
	}
	if s.Delivery.Status == event.Retry {
		due := uint64(s.Delivery.Due.UnixMilli())
		e := timer{due: due, id: s.Delivery.ID, d: s.Delivery}
		e.d.Due = time.UnixMilli(int64(due)).UTC()
		i, _ := slices.BinarySearchFunc(list, e, compareTimers)
		list = slices.Insert(list, i, e)
	}
	st.timers[s.Delivery.EndpointID] = list
}

func (st *state) complain(format string, args ...any) {
	st.wrong = append(st.wrong, fmt.Sprintf(format, args...))
}

// mark applies a mark, and notes a delivery that it gives up.
func (st *state) mark(m event.Mark) {
	st.marks++
	switch {
	case m.Watermark == 0:
	case m.Partitions == nil:
		st.watermark = m.Watermark
		clear(st.own)
	default:
		for _, p := range m.Partitions {
			st.own[p] = m.Watermark
		}
	}
	for _, b := range m.Behind {
		st.behind[b.Endpoint] = b.After
	}
	for _, ep := range m.CaughtUp {
		delete(st.behind, ep)
	}
	for _, h := range m.Health {
		if h.Well() {
			delete(st.health, h.Endpoint)
		} else {
			st.health[h.Endpoint] = h
		}
	}
	for ep, rows := range st.owed {
		watermark := st.watermarkOf(ep)
		for _, r := range rows {
			if r.created.ID.Time() >= watermark {
				break
			}
			after, behind := st.behind[ep]
			if r.outcomes == 0 && r.now.Status.Owed() && !(behind && r.created.ID.Compare(after) > 0) {
				st.complain("the mark %d gave up %s of %d", st.marks, r.created.ID, r.created.ID.Time())
				return
			}
		}
	}
}

func (st *state) partitionOf(ep event.ID) uint16 {
	return event.Partition(event.EndpointHash(ep), st.partitions)
}

func (st *state) watermarkOf(ep event.ID) uint64 {
	if own, has := st.own[st.partitionOf(ep)]; has {
		return own
	}
	return st.watermark
}

func (st *state) newestMark() uint64 {
	newest := st.watermark
	for _, own := range st.own {
		newest = max(newest, own)
	}
	return newest
}
