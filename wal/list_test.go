package wal

import (
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"posthaste/event"
)

// listModel is all that a log was given, in plain slices.
type listModel struct {
	events     []event.Event
	deliveries []event.Delivery
	types      map[event.ID]string // event to type
}

var (
	modelProjects  = []event.ID{idOf(1), idOf(2)}
	modelEndpoints = func() []event.ID {
		a, b := collidingEndpoints()
		return []event.ID{a, b, idOf(30), idOf(31)}
	}()
	modelTypes = []string{"a", "b"}
)

// fill appends and settles at random, over several hours and within single
// milliseconds.
func (m *listModel) fill(rt *rapid.T, t *testing.T, l *Log) {
	for range rapid.IntRange(1, 25).Draw(rt, "requests") {
		advance(l, rapid.SampledFrom([]uint64{0, 0, 1, hour / 2, hour, 7 * hour}).Draw(rt, "skip"))
		s := post(rapid.SampledFrom(modelProjects).Draw(rt, "project"), "x",
			rapid.SliceOfNDistinct(rapid.SampledFrom(modelEndpoints), 0, 3, rapid.ID[event.ID]).Draw(rt, "endpoints")...)
		s.Event.Type = rapid.SampledFrom(modelTypes).Draw(rt, "type")
		s.Event.OwnerID = rapid.SampledFrom([]string{"", "o1", "o2"}).Draw(rt, "owner")
		for i := range s.Event.Owed {
			s.Event.Owed[i].SubscriptionID = rapid.SampledFrom([]event.ID{idOf(70), idOf(71)}).Draw(rt, "subscription")
			if rapid.Bool().Draw(rt, "discarded") {
				s.Event.Owed[i].Status = event.Discarded
			}
		}
		ev := appendOne(t, l, s)
		m.types[ev.ID] = ev.Type
		m.events = append(m.events, *ev)
		for _, d := range ev.Owed {
			m.deliveries = append(m.deliveries, m.progress(rt, t, l, d))
		}
	}
	must(t, l.Flush())
}

// progress makes a few attempts.
func (m *listModel) progress(rt *rapid.T, t *testing.T, l *Log, d event.Delivery) event.Delivery {
	for range rapid.IntRange(0, 2).Draw(rt, "attempts") {
		s := attempted(d, rapid.SampledFrom([]event.Status{event.Success, event.Retry, event.Failure}).Draw(rt, "status"))
		must(t, l.Settle(&s))
		d = s.Delivery
	}
	return d
}

func inRange(id event.ID, r event.Range) bool {
	return id.Compare(r.From) >= 0 && (r.To == event.ID{} || id.Compare(r.To) <= 0)
}

// page puts rows in the range's order and cuts them.
func page[T any](rows []T, r event.Range, id func(T) event.ID) []event.ID {
	ids := []event.ID{}
	for _, row := range rows {
		ids = append(ids, id(row))
	}
	slices.SortFunc(ids, event.ID.Compare)
	if r.Descending {
		slices.Reverse(ids)
	}
	return ids[:min(len(ids), r.Limit)]
}

func (m *listModel) eventsOf(project event.ID, r event.Range, f event.EventFilter) []event.ID {
	var rows []event.Event
	for _, ev := range m.events {
		if ev.ProjectID != project || !inRange(ev.ID, r) || f.OwnerID != "" && ev.OwnerID != f.OwnerID {
			continue
		}
		if len(f.Endpoints) > 0 && !slices.ContainsFunc(ev.Owed, func(d event.Delivery) bool { return slices.Contains(f.Endpoints, d.EndpointID) }) {
			continue
		}
		rows = append(rows, ev)
	}
	return page(rows, r, func(ev event.Event) event.ID { return ev.ID })
}

func (m *listModel) deliveriesOf(project event.ID, r event.Range, f event.DeliveryFilter) []event.ID {
	var rows []event.Delivery
	for _, d := range m.deliveries {
		switch {
		case d.ProjectID != project, !inRange(d.ID, r),
			len(f.Endpoints) > 0 && !slices.Contains(f.Endpoints, d.EndpointID),
			len(f.Statuses) > 0 && !slices.Contains(f.Statuses, d.Status),
			f.EventID != event.ID{} && f.EventID != d.EventID,
			f.SubscriptionID != event.ID{} && f.SubscriptionID != d.SubscriptionID,
			f.EventType != "" && f.EventType != m.types[d.EventID]:
			continue
		}
		rows = append(rows, d)
	}
	return page(rows, r, func(d event.Delivery) event.ID { return d.ID })
}

// bound draws an end of a range: open, on a row, beside one, or between
// endpoints within a millisecond.
func (m *listModel) bound(rt *rapid.T, name string) event.ID {
	ids := []event.ID{{}}
	for _, ev := range m.events {
		ids = append(ids, ev.ID, event.DeliveryID(ev.ID.Time(), 0, 0), event.DeliveryID(ev.ID.Time(), 0xFFFFFFFF, event.MaxDeliverySeq))
	}
	for _, d := range m.deliveries {
		ids = append(ids, d.ID, event.Before(d.ID))
	}
	return rapid.SampledFrom(ids).Draw(rt, name)
}

func (m *listModel) rangeOf(rt *rapid.T) event.Range {
	return event.Range{
		From: m.bound(rt, "from"), To: m.bound(rt, "to"),
		Descending: rapid.Bool().Draw(rt, "descending"), Limit: rapid.SampledFrom([]int{1, 2, 3, 1000}).Draw(rt, "limit"),
	}
}

