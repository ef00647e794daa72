package api

import (
	"slices"

	"posthaste/event"
)

// fetchRows is how many rows are asked for at a time, so that a page which fills
// its bytes has not read many more.
const fetchRows = 64

// listing is something that can be paged: a part of the catalog or of the log.
type listing[T any] struct {
	fetch func(event.Range) ([]T, error)
	id    func(T) event.ID
	bytes func(T) int // what a row holds in memory; nil: next to nothing
}

// page is a stretch of a listing and how to go on from it.
type page[T any] struct {
	rows       []T
	pagination pagination
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
// rows hold more than maxBytes.
func readPage[T any](q pageQuery, l listing[T], maxBytes int) (page[T], error) {
	onward, behind := q.forward(), q.backward()
	if q.back {
		onward, behind = behind, onward
	}
	rows, more, err := l.collect(onward, q.perPage, maxBytes)
	if err != nil {
		return page[T]{}, err
	}
	var came bool // there are rows on the side that the request comes from
	if q.hasCursor {
		if came, err = l.any(behind); err != nil {
			return page[T]{}, err
		}
	}
	if q.back {
		return l.pageBefore(q, rows, more.ok, came), nil
	}
	return l.pageFrom(q, rows, more, came), nil
}

// pageFrom is the page whose first row is at the cursor, or the first of all.
func (l listing[T]) pageFrom(q pageQuery, rows []T, ahead lookahead, hasPrev bool) page[T] {
	p := page[T]{rows, pagination{PerPage: q.perPage, HasNextPage: ahead.ok, HasPrevPage: hasPrev}}
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
func (l listing[T]) pageBefore(q pageQuery, rows []T, hasPrev, hasNext bool) page[T] {
	slices.Reverse(rows)
	p := page[T]{rows, pagination{PerPage: q.perPage, HasNextPage: hasNext, HasPrevPage: hasPrev}}
	if len(rows) > 0 {
		p.pagination.PrevPageCursor = l.id(rows[0]).String()
		p.pagination.NextPageCursor = l.id(rows[len(rows)-1]).String()
	}
	if hasNext {
		p.pagination.NextPageCursor = q.cursor.String()
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

// collect reads up to perPage rows and looks at the one behind them.
func (l listing[T]) collect(w walk, perPage, maxBytes int) (rows []T, ahead lookahead, err error) {
	held := 0
	for !w.empty() {
		want := min(perPage+1-len(rows), fetchRows)
		got, err := l.fetch(w.rangeOf(w.descending, want))
		if err != nil {
			return nil, lookahead{}, err
		}
		for _, row := range got {
			if len(rows) == perPage || held > maxBytes {
				return rows, lookahead{l.id(row), true}, nil
			}
			rows = append(rows, row)
			held += l.bytesOf(row)
		}
		if len(got) < want {
			break
		}
		w = w.beyond(l.id(got[len(got)-1]))
	}
	return rows, lookahead{}, nil
}

// beyond is what is left of a walk after the row with this id.
func (w walk) beyond(id event.ID) walk {
	if w.descending {
		return walk{w.before(id), true}
	}
	return walk{w.after(id), false}
}

// any reports whether a walk meets a row.
func (l listing[T]) any(w walk) (bool, error) {
	if w.empty() {
		return false, nil
	}
	rows, err := l.fetch(w.rangeOf(w.descending, 1))
	return len(rows) > 0, err
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
	out = append(append(out, `],"pagination":`...), tail...)
	return append(out, '}'), nil
}
