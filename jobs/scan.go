package jobs

import "posthaste/event"

// stretchRows is how many rows a listing may look at for a page. It cannot be
// interrupted: a job that is to stop, and those that wait for its turn, wait for one.
const stretchRows = 2000

// scan goes through ids in ascending order.
type scan struct {
	cursor event.ID // all up to here are behind it
	last   event.ID // it ends here
	ended  bool
}

// newScan is a scan of what the job works on, from its cursor on.
func newScan(job *event.Job) *scan {
	s := &scan{last: lastAt(job.ID.Time())}
	if to := job.Filter.To; to != (event.ID{}) && to.Compare(s.last) < 0 {
		s.last = to
	}
	s.cursor = job.Cursor
	if from := job.Filter.From; from != (event.ID{}) && from.Compare(s.cursor) > 0 {
		s.cursor = event.Before(from)
	}
	s.ended = s.cursor.Compare(s.last) >= 0
	return s
}

// stretch is what to list next, at most limit rows of it.
func (s *scan) stretch(limit int) event.Range {
	return event.Range{From: after(s.cursor), To: s.last, Limit: limit, Budget: stretchRows}
}

// reached is up to where a stretch was listed that has these rows.
func reached(r event.Range, rows []row, listed event.Scan) event.ID {
	switch {
	case listed.Next != event.ID{}:
		return event.Before(listed.Next)
	case len(rows) < r.Limit:
		return r.To
	}
	return rows[len(rows)-1].id
}

// done moves the cursor to id.
func (s *scan) done(id event.ID) {
	s.cursor = id
	s.ended = id.Compare(s.last) >= 0
}

// lastAt is the greatest id of a millisecond.
func lastAt(ms uint64) (id event.ID) {
	for i := range id {
		id[i] = 0xFF
	}
	_ = id.SetTime(min(ms, 1<<48-1))
	return id
}

// after is the smallest id that is greater than id, which is not the greatest.
func after(id event.ID) event.ID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]++
		if id[i] != 0 {
			break
		}
	}
	return id
}
