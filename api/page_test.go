package api

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

// shownPage is a page as a client reads it.
type shownPage struct {
	Content []struct {
		ID event.ID `json:"uid"`
	} `json:"content"`
	Pagination pagination `json:"pagination"`
}

func (p shownPage) ids() []event.ID {
	ids := make([]event.ID, len(p.Content))
	for i := range p.Content {
		ids[i] = p.Content[i].ID
	}
	return ids
}

// rows reads one page.
func (w *world) rows(path string) shownPage {
	w.t.Helper()
	a := w.do("GET", path, "")
	if a.Code != 200 {
		w.t.Fatalf("GET %s: %s", path, a.body)
	}
	var p shownPage
	if err := json.Unmarshal(a.Data, &p); err != nil {
		w.t.Fatal(err)
	}
	if p.Content == nil {
		w.t.Fatalf("GET %s: content is null", path)
	}
	return p
}

// listings are the four listings, and how to add the n-th row to each.
var listings = map[string]func(w *world, n int) event.ID{
	"/endpoints": func(w *world, n int) event.ID { return w.addEndpoint(w.project, n) },
	"/subscriptions": func(w *world, n int) event.ID {
		return w.addSubscription(w.project, w.addEndpoint(w.project, n), n)
	},
	"/events": func(w *world, n int) event.ID { return w.addEvent(w.project, n) },
	"/eventdeliveries": func(w *world, n int) event.ID {
		w.log.addDelivery(event.Delivery{ID: id('d', n), ProjectID: w.project, EventID: id('f', n)})
		return id('d', n)
	},
}

// Forward to the end and back again, while rows arrive: each row that was there at
// the start is seen exactly once on the way, and every page is met again unchanged
// on the way back.
func TestPagesAreStableWhileRowsArrive(t *testing.T) {
	for path, add := range listings {
		for _, sort := range []string{"DESC", "ASC"} {
			for perPage := 1; perPage <= 8; perPage++ {
				t.Run(fmt.Sprintf("%s/%s/%d", path, sort, perPage), func(t *testing.T) {
					w := newWorld(t)
					var there []event.ID
					for n := 1; n <= 7; n++ {
						there = append(there, add(w, n))
					}
					if sort == "DESC" {
						slices.Reverse(there)
					}
					walkThereAndBack(t, w, w.in("%s?sort=%s&perPage=%d", path, sort, perPage), there, add)
				})
			}
		}
	}
}

func walkThereAndBack(t *testing.T, w *world, path string, there []event.ID, add func(*world, int) event.ID) {
	arrived := 100
	arrive := func() { arrived++; add(w, arrived) }
	known := func(ids []event.ID) []event.ID { // without the rows that arrived
		return slices.DeleteFunc(ids, func(id event.ID) bool { return !slices.Contains(there, id) })
	}
	var forward [][]event.ID
	p := w.rows(path)
	if p.Pagination.HasPrevPage {
		t.Fatal("there is a page before the first")
	}
	for {
		forward = append(forward, known(p.ids()))
		if !p.Pagination.HasNextPage || len(slices.Concat(forward...)) == len(there) {
			break
		}
		arrive()
		p = w.rows(path + "&direction=next&prev_page_cursor=&next_page_cursor=" + p.Pagination.NextPageCursor)
	}
	if got := slices.Concat(forward...); !slices.Equal(got, there) {
		t.Fatalf("forward saw %v, want %v", got, there)
	}
	for i := len(forward) - 2; i >= 0; i-- {
		arrive()
		if !p.Pagination.HasPrevPage {
			t.Fatalf("page %d has no page before it", i+1)
		}
		p = w.rows(path + "&direction=prev&prev_page_cursor=" + p.Pagination.PrevPageCursor)
		if got := known(p.ids()); !slices.Equal(got, forward[i]) {
			t.Fatalf("back on page %d: %v, want %v", i, got, forward[i])
		}
		if !p.Pagination.HasNextPage {
			t.Fatalf("page %d has no page behind it", i)
		}
	}
}

// From any page met backwards, the next cursor leads to the page met before.
func TestNextCursorOfAPageBefore(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 9; n++ {
		w.addEvent(w.project, n)
	}
	first := w.rows(w.in("/events?perPage=3"))
	second := w.rows(w.in("/events?perPage=3&next_page_cursor=%s", first.Pagination.NextPageCursor))
	back := w.rows(w.in("/events?perPage=3&direction=prev&prev_page_cursor=%s", second.Pagination.PrevPageCursor))
	again := w.rows(w.in("/events?perPage=3&next_page_cursor=%s", back.Pagination.NextPageCursor))
	if !slices.Equal(back.ids(), first.ids()) || !slices.Equal(again.ids(), second.ids()) {
		t.Errorf("first %v, back %v; second %v, again %v", first.ids(), back.ids(), second.ids(), again.ids())
	}
}

