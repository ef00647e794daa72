package wal

import (
	"fmt"
	"slices"
	"strings"
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
// milliseconds. Some of it is sent again.
func (m *listModel) fill(rt *rapid.T, t *testing.T, l *Log) {
	for range rapid.IntRange(1, 25).Draw(rt, "requests") {
		advance(l, rapid.SampledFrom([]uint64{0, 0, 1, hour / 2, hour, 7 * hour}).Draw(rt, "skip"))
		s := post(rapid.SampledFrom(modelProjects).Draw(rt, "project"), rapid.SampledFrom(modelData).Draw(rt, "data"),
			rapid.SliceOfNDistinct(rapid.SampledFrom(modelEndpoints), 0, 3, rapid.ID[event.ID]).Draw(rt, "endpoints")...)
		s.Event.Type = rapid.SampledFrom(modelTypes).Draw(rt, "type")
		s.Event.OwnerID = rapid.SampledFrom([]string{"", "o1", "o2"}).Draw(rt, "owner")
		s.Event.SourceID = rapid.SampledFrom([]event.ID{{}, idOf(80), idOf(81)}).Draw(rt, "source")
		for i := range s.Event.Owed {
			s.Event.Owed[i].SubscriptionID = rapid.SampledFrom([]event.ID{idOf(70), idOf(71)}).Draw(rt, "subscription")
			if rapid.Bool().Draw(rt, "discarded") {
				s.Event.Owed[i].Status = event.Discarded
			}
		}
		if rapid.IntRange(0, 3).Draw(rt, "keyed") == 0 {
			s.Event.IdempotencyKey = fmt.Sprint("k", len(m.events))
		}
		ev := m.add(t, l, s)
		for _, d := range ev.Owed {
			m.deliveries = append(m.deliveries, m.progress(rt, t, l, d))
		}
		if ev.IdempotencyKey != "" && rapid.Bool().Draw(rt, "again") {
			m.addDuplicate(t, l, s)
		}
	}
	must(t, l.Flush())
}

var modelData = []string{"x", `{"a":{"b":1.0},"c":["Straße","KÄSE kEy"]}`, `[1,{"b":"x"}]`}

func (m *listModel) add(t *testing.T, l *Log, s event.Submission) *event.Event {
	s.Event.Owed = slices.Clone(s.Event.Owed)
	ev := appendOne(t, l, s)
	m.types[ev.ID] = ev.Type
	m.events = append(m.events, *ev)
	return ev
}

// addDuplicate posts an event again. The id of its row is not told.
func (m *listModel) addDuplicate(t *testing.T, l *Log, s event.Submission) {
	s.Event.Owed = nil
	if s = submit(t, l, s); !s.Duplicate {
		return // the window has passed in the model's clock
	}
	events, _, err := l.Events(s.Event.ProjectID, event.Range{Limit: 1, Descending: true}, event.EventFilter{})
	must(t, err)
	m.events = append(m.events, *events[0])
	m.types[events[0].ID] = s.Event.Type
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
		switch {
		case ev.ProjectID != project, !inRange(ev.ID, r),
			f.OwnerID != "" && ev.OwnerID != f.OwnerID,
			f.EventType != "" && ev.Type != f.EventType,
			f.IdempotencyKey != "" && ev.IdempotencyKey != f.IdempotencyKey,
			len(f.Sources) > 0 && !slices.Contains(f.Sources, ev.SourceID),
			f.Query != "" && (ev.Origin == event.Duplicate || !strings.Contains(strings.ToLower(string(ev.Data)), strings.ToLower(f.Query))),
			len(f.Endpoints) > 0 && !slices.ContainsFunc(ev.Owed, func(d event.Delivery) bool { return slices.Contains(f.Endpoints, d.EndpointID) }):
			continue
		}
		rows = append(rows, ev)
	}
	return page(rows, r, func(ev event.Event) event.ID { return ev.ID })
}

