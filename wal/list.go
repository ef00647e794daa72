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
func (l *Log) Events(project event.ID, r event.Range, f event.EventFilter) ([]*event.Event, error) {
	events := []*event.Event{}
	err := l.walkEvents(project, r, func(key, value []byte) (bool, error) {
		ev, err := decodeEvent(key, value)
		if err != nil {
			return false, err
		}
		if eventPasses(ev, &f) {
			events = append(events, ev)
			err = l.fill(ev)
		}
		return len(events) < r.Limit, err
	})
	return events, err
}

func eventPasses(ev *event.Event, f *event.EventFilter) bool {
	if ev.Origin == event.Replayed {
		return false
	}
	if f.IdempotencyKey != "" && f.IdempotencyKey != ev.IdempotencyKey || f.OwnerID != "" && f.OwnerID != ev.OwnerID {
		return false
	}
	return len(f.Endpoints) == 0 || slices.ContainsFunc(ev.Owed, func(d event.Delivery) bool {
		return slices.Contains(f.Endpoints, d.EndpointID)
	})
}

// walkEvents calls fn with a project's event rows in a range until it returns
// false. Buckets without events of the project are skipped by seeking.
func (l *Log) walkEvents(project event.ID, r event.Range, fn func(key, value []byte) (bool, error)) (err error) {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindEvent}, UpperBound: []byte{kindEvent + 1}})
	if err != nil {
		return err
	}
	return errors.Join(walkEventsOf(it, project, r, fn), it.Close())
}

func walkEventsOf(it *pebble.Iterator, project event.ID, r event.Range, fn func(key, value []byte) (bool, error)) error {
	w := newBucketWalk(it, kindEvent, project[:], r)
	for w.valid() {
		goOn, err := fn(it.Key(), it.Value())
		if err != nil || !goOn {
			return err
		}
		w.next()
	}
	return it.Error()
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
	key      []byte
}

func newBucketWalk(it *pebble.Iterator, kind byte, prefix []byte, r event.Range) *bucketWalk {
	w := &bucketWalk{it: it, kind: kind, prefix: prefix, from: r.From, to: r.To, down: r.Descending}
	if w.to == (event.ID{}) {
		for i := range w.to {
			w.to[i] = 0xFF
		}
	}
	if w.down {
		w.bucket = bucketOf(w.to.Time())
		w.ok = w.seekDown(w.to)
	} else {
		w.bucket = bucketOf(w.from.Time())
		w.ok = w.seekUp(w.from)
	}
	w.settle()
	return w
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

func (w *bucketWalk) next() {
	if w.down {
		w.ok = w.it.Prev()
	} else {
		w.ok = w.it.Next()
	}
	w.settle()
}