func TestCursors(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 4; n++ {
		w.addEvent(w.project, n)
	}
	e := func(n int) string { return id('f', n).String() }
	for _, c := range []struct {
		query string
		rows  []event.ID
		want  pagination
	}{
		{"perPage=2", []event.ID{id('f', 4), id('f', 3)}, pagination{2, true, false, e(4), e(2)}},
		{"perPage=2&next_page_cursor=" + e(2), []event.ID{id('f', 2), id('f', 1)}, pagination{2, false, true, e(2), e(1)}},
		{"perPage=4", []event.ID{id('f', 4), id('f', 3), id('f', 2), id('f', 1)}, pagination{4, false, false, e(4), e(1)}},
		{"perPage=2&direction=prev&prev_page_cursor=" + e(1), []event.ID{id('f', 3), id('f', 2)}, pagination{2, true, true, e(3), e(1)}},
		{"perPage=2&direction=prev&prev_page_cursor=" + e(4), nil, pagination{2, true, false, "", e(4)}},
		{"direction=prev&perPage=2", []event.ID{id('f', 4), id('f', 3)}, pagination{2, true, false, e(4), e(2)}},
		{"next_page_cursor=00000000000000000000000000", nil, pagination{20, false, true, "00000000000000000000000000", ""}},
		{"direction=prev&prev_page_cursor=00000000000000000000000000&sort=ASC", nil, pagination{20, true, false, "", "00000000000000000000000000"}},
		{"direction=prev&prev_page_cursor=7ZZZZZZZZZZZZZZZZZZZZZZZZZ", nil, pagination{20, true, false, "", "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"}},
		{"idempotencyKey=none", nil, pagination{20, false, false, "", ""}},
	} {
		p := w.rows(w.in("/events?%s", c.query))
		if !slices.Equal(p.ids(), c.rows) && len(p.ids())+len(c.rows) > 0 {
			t.Errorf("%s: rows %v, want %v", c.query, p.ids(), c.rows)
		}
		if p.Pagination != c.want {
			t.Errorf("%s: got %+v, want %+v", c.query, p.Pagination, c.want)
		}
	}
}

func TestPageSizes(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 150; n++ { // more than are fetched at a time
		w.addEvent(w.project, n)
	}
	for query, want := range map[string]int{"": 20, "perPage=": 20, "perPage=0": 20, "perPage=-1": 20, "perPage=140": 140, "perPage=5000": 150} {
		if p := w.rows(w.in("/events?%s", query)); len(p.Content) != want {
			t.Errorf("%q: %d rows, want %d", query, len(p.Content), want)
		}
	}
	ascending := w.rows(w.in("/events?sort=ASC&perPage=140")).ids()
	if len(ascending) != 140 || !slices.IsSortedFunc(ascending, event.ID.Compare) || ascending[139] != id('f', 140) {
		t.Errorf("ascending, %d rows end at %s", len(ascending), ascending[len(ascending)-1])
	}
	if p := w.rows(w.in("/events?perPage=5000")); p.Pagination.PerPage != maxPerPage {
		t.Errorf("per_page is %d", p.Pagination.PerPage)
	}
}

// A page whose rows are large ends early, and following the cursors still shows
// every row once.
func TestAPageIsBoundedInBytes(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.MaxPageBytes = 1000 })
	var all []event.ID
	for n := 1; n <= 10; n++ {
		all = append(all, w.addEvent(w.project, n))
	}
	slices.Reverse(all)
	var seen []event.ID
	pages, cursor := 0, ""
	for {
		p := w.rows(w.in("/events?next_page_cursor=%s", cursor))
		seen, pages, cursor = append(seen, p.ids()...), pages+1, p.Pagination.NextPageCursor
		if !p.Pagination.HasNextPage {
			break
		}
	}
	if !slices.Equal(seen, all) || pages < 3 {
		t.Errorf("%d pages showed %v, want %v", pages, seen, all)
	}
}

func TestDates(t *testing.T) {
	w := newWorld(t)
	for n := 1; n <= 5; n++ {
		w.addEvent(w.project, n)
	}
	at := func(n int) string { return epoch.Add(time.Duration(n) * time.Second).Format(dateLayout) }
	for _, c := range []struct {
		start, end string
		want       []int
	}{
		{"", "", []int{5, 4, 3, 2, 1}},
		{"0001-01-01T00:00:00", "0001-01-01T00:00:00", []int{5, 4, 3, 2, 1}},
		{at(2), "", []int{5, 4, 3, 2}},
		{"", at(2), []int{2, 1}},
		{at(2), at(3), []int{3, 2}},
		{at(3), at(2), nil},
		{"1066-10-14T09:00:00", "9999-12-31T23:59:59", []int{5, 4, 3, 2, 1}},
		{"", "1066-10-14T09:00:00", nil},
	} {
		p := w.rows(w.in("/events?startDate=%s&endDate=%s", c.start, c.end))
		want := make([]event.ID, len(c.want))
		for i, n := range c.want {
			want[i] = id('f', n)
		}
		if !slices.Equal(p.ids(), want) {
			t.Errorf("%q to %q: %v, want %v", c.start, c.end, p.ids(), want)
		}
	}
}

