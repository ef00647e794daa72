package wal

import (
	"bytes"
	"encoding/binary"
	"maps"
	"slices"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// sizes knows how large the hours that are over are of projects whose events are
// bounded in size: keys and values as they were written. Each hour is counted once,
// without reading the data, and has a record, so that a restart does not count
// again. Pebble's own estimate was not taken: it knows nothing of what is in memory,
// and of a table that several projects share it guesses.
type sizes struct {
	mu sync.Mutex // guards all; never held over I/O
	// of maps projects to their hours.
	of map[event.ID]map[uint32]int64
	// to: hours before this have been counted, of the projects in counted, and if all
	// is set of every project.
	to      uint32
	counted map[event.ID]bool
	all     bool
}

func appendSizeKey(dst []byte, bucket uint32, project event.ID) []byte {
	return appendInBucket(dst, kindSize, bucket, project)
}

func decodeSize(key, value []byte) (bucket uint32, project event.ID, n int64, err error) {
	if err := checkKey(key, sizeKeyLen); err != nil {
		return 0, project, 0, err
	}
	r, err := open(key, value)
	if err != nil {
		return 0, project, 0, err
	}
	copy(project[:], key[5:])
	n = int64(r.uvarint())
	return bucketOfKey(key), project, n, r.done()
}

func sealedSize(key []byte, n int64) []byte {
	value := binary.AppendUvarint(make([]byte, recordHeaderLen), uint64(n))
	seal(value, key)
	return value
}

func (s *sizes) load(l *Log) error {
	s.mu.Lock()
	s.of, s.counted = map[event.ID]map[uint32]int64{}, map[event.ID]bool{}
	s.mu.Unlock()
	return l.eachRow(kindSize, func(key, value []byte) error {
		bucket, project, n, err := decodeSize(key, value)
		s.put(project, bucket, n)
		return err
	})
}

func (s *sizes) put(project event.ID, bucket uint32, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of[project] == nil {
		s.of[project] = map[uint32]int64{}
	}
	s.of[project][bucket] = n
}

func (s *sizes) knows(project event.ID, bucket uint32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known := s.of[project][bucket]
	return known
}

// forget says that an hour's size changed, and is to be counted again.
func (s *sizes) forget(project event.ID, bucket uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of[project], bucket)
	s.to = min(s.to, bucket)
}

// begin is the hour from which the projects of a policy have to be counted.
func (s *sizes) begin(p *Policy) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := p.Default.MaxBytes > 0
	known := s.all || !all
	for project, k := range p.Except {
		known = known && (k.MaxBytes <= 0 || s.all || s.counted[project])
	}
	if !known {
		s.to = 0
	}
	return s.to
}

// counts says that the projects of a policy were counted up to an hour. since is
// what begin said: what was forgotten meanwhile is counted the next time.
func (s *sizes) counts(p *Policy, since, to uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.to < since {
		return
	}
	s.to = to
	s.all = p.Default.MaxBytes > 0
	clear(s.counted)
	for project, k := range p.Except {
		s.counted[project] = k.MaxBytes > 0 || s.all
	}
}

// surplus is the hour before which a project's events have to go, so that not more
// than most bytes are left. Hours before gone went already.
func (s *sizes) surplus(project event.ID, gone uint32, most int64) uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	hours := s.of[project]
	maps.DeleteFunc(hours, func(hour uint32, _ int64) bool { return hour < gone })
	total := int64(0)
	for _, n := range hours {
		total += n
	}
	before := uint32(0)
	for _, hour := range slices.Sorted(maps.Keys(hours)) {
		if total <= most {
			break
		}
		total -= hours[hour]
		before = hour + 1
	}
	return before
}

func (s *sizes) projects() []event.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.of))
}

// tooLarge finds the projects that have more than they may, and up to which hour
// their events go.
func (r *retaining) tooLarge() error {
	r.sized = make(map[event.ID]uint32)
	bounded := r.p.Default.MaxBytes > 0
	for _, k := range r.p.Except {
		bounded = bounded || k.MaxBytes > 0
	}
	if !bounded {
		return nil
	}
	if err := r.measure(); err != nil {
		return err
	}
	for _, project := range r.state.sizes.projects() {
		most := r.p.keep(project).MaxBytes
		if most <= 0 {
			continue
		}
		c := r.state.classes[project]
		if c == nil {
			c = r.state.classes[event.ID{}]
		}
		if before := r.state.sizes.surplus(project, c.is[payload], most); before > 0 {
			r.sized[project] = before
		}
	}
	return nil
}

// measure counts the hours that are over and have not been counted.
func (r *retaining) measure() error {
	s := &r.state.sizes
	since, to := s.begin(r.p), bucketOf(r.limit)
	if since >= to {
		return nil
	}
	it, err := r.l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindEvent}, UpperBound: []byte{kindEvent + 1}})
	if err != nil {
		return err
	}
	defer it.Close()
	b := r.l.db.NewBatch()
	defer b.Close()
	for from := since; ; from++ {
		hour, found := nextBucket(it, kindEvent, from)
		if !found || hour >= to {
			break
		}
		if err := r.measureHour(it, b, hour); err != nil {
			return err
		}
		from = hour
	}
	if err := it.Error(); err != nil {
		return err
	}
	s.counts(r.p, since, to)
	if b.Empty() {
		return nil
	}
	return r.l.commitNow(b)
}

func (r *retaining) measureHour(it *pebble.Iterator, b *pebble.Batch, hour uint32) error {
	return prefixes(it, kindEvent, hour, 16, func(prefix []byte) error {
		var project event.ID
		copy(project[:], prefix[5:])
		if r.p.keep(project).MaxBytes <= 0 || r.state.sizes.knows(project, hour) {
			return nil
		}
		n := int64(0)
		for valid := it.Valid(); valid && bytes.HasPrefix(it.Key(), prefix); valid = it.Next() {
			value := it.LazyValue()
			n += int64(len(it.Key()) + value.Len())
		}
		r.state.sizes.put(project, hour, n)
		key := appendSizeKey(nil, hour, project)
		return b.Set(key, sealedSize(key, n), nil)
	})
}
