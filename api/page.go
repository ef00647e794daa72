package api

import (
	"slices"
	"time"

	"posthaste/event"
)

// fetchRows is how many rows are asked for at a time, so that a page which fills
// its bytes has not read many more.
const fetchRows = 64

// listing is something that can be paged: a part of the catalog or of the log.
type listing[T any] struct {
	fetch func(event.Range) ([]T, error)
	scan  func(event.Range) ([]T, event.Scan, error) // instead of fetch, of a listing with a budget
	id    func(T) event.ID
	bytes func(T) int // what a row holds in memory; nil: next to nothing

	budget int // rows that may be looked at for a page, beside those that are shown; 0: no bound
}

// page is a stretch of a listing and how to go on from it.
type page[T any] struct {
	rows       []T
	pagination pagination
	cut        *cutView // nil: it has as many rows as there are, or as it may have
	looked     int      // rows that were read
	search     any      // what pagination says of a search; nil: there was none
}

// cutView is what pagination has, beside Convoy's members, of a page that ended because
// enough was looked at. Its cursors lead on.
type cutView struct {
	Looked      int       `json:"looked"`       // rows that were read
	LookedUntil time.Time `json:"looked_until"` // how far that was, going by the rows' creation
}

// pagination has Convoy's names. PrevPageCursor is the id of the page's first row.
// NextPageCursor is the id of the row behind its last, or of its last row if there
// is none behind.
type pagination struct {
	PerPage        int    `json:"per_page"`
	HasNextPage    bool   `json:"has_next_page"`
	HasPrevPage    bool   `json:"has_prev_page"`
	PrevPageCursor string `json:"prev_page_cursor"`
	NextPageCursor string `json:"next_page_cursor"`
}

// readPage reads one page. A cursor is the id of a row and a page is what lies on
// one side of it, so rows that arrive between two requests, at the end where new
// ones appear, move no row from one page to another. A page ends early when its
// rows hold more than maxBytes, or when the listing's budget is spent: its cursors then
// are places up to which was looked, and need not be rows.
func readPage[T any](q pageQuery, l listing[T], maxBytes int) (page[T], error) {
	onward, behind := q.forward(), q.backward()
	if q.back {
		onward, behind = behind, onward
	}
	found, err := l.collect(onward, q.perPage, maxBytes)
	if err != nil {
		return page[T]{}, err
	}
	var came bool // there are rows on the side that the request comes from
	if q.hasCursor {
		if came, err = l.any(behind); err != nil {
			return page[T]{}, err
		}
	}
	var p page[T]
	if q.back {
		p = l.pageBefore(q, found, came)
	} else {
		p = l.pageFrom(q, found.rows, found.ahead, came)
	}
	p.looked = found.looked
	if found.cut {
		p.cut = &cutView{found.looked, event.TimeOf(found.ahead.id)}
	}
	return p, nil
}

// pageFrom is the page whose first row is at the cursor, or the first of all.
func (l listing[T]) pageFrom(q pageQuery, rows []T, ahead lookahead, hasPrev bool) page[T] {
	p := page[T]{rows: rows, pagination: pagination{PerPage: q.perPage, HasNextPage: ahead.ok, HasPrevPage: hasPrev}}
	switch {
	case len(rows) > 0:
		p.pagination.PrevPageCursor = l.id(rows[0]).String()
		p.pagination.NextPageCursor = l.id(rows[len(rows)-1]).String()
	case hasPrev:
		p.pagination.PrevPageCursor = q.cursor.String()
	}
	if ahead.ok {
		p.pagination.NextPageCursor = ahead.id.String()
	}
	return p
}

// pageBefore is the page whose last row is the one in front of the cursor. Its rows
// were read backwards.
func (l listing[T]) pageBefore(q pageQuery, found collected[T], hasNext bool) page[T] {
	rows := found.rows
	slices.Reverse(rows)
	p := page[T]{rows: rows, pagination: pagination{PerPage: q.perPage, HasNextPage: hasNext, HasPrevPage: found.ahead.ok}}
	if len(rows) > 0 {
		p.pagination.PrevPageCursor = l.id(rows[0]).String()
		p.pagination.NextPageCursor = l.id(rows[len(rows)-1]).String()
	}
	if hasNext {
		p.pagination.NextPageCursor = q.cursor.String()
	}
	if found.cut { // the page before begins at ahead, and a cursor is not in the page
		cursor := next(found.ahead.id)
		if !q.ascending {
			cursor = previous(found.ahead.id)
		}
		p.pagination.PrevPageCursor = cursor.String()
	}
	return p
}

