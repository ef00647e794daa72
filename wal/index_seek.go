package wal

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// seeker looks up keys that mostly come in order, and mostly are neighbours: where it
// can, it takes a step instead of a seek, a tenth of the time.
type seeker struct {
	it    *pebble.Iterator
	down  bool
	asked []byte // what was looked up last. The iterator stands on it, or on the one that follows
}

// get reports whether there is a row with this key, and moves the iterator to it.
func (s *seeker) get(key []byte) bool {
	if s.asked == nil || s.follows(s.asked, key) {
		s.seek(key)
	} else if s.it.Valid() && s.follows(key, s.it.Key()) { // it lies in front of what is asked for
		s.step()
		if s.it.Valid() && s.follows(key, s.it.Key()) {
			s.seek(key)
		}
	}
	s.asked = append(s.asked[:0], key...)
	return s.it.Valid() && bytes.Equal(s.it.Key(), key)
}

// follows reports whether a comes behind b in the direction.
func (s *seeker) follows(a, b []byte) bool {
	if s.down {
		return bytes.Compare(a, b) < 0
	}
	return bytes.Compare(a, b) > 0
}

func (s *seeker) seek(key []byte) {
	if s.down {
		s.it.SeekLT(append(key[:len(key):len(key)], 0))
	} else {
		s.it.SeekGE(key)
	}
}

func (s *seeker) step() {
	if s.down {
		s.it.Prev()
	} else {
		s.it.Next()
	}
}

// stretchRows finds the stretch that an id is in, of one project. Stretches of a bucket
// do not overlap, and are sorted by where they end.
type stretchRows struct {
	it      *pebble.Iterator
	project event.ID
	down    bool
	row     stretch // that the iterator stands on, if on is set
	on      bool
	gap     stretch // there is none from its first to its last; if gaps is set
	gaps    bool
}

// find reports whether there is one for pos, which is row then.
func (s *stretchRows) find(pos event.ID) (bool, error) {
	switch {
	case s.on && s.row.has(pos):
		return true, nil
	case s.gaps && s.gap.has(pos):
		return false, nil
	}
	if s.beside(pos) {
		if found, sure, err := s.step(pos); sure || err != nil {
			return found, err
		}
	}
	return s.seek(pos)
}

// beside reports whether the iterator stands in front of pos in its bucket.
func (s *stretchRows) beside(pos event.ID) bool {
	if !s.on || bucketOf(s.row.last.Time()) != bucketOf(pos.Time()) {
		return false
	}
	if s.down {
		return s.row.first.Compare(pos) > 0
	}
	return s.row.last.Compare(pos) < 0
}

// step tries the neighbour. sure: what it says stands.
func (s *stretchRows) step(pos event.ID) (found, sure bool, err error) {
	was := s.row
	if s.down {
		s.it.Prev()
	} else {
		s.it.Next()
	}
	if err := s.read(pos); err != nil {
		return false, false, err
	}
	start, end := bounds(pos)
	switch {
	case s.on && s.row.has(pos):
		return true, true, nil
	case s.down && (!s.on || s.row.last.Compare(pos) < 0):
		s.noneBetween(s.on, s.row.last, start, event.Before(was.first))
		return false, true, nil
	case !s.down && (!s.on || s.row.first.Compare(pos) > 0):
		s.noneUntil(s.on, s.row.first, idAfter(was.last), end)
		return false, true, nil
	}
	return false, false, nil
}

// seek looks the stretch up.
func (s *stretchRows) seek(pos event.ID) (bool, error) {
	s.it.SeekGE(appendStretchKey(nil, s.project, pos))
	if err := s.read(pos); err != nil || s.on && s.row.has(pos) {
		return err == nil, err
	}
	start, end := bounds(pos)
	if !s.down {
		s.noneUntil(s.on, s.row.first, pos, end)
		return false, nil
	}
	s.it.Prev()
	err := s.read(pos)
	s.noneBetween(s.on, s.row.last, start, pos)
	return false, err
}

// bounds are the ends of an id's bucket.
func bounds(id event.ID) (first, last event.ID) {
	bucket := bucketOf(id.Time())
	return firstOfBucket(bucket), event.Before(firstOfBucket(bucket + 1))
}

// noneBetween notes a gap behind a row, if there is one, or from start.
func (s *stretchRows) noneBetween(on bool, last, start, until event.ID) {
	if on {
		start = idAfter(last)
	}
	s.gap, s.gaps = stretch{first: start, last: until}, true
}

// noneUntil notes a gap in front of a row, if there is one, or to the end.
func (s *stretchRows) noneUntil(on bool, first, from, end event.ID) {
	if on {
		end = event.Before(first)
	}
	s.gap, s.gaps = stretch{first: from, last: end}, true
}

// read reads the row under the iterator, if it is of the project and of pos's bucket.
func (s *stretchRows) read(pos event.ID) (err error) {
	s.on = false
	if !s.it.Valid() {
		return s.it.Error()
	}
	prefix := appendInBucket(nil, kindStretch, bucketOf(pos.Time()), s.project)
	if !bytes.HasPrefix(s.it.Key(), prefix) {
		return nil
	}
	s.row.first, s.row.last, _, err = decodeStretch(s.it.Key(), s.it.Value())
	s.on = err == nil
	return err
}
