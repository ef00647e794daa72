package api

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"posthaste/event"
)

const (
	defaultPerPage = 20
	maxPerPage     = 1000
)

// pageQuery is what a request says about paging, in Convoy's words. An empty
// value means the same as none: Convoy's clients send all parameters.
type pageQuery struct {
	perPage   int
	ascending bool // oldest first; the default is newest first

	// cursor is where the page starts, that row included; with back it is where
	// the page ends, that row excluded: it was the first of the page seen before.
	cursor    event.ID
	hasCursor bool
	back      bool

	within span   // the dates asked for; nothing if the query can select nothing
	none   string // the parameter that makes it so, if it is not a date
}

func parsePageQuery(v url.Values) (pageQuery, error) {
	q := pageQuery{within: everything}
	for _, read := range []func(url.Values) error{q.readPerPage, q.readSort, q.readCursor} {
		if err := read(v); err != nil {
			return pageQuery{}, err
		}
	}
	return q, nil
}

// parseDatedQuery is parsePageQuery for a listing that takes startDate and endDate.
func parseDatedQuery(v url.Values) (pageQuery, error) {
	q, err := parsePageQuery(v)
	if err != nil {
		return pageQuery{}, err
	}
	return q, q.readDates(v)
}

// readPerPage clamps rather than refuses a page that is too large.
func (q *pageQuery) readPerPage(v url.Values) error {
	q.perPage = defaultPerPage
	text := v.Get("perPage")
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return event.Invalid("perPage", "want a number from 1 to %d", maxPerPage)
	}
	if n > 0 {
		q.perPage = min(n, maxPerPage)
	}
	return nil
}

func (q *pageQuery) readSort(v url.Values) error {
	switch strings.ToUpper(v.Get("sort")) {
	case "", "DESC":
	case "ASC":
		q.ascending = true
	default:
		return event.Invalid("sort", "want ASC or DESC")
	}
	return nil
}

func (q *pageQuery) readCursor(v url.Values) error {
	name := "next_page_cursor"
	switch strings.ToLower(v.Get("direction")) {
	case "", "next":
	case "prev":
		name = "prev_page_cursor"
	default:
		return event.Invalid("direction", "want next or prev")
	}
	text := v.Get(name)
	if text == "" {
		return nil
	}
	id, err := event.ParseID(text)
	if err != nil {
		return event.Invalid(name, "%s", err)
	}
	q.cursor, q.hasCursor, q.back = id, true, name == "prev_page_cursor"
	return nil
}

// readDates turns dates into ids, which start with a time in milliseconds. The
// second that endDate names belongs to the listing.
func (q *pageQuery) readDates(v url.Values) error {
	start, err := parseDate(v, "startDate")
	if err != nil {
		return err
	}
	end, err := parseDate(v, "endDate")
	if err != nil {
		return err
	}
	if !start.IsZero() {
		q.within.from = firstIDOf(start)
	}
	if !end.IsZero() {
		q.within.to = lastIDOf(end.Add(time.Second - time.Millisecond))
	}
	return nil
}

const dateLayout = "2006-01-02T15:04:05"

// parseDate reads a date in UTC. The zero time means that there is none: that is
// also what Convoy's Go client sends for a date that was not set.
func parseDate(v url.Values, name string) (time.Time, error) {
	text := v.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(dateLayout, text)
	if err != nil {
		article := "a"
		if name == "endDate" {
			article = "an"
		}
		return time.Time{}, event.Invalid("", "please specify %s %s in the format %s", article, name, dateLayout)
	}
	return t, nil
}

// firstIDOf and lastIDOf are the smallest and the largest id of a millisecond.
// A time before 1970 has the ids of the first millisecond of 1970.
func firstIDOf(t time.Time) event.ID {
	var id event.ID
	_ = id.SetTime(uint64(max(t.UnixMilli(), 0))) // fails beyond the year 10889
	return id
}

func lastIDOf(t time.Time) event.ID {
	id := lastID
	_ = id.SetTime(uint64(max(t.UnixMilli(), 0)))
	return id
}

// selectNothing makes the listing empty, because of what a parameter says.
func (q *pageQuery) selectNothing(name string) { q.within, q.none = span{from: lastID}, name }

// idParams reads every non-empty value of a parameter as an id.
func idParams(v url.Values, name string) ([]event.ID, error) {
	var ids []event.ID
	for _, text := range v[name] {
		if text == "" {
			continue
		}
		id, err := event.ParseID(text)
		if err != nil {
			return nil, event.Invalid(name, "%s", err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// idParam reads a parameter that takes one id; zero if it is absent or empty.
func idParam(v url.Values, name string) (event.ID, error) {
	ids, err := idParams(v, name)
	if err != nil || len(ids) == 0 {
		return event.ID{}, err
	}
	if len(ids) > 1 {
		return event.ID{}, event.Invalid(name, "want one id")
	}
	return ids[0], nil
}