func TestBadQueries(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ path, message string }{
		{"/endpoints?perPage=many", "perPage: want a number from 1 to 1000"},
		{"/endpoints?sort=up", "sort: want ASC or DESC"},
		{"/endpoints?direction=left", "direction: want next or prev"},
		{"/endpoints?next_page_cursor=1", "next_page_cursor: " + event.ErrBadID.Error()},
		{"/endpoints?direction=prev&prev_page_cursor=1", "prev_page_cursor: " + event.ErrBadID.Error()},
		{"/subscriptions?endpointId=1", "endpointId: " + event.ErrBadID.Error()},
		{"/events?startDate=yesterday", "please specify a startDate in the format 2006-01-02T15:04:05"},
		{"/events?endDate=2026-01-01", "please specify an endDate in the format 2006-01-02T15:04:05"},
		{"/events?endpointId=1", "endpointId: " + event.ErrBadID.Error()},
		{"/events?query=" + strings.Repeat("x", maxQueryBytes+1), "query: has 257 bytes; look for at most 256"},
		{"/events?body=%7B", `body: want JSON that the data is to contain, as in {"order":{"id":7}}`},
		{"/events?body=null", `body: want JSON that the data is to contain, as in {"order":{"id":7}}`},
		{"/events?sourceId=1", "sourceId: " + event.ErrBadID.Error()},
		{"/eventdeliveries?status=Done", "status: want one of Scheduled, Processing, Success, Retry, Failure, Discarded"},
		{"/eventdeliveries?eventId=1", "eventId: " + event.ErrBadID.Error()},
		{"/eventdeliveries?subscriptionId=1", "subscriptionId: " + event.ErrBadID.Error()},
		{"/eventdeliveries?status=Success,Done", "status: want one of Scheduled, Processing, Success, Retry, Failure, Discarded"},
		{"/eventdeliveries?sourceId=1", "sourceId: " + event.ErrBadID.Error()},
		{"/eventdeliveries?eventId=" + id('f', 1).String() + "&eventId=" + id('f', 2).String(), "eventId: want one id"},
	} {
		w.want(w.do("GET", w.in("%s", c.path), ""), 400, c.message)
	}
}

// Convoy's clients send every parameter they know, mostly empty.
func TestEmptyQueryValuesAreNone(t *testing.T) {
	w := newWorld(t)
	w.addEvent(w.project, 1)
	w.log.addDelivery(event.Delivery{ID: id('d', 1), ProjectID: w.project, EventID: id('f', 1)})
	names := []string{"perPage", "sort", "direction", "next_page_cursor", "prev_page_cursor", "q", "name", "ownerId",
		"endpointId", "eventId", "subscriptionId", "idempotencyKey", "eventType", "event_type", "status", "sourceId",
		"query", "body", "brokerMessageId", "startDate", "endDate"}
	query := strings.Join(names, "=&") + "="
	for _, path := range []string{"/events", "/eventdeliveries"} {
		if p := w.rows(w.in("%s?%s", path, query)); len(p.Content) != 1 {
			t.Errorf("%s shows %d rows", path, len(p.Content))
		}
	}
}

func TestIDArithmetic(t *testing.T) {
	low := event.ID{14: 1, 15: 0}
	if got := previous(low); got != (event.ID{14: 0, 15: 0xff}) {
		t.Errorf("previous is %x", got)
	}
	if got := next(previous(low)); got != low {
		t.Errorf("next of previous is %x", got)
	}
	for _, s := range []span{everything.after(lastID), everything.before(event.ID{}), everything.before(next(event.ID{}))} {
		if !s.empty() {
			t.Errorf("%v is not empty", s)
		}
	}
	if everything.empty() || everything.after(event.ID{}).empty() || everything.before(lastID).empty() {
		t.Error("a span that holds ids is empty")
	}
}

// Whatever the query, the answer is a page or says what is wrong with the query.
func FuzzQuery(f *testing.F) {
	f.Add("perPage=3&direction=prev&prev_page_cursor=01ARZ3NDEKTSV4RRFFQ69G5FAV&startDate=2026-01-02T03:04:05")
	f.Add("endDate=0000-01-01T00:00:00&sort=asc&next_page_cursor=7ZZZZZZZZZZZZZZZZZZZZZZZZZ")
	f.Fuzz(func(t *testing.T, raw string) {
		params, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		w := newWorld(t)
		w.addEvent(w.project, 1)
		if a := w.do("GET", w.in("/events?")+params.Encode(), ""); a.Code != 200 && a.Code != 400 {
			t.Fatalf("%q: %s", raw, a.body)
		}
	})
}