func (m *listModel) eventOf(d event.Delivery) *event.Event {
	return &m.events[slices.IndexFunc(m.events, func(ev event.Event) bool { return ev.ID == d.EventID })]
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
			f.IdempotencyKey != "" && f.IdempotencyKey != m.eventOf(d).IdempotencyKey,
			f.SourceID != event.ID{} && f.SourceID != m.eventOf(d).SourceID,
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
	f.IdempotencyKey = rapid.SampledFrom([]string{"", "", "", "k0", "k3"}).Draw(rt, "filter key")
	f.SourceID = rapid.SampledFrom([]event.ID{{}, {}, idOf(80)}).Draw(rt, "filter source")
	if rapid.IntRange(0, 4).Draw(rt, "of one event") == 0 && len(m.events) > 0 {
		f.EventID = rapid.SampledFrom(m.events).Draw(rt, "filter event").ID
	}
	return f
}

func drawEventFilter(rt *rapid.T) event.EventFilter {
	return event.EventFilter{
		Endpoints:      rapid.SliceOfN(rapid.SampledFrom(modelEndpoints), 0, 2).Draw(rt, "filter endpoints"),
		OwnerID:        rapid.SampledFrom([]string{"", "", "o1"}).Draw(rt, "filter owner"),
		EventType:      rapid.SampledFrom([]string{"", "", "a", "z"}).Draw(rt, "filter type"),
		IdempotencyKey: rapid.SampledFrom([]string{"", "", "", "k0", "k3"}).Draw(rt, "filter key"),
		Sources:        rapid.SliceOfN(rapid.SampledFrom([]event.ID{idOf(80), idOf(81), {}}), 0, 2).Draw(rt, "filter sources"),
		Query:          rapid.SampledFrom([]string{"", "", "Key", "x"}).Draw(rt, "filter query"),
	}
}

// newModelLog is a log with some traffic, and a mark as the engine would set it.
func newModelLog(rt *rapid.T, t *testing.T) (*Log, *listModel) {
	o := testOptions(vfs.NewMem())
	l, err := Open(o)
	must(t, err)
	m := &listModel{types: map[event.ID]string{}}
	m.fill(rt, t, l)
	l = disturb(rt, t, l, o)
	if rapid.Bool().Draw(rt, "more") {
		m.fill(rt, t, l)
	}
	if rapid.Bool().Draw(rt, "marked") {
		m.mark(t, l)
	}
	return l, m
}

// mark promises what is true: the endpoints with first attempts to come are behind.
func (m *listModel) mark(t *testing.T, l *Log) {
	behind := map[event.ID]event.ID{}
	for _, d := range m.deliveries {
		if first, some := behind[d.EndpointID]; d.Status == event.Scheduled && (!some || d.ID.Compare(first) <= 0) {
			behind[d.EndpointID] = event.Before(d.ID)
		}
	}
	mark := event.Mark{Watermark: l.now() + 1}
	for endpoint, after := range behind {
		mark.Behind = append(mark.Behind, event.Behind{Endpoint: endpoint, After: after})
	}
	must(t, l.SetMark(mark))
	must(t, l.Flush())
}

func (m *listModel) checkEvents(l *Log, project event.ID, r event.Range, f event.EventFilter) error {
	evs, scan, err := l.Events(project, r, f)
	if err != nil || scan.Next != (event.ID{}) {
		return fmt.Errorf("events %+v %+v: %+v, %w", r, f, scan, err)
	}
	if got, want := eventIDs(evs), m.eventsOf(project, r, f); !slices.Equal(got, want) {
		return fmt.Errorf("events %+v %+v:\n got %v\nwant %v", r, f, got, want)
	}
	return nil
}

func (m *listModel) checkDeliveries(l *Log, project event.ID, r event.Range, f event.DeliveryFilter) error {
	ds, scan, err := l.Deliveries(project, r, f)
	if err != nil || scan.Next != (event.ID{}) {
		return fmt.Errorf("deliveries %+v %+v: %+v, %w", r, f, scan, err)
	}
	if want := m.deliveriesOf(project, r, f); !slices.Equal(idsOf(ds), want) {
		return fmt.Errorf("deliveries %+v %+v:\n got %v\nwant %v", r, f, idsOf(ds), want)
	}
	for _, d := range ds {
		if i := slices.IndexFunc(m.deliveries, func(w event.Delivery) bool { return w.ID == d.ID }); d != m.deliveries[i] {
			return fmt.Errorf("got %+v\nwant %+v", d, m.deliveries[i])
		}
	}
	return nil
}

