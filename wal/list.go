package wal

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// Events lists a project's events in a range, newest first if it is descending.
// Duplicates are among them; replays are not, for they are deliveries of an event.
// The index leads to events by type, owner, source, idempotency key and endpoint; a
// query and a body are looked for in the data of those, which costs more of the budget
// the more there is.
func (l *Log) Events(project event.ID, r event.Range, f event.EventFilter) ([]*event.Event, event.Scan, error) {
	events := []*event.Event{}
	search, err := newSearch(&f)
	if err != nil {
		return nil, event.Scan{}, err
	}
	words := eventWords{kind: f.EventType, key: f.IdempotencyKey, owner: f.OwnerID, endpoints: newIDSet(f.Endpoints), sources: newIDSet(f.Sources)}
	m := newMeter(r)
	err = l.withView(func(v *view) error {
		it, err := v.iter(kindEvent)
		if err != nil {
			return err
		}
		w := newEventWalk(it, newFinder(l, project, r.Descending, words.groups(), &m, v.iter), project, r)
		for ; w.valid() && len(events) < r.Limit && m.row(w.id()); w.next() {
			h, err := readHead(it.Key(), it.Value())
			if err != nil {
				return err
			}
			m.moved = true
			if h.origin == event.Replayed || !words.pass(&h) || !search.pass(h.data, &m) {
				continue
			}
			ev, err := decodeEvent(it.Key(), it.Value())
			if err != nil {
				return err
			}
			events = append(events, ev)
			if err := l.fill(ev); err != nil {
				return err
			}
		}
		return w.err
	})
	return events, m.scan(), err
}

// view is the iterators of one listing, which see one state of the store.
type view struct {
	l     *Log
	iters []*pebble.Iterator
}

// withView closes the iterators, and tells of rows that could not be read.
func (l *Log) withView(fn func(*view) error) error {
	v := &view{l: l}
	err := fn(v)
	for _, it := range v.iters {
		err = errors.Join(err, it.Close())
	}
	return err
}

// iter opens an iterator over a kind of rows.
func (v *view) iter(kind byte) (it *pebble.Iterator, err error) {
	o := &pebble.IterOptions{LowerBound: []byte{kind}, UpperBound: []byte{kind + 1}}
	if len(v.iters) == 0 {
		it, err = v.l.db.NewIter(o)
	} else {
		it, err = v.iters[0].Clone(pebble.CloneOptions{IterOptions: o})
	}
	if err == nil {
		v.iters = append(v.iters, it)
	}
	return it, err
}

// bucketWalk moves an iterator over the rows (kind, bucket, prefix, id) of one
// prefix with ids in a range, across buckets, in either direction.
type bucketWalk struct {
	it       *pebble.Iterator
	kind     byte
	prefix   []byte
	from, to event.ID
	down     bool
	bucket   uint32
	ok       bool
	placed   bool // the iterator was moved
	key      []byte
}

// newBucketWalk stands on the first row.
func newBucketWalk(it *pebble.Iterator, kind byte, prefix []byte, r event.Range) *bucketWalk {
	w := unplacedWalk(it, kind, prefix, r)
	if w.down {
		w.seek(w.to)
	} else {
		w.seek(w.from)
	}
	return w
}

func unplacedWalk(it *pebble.Iterator, kind byte, prefix []byte, r event.Range) *bucketWalk {
	w := &bucketWalk{it: it, kind: kind, prefix: prefix, from: r.From, to: r.To, down: r.Descending}
	if w.to == (event.ID{}) {
		for i := range w.to {
			w.to[i] = 0xFF
		}
	}
	return w
}

// seek moves to the first row from id on.
func (w *bucketWalk) seek(id event.ID) {
	w.bucket, w.placed = bucketOf(id.Time()), true
	if w.down {
		w.ok = w.seekDown(id)
	} else {
		w.ok = w.seekUp(id)
	}
	w.settle()
}

func (w *bucketWalk) keyOf(bucket uint32, id event.ID) []byte {
	w.key = append(w.key[:0], w.kind)
	w.key = binary.BigEndian.AppendUint32(w.key, bucket)
	return append(append(w.key, w.prefix...), id[:]...)
}

func (w *bucketWalk) seekDown(to event.ID) bool {
	return w.it.SeekLT(append(w.keyOf(w.bucket, to), 0))
}

func (w *bucketWalk) seekUp(from event.ID) bool {
	return w.it.SeekGE(w.keyOf(w.bucket, from))
}

// settle moves the iterator to the next row of the prefix, seeking through the
// buckets that have some.
func (w *bucketWalk) settle() {
	for w.ok && !w.inPrefix() {
		w.ok = w.jump()
	}
	if !w.ok {
		return
	}
	id := w.id()
	w.ok = id.Compare(w.from) >= 0 && id.Compare(w.to) <= 0
}

// jump seeks from a row of another prefix to where the next row of ours may be.
func (w *bucketWalk) jump() bool {
	key := w.it.Key()
	bucket := bucketOfKey(key)
	rest := key[5 : 5+len(w.prefix)]
	if w.down {
		if bucket == w.bucket || slices.Compare(rest, w.prefix) < 0 {
			if bucket == 0 {
				return false
			}
			if bucket == w.bucket {
				w.bucket--
			} else {
				w.bucket = bucket - 1
			}
		} else {
			w.bucket = bucket
		}
		return w.bucket >= bucketOf(w.from.Time()) && w.seekDown(maxID)
	}
	if bucket == w.bucket || slices.Compare(rest, w.prefix) > 0 {
		w.bucket = max(w.bucket, bucket) + 1
	} else {
		w.bucket = bucket
	}
	return w.bucket <= bucketOf(w.to.Time()) && w.seekUp(event.ID{})
}

var maxID = func() (id event.ID) {
	for i := range id {
		id[i] = 0xFF
	}
	return id
}()

func (w *bucketWalk) inPrefix() bool {
	key := w.it.Key()
	return bucketOfKey(key) == w.bucket && slices.Equal(key[5:5+len(w.prefix)], w.prefix)
}

func (w *bucketWalk) id() (id event.ID) {
	key := w.it.Key()
	copy(id[:], key[len(key)-16:])
	return id
}

func (w *bucketWalk) valid() bool { return w.ok }

func (w *bucketWalk) head() (event.ID, bool) {
	if !w.ok {
		return event.ID{}, false
	}
	return w.id(), true
}

func (w *bucketWalk) next() {
	if w.down {
		w.ok = w.it.Prev()
	} else {
		w.ok = w.it.Next()
	}
	w.settle()
}