// walk is a span and the order in which to read it.
type walk struct {
	span
	descending bool
}

// forward reads from the cursor, that row included, to the end of the listing.
func (q *pageQuery) forward() walk {
	switch {
	case !q.hasCursor:
		return walk{q.within, !q.ascending}
	case q.ascending:
		return walk{q.within.startingAt(q.cursor), false}
	}
	return walk{q.within.endingAt(q.cursor), true}
}

// backward reads from the row in front of the cursor to the start of the listing.
func (q *pageQuery) backward() walk {
	if q.ascending {
		return walk{q.within.before(q.cursor), true}
	}
	return walk{q.within.after(q.cursor), false}
}

// lookahead is the row behind a page, if there is one.
type lookahead struct {
	id event.ID
	ok bool
}

// collected are rows and what is behind them.
type collected[T any] struct {
	rows   []T
	ahead  lookahead
	looked int  // rows that were read
	cut    bool // the budget was spent: ahead is where to go on, not a row
}

// collect reads up to perPage rows and looks at the one behind them.
func (l listing[T]) collect(w walk, perPage, maxBytes int) (c collected[T], err error) {
	held := 0
	for !w.empty() {
		want := min(perPage+1-len(c.rows), fetchRows)
		got, scan, err := l.read(w, want, l.left(c.looked, perPage))
		if err != nil {
			return c, err
		}
		c.looked += scan.Looked
		for _, row := range got {
			if len(c.rows) == perPage || held > maxBytes {
				c.ahead = lookahead{l.id(row), true}
				return c, nil
			}
			c.rows = append(c.rows, row)
			held += l.bytesOf(row)
		}
		if !scan.Next.IsZero() {
			c.ahead, c.cut = lookahead{scan.Next, true}, true
			return c, nil
		}
		if len(got) < want {
			break
		}
		w = w.beyond(l.id(got[len(got)-1]))
	}
	return c, nil
}

// shownCosts is how many rows may be read for one that is shown, whatever the budget: an
// event, its delivery, and some more.
const shownCosts = 4

// left is what is left of the budget of a page; at least something, or a long page
// would never end.
func (l listing[T]) left(looked, perPage int) int {
	if l.budget == 0 {
		return 0
	}
	return max(1, l.budget+shownCosts*perPage-looked)
}

// read reads some rows of a walk.
func (l listing[T]) read(w walk, limit, budget int) ([]T, event.Scan, error) {
	r := w.rangeOf(w.descending, limit)
	r.Budget = budget
	if l.scan != nil {
		return l.scan(r)
	}
	rows, err := l.fetch(r)
	return rows, event.Scan{}, err
}

// beyond is what is left of a walk after the row with this id.
func (w walk) beyond(id event.ID) walk {
	if w.descending {
		return walk{w.before(id), true}
	}
	return walk{w.after(id), false}
}

// anyCosts is how many rows are looked at to say whether there is one on the side that
// a request comes from. A row had been there: where it is not found at once, that counts.
const anyCosts = 256

// any reports whether a walk meets a row.
func (l listing[T]) any(w walk) (bool, error) {
	if w.empty() {
		return false, nil
	}
	rows, scan, err := l.read(w, 1, min(l.budget, anyCosts))
	return len(rows) > 0 || !scan.Next.IsZero(), err
}

func (l listing[T]) bytesOf(row T) int {
	if l.bytes == nil {
		return 0
	}
	return l.bytes(row)
}

// encode appends the page as JSON, each row by appendRow.
func (p page[T]) encode(appendRow func(dst []byte, row T) ([]byte, error)) (verbatim, error) {
	out := []byte(`{"content":[`)
	for i, row := range p.rows {
		if i > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = appendRow(out, row); err != nil {
			return nil, err
		}
	}
	tail, err := marshal(p.pagination)
	if err != nil {
		return nil, err
	}
	if p.cut != nil {
		cut, err := marshal(p.cut)
		if err != nil {
			return nil, err
		}
		tail = append(append(tail[:len(tail)-1], ','), cut[1:]...)
	}
	if p.search != nil {
		search, err := marshal(p.search)
		if err != nil {
			return nil, err
		}
		tail = append(append(append(tail[:len(tail)-1], `,"search":`...), search...), '}')
	}
	out = append(append(out, `],"pagination":`...), tail...)
	return append(out, '}'), nil
}
