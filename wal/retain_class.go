package wal

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// What is removed on its own clock. gone is not: it says before which hour a
// project's events may be missing, and listings of its deliveries do without them.
const (
	payload = iota
	keys
	history
	gone
	clocks
)

// kindsOf lists the kinds of rows that go together. Replays are found from their
// original as long as there is history of it.
var kindsOf = [...][]byte{
	payload: {kindEvent, kindStretch, kindFind},
	keys:    {kindIdempotent},
	history: {kindDelivery, kindReplay, kindStatus},
}

// progress says, for each clock, before which hour the rows have been removed.
type progress [clocks]uint32

// class is a project that is not kept as the others are, or was not once; under the
// zero id, all others.
type class struct {
	is     progress
	stored bool // what is is, is in the store
}

func appendGoneKey(dst []byte, project event.ID) []byte {
	return append(append(dst, kindGone), project[:]...)
}

// decodeGone reads how far a project was cleaned:
//
//	payload 4 | keys 4 | history 4 | gone 4
func decodeGone(key, value []byte) (project event.ID, p progress, err error) {
	if err := checkKey(key, goneKeyLen); err != nil {
		return project, p, err
	}
	r, err := open(key, value)
	if err != nil {
		return project, p, err
	}
	copy(project[:], key[1:])
	for i := range p {
		if f := r.take(4); f != nil {
			p[i] = binary.BigEndian.Uint32(f)
		}
	}
	return project, p, r.done()
}

func sealedGone(key []byte, p *progress) []byte {
	value := make([]byte, recordHeaderLen)
	for _, hour := range p {
		value = binary.BigEndian.AppendUint32(value, hour)
	}
	seal(value, key)
	return value
}

// goneBefore is the hour before which events of a project may have been removed.
func (l *Log) goneBefore(project event.ID) (uint32, error) {
	for _, id := range []event.ID{project, {}} {
		key := appendGoneKey(nil, id)
		value, closer, err := l.get(key)
		if errors.Is(err, pebble.ErrNotFound) {
			continue
		}
		if err != nil {
			return 0, err
		}
		defer closer.Close()
		_, p, err := decodeGone(key, value)
		return p[gone], err
	}
	return 0, nil
}

// load reads the records of earlier calls, once.
func (r *retaining) load() error {
	s := r.state
	if s.loaded {
		return nil
	}
	s.classes, s.left = map[event.ID]*class{{}: {}}, map[uint32]time.Time{}
	err := r.l.eachRow(kindGone, func(key, value []byte) error {
		project, p, err := decodeGone(key, value)
		s.classes[project] = &class{p, true}
		return err
	})
	if err != nil {
		return err
	}
	err = r.l.eachRow(kindLeft, func(key, value []byte) error {
		bucket, err := decodeLeft(key, value)
		s.left[bucket] = time.Time{}
		return err
	})
	if err != nil {
		return err
	}
	if err := s.sizes.load(r.l); err != nil {
		return err
	}
	s.loaded = true
	return nil
}

// eachRow calls fn with every record of a kind.
func (l *Log) eachRow(kind byte, fn func(key, value []byte) error) error {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kind}, UpperBound: []byte{kind + 1}})
	if err != nil {
		return err
	}
	for valid := it.First(); valid && err == nil; valid = it.Next() {
		err = fn(it.Key(), it.Value())
	}
	return errors.Join(err, it.Close())
}

func (p *Policy) keep(project event.ID) Keep {
	if k, excepted := p.Except[project]; excepted {
		return k
	}
	return p.Default
}

// class makes sure that a project has a progress of its own.
func (r *retaining) class(project event.ID) {
	if _, known := r.state.classes[project]; !known {
		r.state.classes[project] = &class{is: r.state.classes[event.ID{}].is}
	}
}

// aim works out what is to be removed, and reports whether anything is that was not.
func (r *retaining) aim() (changed bool) {
	for project := range r.p.Except {
		r.class(project)
	}
	for project := range r.sized {
		r.class(project)
	}
	r.targets = make(map[event.ID]progress, len(r.state.classes))
	r.least = progress{math.MaxUint32, math.MaxUint32, math.MaxUint32, math.MaxUint32}
	for project, c := range r.state.classes {
		t := r.target(project)
		r.targets[project] = t
		for i := range t {
			r.least[i], r.most[i] = min(r.least[i], t[i]), max(r.most[i], t[i])
			changed = changed || t[i] > c.is[i]
		}
	}
	return changed
}

func (r *retaining) target(project event.ID) (t progress) {
	k := r.p.keep(project)
	t[payload] = max(r.before(k.Payload), r.sized[project])
	t[history] = r.before(k.History)
	if k.Keys == 0 && k.Payload > 0 {
		k.Keys = max(k.Payload, r.l.o.IdempotencyWindow)
	}
	t[keys] = r.before(k.Keys)
	t[gone] = t[payload]
	return t
}

// before is the hour before which all is older than keep.
func (r *retaining) before(keep time.Duration) uint32 {
	if keep <= 0 {
		return 0
	}
	return bucketOf(min(r.limit, uint64(max(0, r.p.Now.Add(-keep).UnixMilli()))))
}

// targetOf is the target of a project, whether it has a class of its own or not.
func (r *retaining) targetOf(project event.ID) progress {
	if t, own := r.targets[project]; own {
		return t
	}
	return r.targets[event.ID{}]
}

// window is the stretch of hours in which something is to be removed that was not.
func (r *retaining) window() (from, to uint32) {
	from = math.MaxUint32
	for project, c := range r.state.classes {
		t := r.targets[project]
		for clock := range kindsOf {
			if t[clock] > c.is[clock] {
				from, to = min(from, c.is[clock]), max(to, t[clock])
			}
		}
	}
	return from, to
}

// announce says, before the first event goes, before which hour events may be
// missing. It also makes new classes durable: their progress is that of the others
// up to now.
func (r *retaining) announce() error {
	return r.write(func(project event.ID, c *class) {
		c.is[gone] = max(c.is[gone], r.targets[project][gone])
	})
}

// note says that all targets were reached. A project that is kept like the others and
// has got as far as they needs no entry any more.
func (r *retaining) note() error {
	err := r.write(func(project event.ID, c *class) {
		for i, hour := range r.targets[project] {
			c.is[i] = max(c.is[i], hour)
		}
	})
	if err != nil || r.p.Default.MaxBytes > 0 {
		return err
	}
	others := r.state.classes[event.ID{}].is
	b := r.l.db.NewBatch()
	defer b.Close()
	for project, c := range r.state.classes {
		if _, excepted := r.p.Except[project]; excepted || project == (event.ID{}) || c.is != others {
			continue
		}
		_ = b.Delete(appendGoneKey(nil, project), nil)
		delete(r.state.classes, project)
	}
	if b.Empty() {
		return nil
	}
	return r.l.commitNow(b)
}

// write changes classes, and stores those that are new or changed.
func (r *retaining) write(change func(project event.ID, c *class)) error {
	b := r.l.db.NewBatch()
	defer b.Close()
	for project, c := range r.state.classes {
		was := c.is
		change(project, c)
		if c.is == was && c.stored {
			continue
		}
		key := appendGoneKey(nil, project)
		_ = b.Set(key, sealedGone(key, &c.is), nil)
		c.stored = true
	}
	if b.Empty() {
		return nil
	}
	return r.l.commitNow(b)
}
