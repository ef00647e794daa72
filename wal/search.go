package wal

import (
	"bytes"

	"posthaste/event"
)

// search is what a listing looks for in the data of events.
type search struct {
	text  []byte // in lower case; empty: nothing
	body  *jsonNode
	parts int // of body
}

func newSearch(f *event.EventFilter) (s search, err error) {
	s.text = asciiLower([]byte(f.Query))
	if len(f.Body) > 0 {
		s.body, s.parts, err = parseContained(f.Body)
	}
	return s, err
}

// pass looks through the data of an event, and takes what that costs from the meter.
func (s *search) pass(data []byte, m *meter) bool {
	if len(s.text) > 0 {
		m.left -= len(data) / costBytes
		if !containsFold(data, s.text) {
			return false
		}
	}
	if s.body == nil {
		return true
	}
	m.left -= len(data) * (1 + s.parts/8) / costBytes
	return s.body.within(data)
}

func asciiLower(text []byte) []byte {
	lower := bytes.Clone(text)
	for i, c := range lower {
		lower[i] = lowerOf(c)
	}
	return lower
}

func lowerOf(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// containsFold reports whether data has text, which is in lower case, in whatever case of
// ASCII letters. It goes from one place of the text's first byte to the next.
func containsFold(data, text []byte) bool {
	first := text[0]
	upper := first
	if first >= 'a' && first <= 'z' {
		upper = first - ('a' - 'A')
	}
	for len(data) >= len(text) {
		room := data[:len(data)-len(text)+1]
		at := bytes.IndexByte(room, first)
		if upper != first {
			if at >= 0 {
				room = room[:at]
			}
			if other := bytes.IndexByte(room, upper); other >= 0 {
				at = other
			}
		}
		if at < 0 {
			return false
		}
		if equalFold(data[at:at+len(text)], text) {
			return true
		}
		data = data[at+1:]
	}
	return false
}

func equalFold(data, lower []byte) bool {
	for i, c := range lower {
		if lowerOf(data[i]) != c {
			return false
		}
	}
	return true
}
