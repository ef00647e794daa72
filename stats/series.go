package stats

import (
	"posthaste/event"
)

// Dim says what the series of a project are told apart by.
type Dim byte

// The dimensions. Their numbers are stored.
const (
	OfProject  Dim = iota // all of the project: one series
	OfEndpoint            // an endpoint's
	OfType                // an event type's; "" is those of which there are too many
)

// Series is what is counted.
type Series struct {
	Project  event.ID
	Dim      Dim
	Endpoint event.ID // of OfEndpoint
	Type     string   // of OfType
}

// MaxTypeBytes is the length to which a type counts as such; longer ones count as "".
const MaxTypeBytes = 256

// AppendOf appends what tells the series from others of its project and dimension.
func (s *Series) AppendOf(dst []byte) []byte {
	switch s.Dim {
	case OfEndpoint:
		return append(dst, s.Endpoint[:]...)
	case OfType:
		return append(dst, s.Type...)
	}
	return dst
}

// ofLen is the length of what AppendOf appends.
func (s *Series) ofLen() int {
	switch s.Dim {
	case OfEndpoint:
		return len(s.Endpoint)
	case OfType:
		return len(s.Type)
	}
	return 0
}

// ParseOf reads what AppendOf wrote. It reports false if that cannot be of the dimension.
func (s *Series) ParseOf(of []byte) bool {
	switch s.Dim {
	case OfProject:
		return len(of) == 0
	case OfEndpoint:
		return copy(s.Endpoint[:], of) == len(of) && len(of) == len(s.Endpoint)
	case OfType:
		s.Type = string(of)
		return len(of) <= MaxTypeBytes
	}
	return false
}