// TestListingsAgreeWithTheModel over all filters, ranges, directions and limits.
func TestListingsAgreeWithTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, m := newModelLog(rt, t)
		defer l.Close()
		for range 30 {
			r, project := m.rangeOf(rt), rapid.SampledFrom(modelProjects).Draw(rt, "of project")
			if err := m.checkDeliveries(l, project, r, drawDeliveryFilter(rt, m)); err != nil {
				rt.Fatal(err)
			}
			if err := m.checkEvents(l, project, r, drawEventFilter(rt)); err != nil {
				rt.Fatal(err)
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
// cursors do: the next page begins beside the last row, or where the budget ended.
func TestCursorsVisitEveryRowOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l, m := newModelLog(rt, t)
		defer l.Close()
		project := rapid.SampledFrom(modelProjects).Draw(rt, "of project")
		f, ef := drawDeliveryFilter(rt, m), drawEventFilter(rt)
		limit, budget := rapid.IntRange(1, 4).Draw(rt, "limit"), rapid.IntRange(0, 5).Draw(rt, "budget")
		for _, descending := range []bool{true, false} {
			r := event.Range{Descending: descending, Limit: limit, Budget: budget}
			all := event.Range{Descending: descending, Limit: 1 << 30}
			got, err := walkPages(r, func(r event.Range) ([]event.ID, event.Scan, error) {
				ds, scan, err := l.Deliveries(project, r, f)
				return idsOf(ds), scan, err
			})
			if want := m.deliveriesOf(project, all, f); err != nil || !slices.Equal(got, want) {
				rt.Fatalf("deliveries %+v, descending %v: %v\n got %v\nwant %v", f, descending, err, got, want)
			}
			got, err = walkPages(r, func(r event.Range) ([]event.ID, event.Scan, error) {
				evs, scan, err := l.Events(project, r, ef)
				return eventIDs(evs), scan, err
			})
			if want := m.eventsOf(project, all, ef); err != nil || !slices.Equal(got, want) {
				rt.Fatalf("events %+v, descending %v: %v\n got %v\nwant %v", ef, descending, err, got, want)
			}
		}
	})
}

func walkPages(r event.Range, list func(event.Range) ([]event.ID, event.Scan, error)) (all []event.ID, err error) {
	all = []event.ID{}
	for range 5000 {
		ids, scan, err := list(r)
		all = append(all, ids...)
		next := scan.Next
		switch {
		case err != nil, next == event.ID{} && len(ids) == 0:
			return all, err
		case next == event.ID{}:
			next = beside(ids[len(ids)-1], r.Descending)
		case len(ids) > 0 && (ids[len(ids)-1].Compare(next) < 0) == r.Descending:
			return all, fmt.Errorf("the next place %s is not behind the last row %s", next, ids[len(ids)-1])
		}
		if r.Descending {
			if (r.To != event.ID{}) && next.Compare(r.To) >= 0 {
				return all, fmt.Errorf("stands still at %s", next)
			}
			r.To = next
		} else {
			if next.Compare(r.From) <= 0 {
				return all, fmt.Errorf("stands still at %s", next)
			}
			r.From = next
		}
	}
	return all, fmt.Errorf("no end after %d rows", len(all))
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
	got, _, err := l.Events(idOf(1), event.Range{Limit: 10}, event.EventFilter{IdempotencyKey: "key 3"})
	must(t, err)
	sameIDs(t, "events", eventIDs(got), []event.ID{want})
	none, _, err := l.Deliveries(idOf(1), event.Range{Limit: 10}, event.DeliveryFilter{EventID: idOf(99)})
	if err != nil || len(none) != 0 {
		t.Errorf("deliveries of an unknown event: %d, %v", len(none), err)
	}
}
