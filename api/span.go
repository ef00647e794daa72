package api

import (
	"bytes"

	"posthaste/event"
)

// span is a stretch of ids, both ends inclusive. Unlike event.Range it has no
// open ends; it holds nothing when from lies behind to.
type span struct{ from, to event.ID }

// lastID sorts behind every id.
var lastID = event.ID(bytes.Repeat([]byte{0xff}, len(event.ID{})))

// everything is the span of all ids.
var everything = span{to: lastID}

// startingAt is the part of s that lies at id or behind it; endingAt the part that
// lies at id or in front of it.
func (s span) startingAt(id event.ID) span { return span{laterOf(s.from, id), s.to} }
func (s span) endingAt(id event.ID) span   { return span{s.from, earlierOf(s.to, id)} }

// after and before are the same without id itself.
func (s span) after(id event.ID) span {
	if id == lastID {
		return span{lastID, event.ID{}}
	}
	return s.startingAt(next(id))
}

func (s span) before(id event.ID) span {
	if id.IsZero() {
		return span{lastID, event.ID{}}
	}
	return s.endingAt(previous(id))
}

// empty reports whether nothing can lie in s. No object has the zero id, and an
// event.Range could not end there: zero is an open end.
func (s span) empty() bool { return s.to.IsZero() || s.from.Compare(s.to) > 0 }

// rangeOf is s as a Reader takes it. s must not be empty.
func (s span) rangeOf(descending bool, limit int) event.Range {
	return event.Range{From: s.from, To: s.to, Descending: descending, Limit: limit}
}

func laterOf(a, b event.ID) event.ID {
	if a.Compare(b) > 0 {
		return a
	}
	return b
}

func earlierOf(a, b event.ID) event.ID {
	if a.Compare(b) < 0 {
		return a
	}
	return b
}

// next is the id that follows id; id must not be the last.
func next(id event.ID) event.ID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]++
		if id[i] != 0 {
			break
		}
	}
	return id
}

// previous is the id in front of id; id must not be zero.
func previous(id event.ID) event.ID {
	for i := len(id) - 1; i >= 0; i-- {
		id[i]--
		if id[i] != 0xff {
			break
		}
	}
	return id
}
