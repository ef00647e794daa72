package api

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"posthaste/event"
)

// budgeted is a listing of ids that pass, out of all, with a budget.
func budgeted(all *[]event.ID, passes func(event.ID) bool, budget int) listing[event.ID] {
	return listing[event.ID]{
		scan: func(r event.Range) ([]event.ID, event.Scan, error) {
			rows, scan := within(*all, r, func(id event.ID) event.ID { return id }, passes)
			return rows, scan, nil
		},
		id:     func(id event.ID) event.ID { return id },
		budget: budget,
	}
}

// Whatever the budget, the pages forward show every row once, and so do the pages back
// again, while rows arrive.
func TestPagesWithABudgetShowEveryRowOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		wanted := map[event.ID]bool{}
		var all, want []event.ID
		for n := range rapid.IntRange(0, 40).Draw(rt, "rows") {
			all = append(all, id('r', n))
			if rapid.IntRange(0, 3).Draw(rt, "wanted") == 0 {
				wanted[all[n]] = true
				want = append(want, all[n])
			}
		}
		q := pageQuery{perPage: rapid.IntRange(1, 5).Draw(rt, "per page"), ascending: rapid.Bool().Draw(rt, "ascending"), within: everything}
		if !q.ascending {
			slices.Reverse(want)
		}
		l := budgeted(&all, func(id event.ID) bool { return wanted[id] }, rapid.IntRange(1, 12).Draw(rt, "budget")-4*q.perPage)
		if l.budget == 0 {
			l.budget = 1
		}
		arrive := func() {
			if len(all) < 60 {
				all = append(all, id('z', 100+len(all)))
			}
		}
		var forward, back []event.ID
		p, err := readPage(q, l, 1<<20)
		for n := 0; ; n++ {
			if err != nil || n > 200 {
				rt.Fatalf("page %d: %v", n, err)
			}
			forward = append(forward, p.rows...)
			if (p.cut != nil) && (!p.pagination.HasNextPage || p.cut.Looked == 0) {
				rt.Fatalf("a page that was cut: %+v %+v", p.pagination, p.cut)
			}
			if !p.pagination.HasNextPage {
				break
			}
			arrive()
			q.cursor, q.hasCursor = event.ID{}, true
			must(rt, q.cursor.UnmarshalText([]byte(p.pagination.NextPageCursor)))
			p, err = readPage(q, l, 1<<20)
		}
		if !slices.Equal(forward, want) {
			rt.Fatalf("forward %v\nwant    %v", forward, want)
		}
		back = slices.Clone(p.rows)
		for n := 0; p.pagination.HasPrevPage; n++ {
			arrive()
			q.back = true
			must(rt, q.cursor.UnmarshalText([]byte(p.pagination.PrevPageCursor)))
			if p, err = readPage(q, l, 1<<20); err != nil || n > 400 {
				rt.Fatalf("page %d back: %v", n, err)
			}
			back = append(slices.Clone(p.rows), back...)
		}
		if !slices.Equal(back, want) {
			rt.Fatalf("back %v\nwant %v", back, want)
		}
	})
}

func must(t interface{ Fatal(...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// A page that looked at enough says how far it looked, and only such a page does.
func TestAPageSaysHowFarItLooked(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.MaxScanRows = 10 })
	for n := 1; n <= 100; n++ {
		w.addEvent(w.project, n)
	}
	a := w.do("GET", w.in("/events?perPage=5&idempotencyKey=key-3"), "")
	if a.field("pagination", "looked") != 30.0 || a.field("pagination", "has_next_page") != true ||
		a.field("pagination", "looked_until") != event.TimeOf(id('f', 70)).Format(time.RFC3339Nano) || a.field("pagination", "next_page_cursor") != id('f', 70).String() {
		t.Errorf("got %s", a.Data)
	}
	a = w.do("GET", w.in("/events?perPage=5"), "")
	if a.field("pagination", "looked") != nil || a.field("pagination", "looked_until") != nil {
		t.Errorf("got %s", a.Data)
	}
}

// What a query says arrives in the log's filter.
func TestFilters(t *testing.T) {
	w := newWorld(t)
	e1, e2 := w.addEndpoint(w.project, 1), w.addEndpoint(w.project, 2)
	_ = e2
	x := id('x', 1)
	w.rows(w.in("/events?sourceId=%s&sourceId=%s&event_type=a&q=Text&body=%%7B%%22a%%22:1%%7D&ownerId=o&idempotencyKey=k", x, e1))
	f := w.log.eventFilter
	if !slices.Equal(f.Sources, []event.ID{x, e1}) || f.EventType != "a" || f.Query != "Text" || string(f.Body) != `{"a":1}` || f.OwnerID != "o" || f.IdempotencyKey != "k" {
		t.Errorf("got %+v", f)
	}
	w.rows(w.in("/eventdeliveries?sourceId=%s&eventType=a&idempotencyKey=k&status=Success,Retry&status=Failure&ownerId=owner%%201", x))
	d := w.log.deliveryFilter
	if d.SourceID != x || d.EventType != "a" || d.IdempotencyKey != "k" || !slices.Equal(d.Statuses, []event.Status{event.Success, event.Retry, event.Failure}) || !slices.Equal(d.Endpoints, []event.ID{e1}) {
		t.Errorf("got %+v", d)
	}
	w.addEvent(w.project, 1)
	w.log.addDelivery(event.Delivery{ID: id('d', 1), ProjectID: w.project, EventID: id('f', 1)})
	for _, none := range []string{"/events?brokerMessageId=1", "/eventdeliveries?brokerMessageId=1", "/eventdeliveries?ownerId=nobody"} {
		if p := w.rows(w.in("%s", none)); len(p.Content) != 0 {
			t.Errorf("%s shows %d rows", none, len(p.Content))
		}
	}
	w.want(w.do("POST", w.in("/eventdeliveries/batchretry?ownerId=nobody"), ""), 400, "ownerId: selects nothing")
}

func TestStatusTotals(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 5; n++ {
		w.log.addDelivery(event.Delivery{ID: id('d', n), ProjectID: w.project, Status: []event.Status{event.Success, event.Failure}[n/4]})
	}
	a := w.do("GET", w.in("/eventdeliveries/statustotals"), "")
	if a.field("num") != 5.0 || a.field("complete") != true || a.field("totals", "Success") != 3.0 || a.field("totals", "Failure") != 2.0 || a.field("totals", "Retry") != 0.0 {
		t.Errorf("got %s", a.Data)
	}
}
