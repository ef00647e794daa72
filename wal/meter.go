package wal

import (
	"math"

	"posthaste/event"
)

// What it costs a listing to look at something, in eighths of a row of its budget.
const (
	costRow     = 8
	costStretch = 4    // to find that the index excludes a stretch
	costKey     = 1    // to pass over a key
	costBytes   = 2048 // that are searched, for one
)

// meter counts what a listing looks at, and says when that is enough. However small the
// budget, a listing gets further than where it began.
type meter struct {
	left    int // in eighths of a row
	looked  int
	moved   bool // the listing has left its first place
	stopped bool
	next    event.ID // where to go on, once it is stopped
}

func newMeter(r event.Range) meter {
	if r.Budget <= 0 || r.Budget > math.MaxInt/costRow {
		return meter{left: math.MaxInt}
	}
	return meter{left: r.Budget * costRow}
}

// allow reports whether the listing may look at id. If not it ends, and goes on there.
func (m *meter) allow(id event.ID) bool {
	if m.left <= 0 && m.moved {
		m.stop(id)
	}
	return !m.stopped
}

func (m *meter) stop(next event.ID) { m.stopped, m.next = true, next }

// row takes the cost of a row, if the listing may look at it.
func (m *meter) row(id event.ID) bool {
	if !m.allow(id) {
		return false
	}
	m.left -= costRow
	m.looked++
	return true
}

// scan is what the listing's caller is told.
func (m *meter) scan() event.Scan { return event.Scan{Looked: m.looked, Next: m.next} }
