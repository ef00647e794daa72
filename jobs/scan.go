package jobs

import (
	"time"

	"posthaste/event"
)

// A listing cannot be interrupted, and with a filter that few pass it may read a lot.
// So a scan asks for stretches of time, which it makes as long as they are quick to
// read: a job that is to stop, and those that wait for its turn, wait for one.
const (
	firstSpan = time.Minute
	leastSpan = time.Second
	mostSpan  = 24 * time.Hour

	quick = 50 * time.Millisecond
	slow  = 250 * time.Millisecond

	// early is how long before its project's time an id is not expected any more.
	early = 24 * time.Hour
)

// scan goes through ids in ascending order.
type scan struct {
	cursor   event.ID // all up to here are behind it
	last     event.ID // it ends here
	ended    bool
	expected uint64 // Unix ms: before it there is probably nothing
	span     time.Duration
}

// newScan is a scan of what the job works on, from its cursor on.
func newScan(job *event.Job) *scan {
	s := &scan{last: lastAt(job.ID.Time()), span: firstSpan}
	if to := job.Filter.To; to != (event.ID{}) && to.Compare(s.last) < 0 {
		s.last = to
	}
	s.cursor = job.Cursor
	if from := job.Filter.From; from != (event.ID{}) && from.Compare(s.cursor) > 0 {
		s.cursor = event.Before(from)
	}
	s.expected = earlier(job.ProjectID.Time(), early)
	s.ended = s.cursor.Compare(s.last) >= 0
	return s
}

// stretch is what to list next, at most limit rows of it.
func (s *scan) stretch(limit int) event.Range {
	from := after(s.cursor)
	end := from.Time() + uint64(s.span/time.Millisecond) - 1
	if from.Time() < s.expected {
		end = s.expected - 1
	}
	r := event.Range{From: from, To: s.last, Limit: limit}
	if end < s.last.Time() {
		r.To = lastAt(end)
	}
	return r
}

// listed notes how long it took to list a stretch, and how many rows it had.
func (s *scan) listed(r event.Range, rows int, took time.Duration) {
	switch {
	case took > slow:
		s.span = max(s.span/2, leastSpan)
	case took < quick && rows < r.Limit:
		s.span = min(s.span*2, mostSpan)
	}
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

func earlier(ms uint64, by time.Duration) uint64 {
	return ms - min(ms, uint64(by/time.Millisecond))
}
