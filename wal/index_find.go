package wal

import (
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// maxTags is how many values of one field of a filter are looked up. With more, each
// row is asked.
const maxTags = 16

// worthReading is how many events of a stretch are read rather than asking for more of their
// tags.
const worthReading = 4

// finder leads a listing from one event that may be wanted to the next. Wanted is what
// has a tag of each group.
type finder struct {
	project  event.ID
	down     bool
	groups   [][]tag
	m        *meter
	from, to event.ID // the listing's range
	hold     uint64   // the milliseconds within which passing over a stretch is no progress

	memory   []stretch // copies of those that are not written yet
	rows     stretchRows
	shards   map[tag]*seeker // rows F, by the tag that is looked for in them
	openIter func(kind byte) (*pebble.Iterator, error)

	at   stretch // the stretch that the listing is in; no ids
	some bool    // at is one
	all  bool    // all of it may be wanted; else ids are, in the listing's order
	ids  []event.ID
}

// noHold is a hold that holds nothing.
const noHold = 1 << 63

// newFinder returns nil if there is nothing to look up: all may be wanted.
func newFinder(l *Log, project event.ID, down bool, groups [][]tag, m *meter, openIter func(byte) (*pebble.Iterator, error)) *finder {
	groups = slices.DeleteFunc(groups, func(g []tag) bool { return len(g) == 0 || len(g) > maxTags })
	if len(groups) == 0 {
		return nil
	}
	return &finder{
		project: project, down: down, groups: groups, m: m, hold: noHold,
		memory: l.unwritten(project), rows: stretchRows{project: project, down: down},
		shards: make(map[tag]*seeker), openIter: openIter,
	}
}

// unwritten copies a project's stretches that are in memory.
func (l *Log) unwritten(project event.ID) []stretch {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []stretch
	for _, s := range l.indexer.ended[project] {
		all = append(all, *s)
	}
	if s := l.indexer.open[project]; s != nil && len(s.ids) > 0 {
		open := *s
		open.last = s.ids[len(s.ids)-1]
		all = append(all, open)
	}
	return all
}

func (s *stretch) has(id event.ID) bool { return id.Compare(s.first) >= 0 && id.Compare(s.last) <= 0 }

// next is the first place, from pos on, at which there may be a wanted event. False
// means that there is none, or that the meter stopped.
func (f *finder) next(pos event.ID) (event.ID, bool, error) {
	for {
		if pos.Compare(f.from) < 0 || pos.Compare(f.to) > 0 {
			return pos, false, nil
		}
		known, err := f.enter(pos)
		if err != nil || !known || f.all {
			return pos, err == nil && !f.m.stopped, err
		}
		if id, ok := f.wanted(pos); ok {
			return id, true, nil
		}
		var ok bool
		if pos, ok = f.beyond(); !ok {
			return pos, false, nil
		}
		if pos.Time() != f.hold {
			f.m.moved = true
		}
	}
}

// beyond is the place behind the stretch; false at the end of all.
func (f *finder) beyond() (event.ID, bool) {
	if f.down {
		return event.Before(f.at.first), f.at.first != event.ID{}
	}
	return idAfter(f.at.last), f.at.last != maxID
}

// wanted is the first of ids from pos on.
func (f *finder) wanted(pos event.ID) (event.ID, bool) {
	i, _ := slices.BinarySearchFunc(f.ids, pos, func(id, pos event.ID) int {
		if f.down {
			return pos.Compare(id)
		}
		return id.Compare(pos)
	})
	if i == len(f.ids) {
		return event.ID{}, false
	}
	return f.ids[i], true
}

// enter makes at the stretch that pos is in, if the index has one.
func (f *finder) enter(pos event.ID) (bool, error) {
	if f.some && f.at.has(pos) {
		return true, nil
	}
	for i := range f.memory {
		if f.memory[i].has(pos) {
			if !f.m.allow(pos) {
				return false, nil
			}
			f.remember(&f.memory[i])
			return true, nil
		}
	}
	if f.rows.it == nil {
		it, err := f.openIter(kindStretch)
		if err != nil {
			return false, err
		}
		f.rows.it = it
	}
	found, err := f.rows.find(pos)
	if err != nil || !found || !f.m.allow(pos) {
		return false, err
	}
	f.m.left -= costStretch
	f.at, f.some, f.all = f.rows.row, true, false
	return true, f.read()
}

// read reads the rows of the stretch that have the tags.
func (f *finder) read() error {
	f.ids, f.all = f.ids[:0], true
	var found []event.ID
	for _, group := range f.groups {
		found = found[:0]
		whole := false
		for _, t := range group {
			var err error
			var all bool
			if found, all, err = f.places(found, t); err != nil {
				return err
			}
			whole = whole || all
		}
		if whole {
			continue
		}
		slices.SortFunc(found, event.ID.Compare)
		if f.narrow(slices.Compact(found)); len(f.ids) <= worthReading {
			break
		}
	}
	if f.down {
		slices.Reverse(f.ids)
	}
	return nil
}

// narrow leaves what is in found, too.
func (f *finder) narrow(found []event.ID) {
	if f.all {
		f.ids, f.all = append(f.ids[:0], found...), false
		return
	}
	f.ids = slices.DeleteFunc(f.ids, func(id event.ID) bool {
		_, ok := slices.BinarySearchFunc(found, id, event.ID.Compare)
		return !ok
	})
}

// places appends the events of the stretch that have a tag.
func (f *finder) places(dst []event.ID, t tag) ([]event.ID, bool, error) {
	f.m.left -= costKey
	s := f.shards[t]
	if s == nil {
		it, err := f.openIter(kindFind)
		if err != nil {
			return dst, false, err
		}
		s = &seeker{it: it, down: f.down}
		f.shards[t] = s
	}
	key := appendFindKey(nil, f.project, t.shard(), f.at.last)
	if !s.get(key) {
		return dst, false, s.it.Error()
	}
	return places(dst, s.it.Key(), s.it.Value(), t)
}

// remember is read for a stretch in memory.
func (f *finder) remember(s *stretch) {
	f.at, f.some, f.all = stretch{first: s.first, last: s.last}, true, false
	has := make([]uint8, len(s.ids)) // how many groups' tags each event has
	for n, group := range f.groups {
		for _, t := range s.tags {
			if slices.Contains(group, tag(t>>16)) && has[uint16(t)] == uint8(n) {
				has[uint16(t)]++
			}
		}
	}
	f.ids = f.ids[:0]
	for i, n := range has {
		if int(n) == len(f.groups) {
			f.ids = append(f.ids, s.ids[i])
		}
	}
	if f.down {
		slices.Reverse(f.ids)
	}
}