func drawDeliveryFilter(rt *rapid.T, m *listModel) event.DeliveryFilter {
	var f event.DeliveryFilter
	f.Endpoints = rapid.SliceOfN(rapid.SampledFrom(modelEndpoints), 0, 3).Draw(rt, "filter endpoints")
	f.Statuses = rapid.SliceOfN(rapid.SampledFrom([]event.Status{event.Scheduled, event.Success, event.Retry, event.Failure, event.Discarded}), 0, 3).Draw(rt, "filter statuses")
	f.EventType = rapid.SampledFrom([]string{"", "", "a", "z"}).Draw(rt, "filter type")
	f.SubscriptionID = rapid.SampledFrom([]event.ID{{}, {}, idOf(70)}).Draw(rt, "filter subscription")
	if rapid.IntRange(0, 4).Draw(rt, "of one event") == 0 && len(m.events) > 0 {
		f.EventID = rapid.SampledFrom(m.events).Draw(rt, "filter event").ID
	}
	return f
}

func newModelLog(rt *rapid.T, t *testing.T) (*Log, *listModel) {
	o := testOptions(vfs.NewMem())
	l, err := Open(o)
	must(t, err)
	m := &listModel{types: map[event.ID]string{}}
	m.fill(rt, t, l)
	return l, m
}

// TestListingsAgreeWithTheModel over all filters, ranges, directions and limits.
func TestListingsAgreeWithTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, m := newModelLog(rt, t)
		defer l.Close()
		for range 30 {
			r, project := m.rangeOf(rt), rapid.SampledFrom(modelProjects).Draw(rt, "of project")
			f := drawDeliveryFilter(rt, m)
			ds, err := l.Deliveries(project, r, f)
			if err != nil {
				rt.Fatal(err)
			}
			if want := m.deliveriesOf(project, r, f); !slices.Equal(idsOf(ds), want) {
				rt.Fatalf("deliveries %+v %+v:\n got %v\nwant %v", r, f, idsOf(ds), want)
			}
			for _, d := range ds {
				if i := slices.IndexFunc(m.deliveries, func(w event.Delivery) bool { return w.ID == d.ID }); d != m.deliveries[i] {
					rt.Fatalf("got %+v\nwant %+v", d, m.deliveries[i])
				}
			}
			ef := event.EventFilter{Endpoints: f.Endpoints, OwnerID: rapid.SampledFrom([]string{"", "o1"}).Draw(rt, "filter owner")}
			evs, err := l.Events(project, r, ef)
			if err != nil {
				rt.Fatal(err)
			}
			if got, want := eventIDs(evs), m.eventsOf(project, r, ef); !slices.Equal(got, want) {
				rt.Fatalf("events %+v %+v:\n got %v\nwant %v", r, ef, got, want)
			}
		}
	})
}

func eventIDs(evs []*event.Event) []event.ID {
	ids := []event.ID{}
	for _, ev := range evs {
		ids = append(ids, ev.ID)
	}
	return ids
}

// TestCursorsVisitEveryRowOnce walks all pages forward and backward, as the API's
// cursors do: the next page begins beside the last row.
func TestCursorsVisitEveryRowOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, m := newModelLog(rt, t)
		defer l.Close()
		project := rapid.SampledFrom(modelProjects).Draw(rt, "of project")
		f := drawDeliveryFilter(rt, m)
		limit := rapid.IntRange(1, 4).Draw(rt, "limit")
		for _, descending := range []bool{true, false} {
			want := m.deliveriesOf(project, event.Range{Descending: descending, Limit: 1 << 30}, f)
			got, err := walkPages(descending, limit, func(r event.Range) ([]event.ID, error) {
				ds, err := l.Deliveries(project, r, f)
				return idsOf(ds), err
			})
			if err != nil || !slices.Equal(got, want) {
				rt.Fatalf("deliveries, descending %v: %v\n got %v\nwant %v", descending, err, got, want)
			}
			want = m.eventsOf(project, event.Range{Descending: descending, Limit: 1 << 30}, event.EventFilter{})
			got, err = walkPages(descending, limit, func(r event.Range) ([]event.ID, error) {
				evs, err := l.Events(project, r, event.EventFilter{})
				return eventIDs(evs), err
			})
			if err != nil || !slices.Equal(got, want) {
				rt.Fatalf("events, descending %v: %v\n got %v\nwant %v", descending, err, got, want)
			}
		}
	})
}

func walkPages(descending bool, limit int, list func(event.Range) ([]event.ID, error)) (all []event.ID, err error) {
	all = []event.ID{}
	r := event.Range{Descending: descending, Limit: limit}
	for range 1000 {
		ids, err := list(r)
		if err != nil || len(ids) == 0 {
			return all, err
		}
		all = append(all, ids...)
		if last := ids[len(ids)-1]; descending {
			r.To = event.Before(last)
		} else {
			r.From = after(last)
		}
	}
	return all, fmt.Errorf("no end after %d rows", len(all))
}

// after is the smallest id that is greater than id.
func after(id event.ID) (next event.ID) {
	copy(next[:], successor(id[:]))
	return next
}

func TestEventsByIdempotencyKey(t *testing.T) {
	l := newLogInMemory(t)
	var want event.ID
	for i := range 5 {
		s := post(idOf(1), "x", idOf(2))
		s.Event.IdempotencyKey = fmt.Sprint("key ", i)
		ev := appendOne(t, l, s)
		if i == 3 {
			want = ev.ID
		}
	}
	got, err := l.Events(idOf(1), event.Range{Limit: 10}, event.EventFilter{IdempotencyKey: "key 3"})
	must(t, err)
	sameIDs(t, "events", eventIDs(got), []event.ID{want})
	none, err := l.Deliveries(idOf(1), event.Range{Limit: 10}, event.DeliveryFilter{EventID: idOf(99)})
	if err != nil || len(none) != 0 {
		t.Errorf("deliveries of an unknown event: %d, %v", len(none), err)
	}
}
