package wal

import (
	"bytes"
	"container/heap"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// hourWalk steps through the ids of a project's deliveries of one hour in order,
// without the project's events, which name their deliveries but may be gone. Rows of
// deliveries lie by endpoint, so it merges all endpoints that have some:
//
//	endpoint hash a ──► oldest of a ─┐
//	endpoint hash b ──► oldest of b ─┼─ heap ──► next id
//	endpoint hash c ──► oldest of c ─┘
//
// It begins with two or three look-ups per endpoint of any project that had a delivery
// in that hour, and needs one or two for each step. Between two projects whose
// endpoints share a hash it decides by the first and the last row of that hash.
type hourWalk struct {
	l       *Log
	it      *pebble.Iterator
	project event.ID
	bucket  uint32
	r       event.Range
	heads   []event.ID // a heap
	asked   int        // endpoints that were looked up for it
	err     error      // of a row that could not be read: the walk has ended there
}

func newHourWalk(l *Log, it *pebble.Iterator, project event.ID, bucket uint32, r event.Range) (*hourWalk, error) {
	if r.To == (event.ID{}) {
		r.To = maxID
	}
	w := &hourWalk{l: l, it: it, project: project, bucket: bucket, r: r}
	const n = endpointLen - 5 // a partition and an endpoint's hash
	err := prefixes(it, kindDelivery, bucket, n, func(prefix []byte) error {
		w.asked++
		hash := event.DeliveryEndpointHash(idOfRow(it.Key()))
		ours, err := w.mayBeOurs(prefix)
		if !ours || err != nil {
			return err
		}
		if id, found := w.first(prefix, hash); found {
			w.heads = append(w.heads, id)
		}
		return it.Error()
	})
	heap.Init(w)
	return w, err
}

func idOfRow(key []byte) event.ID {
	id, _ := deliveryKeyParts(key)
	return id
}

// mayBeOurs reports whether the first or the last delivery with a prefix is the
// project's. The iterator stands on the first row.
func (w *hourWalk) mayBeOurs(prefix []byte) (bool, error) {
	if _, row := deliveryKeyParts(w.it.Key()); row != 0 {
		return false, &CorruptError{bytesClone(w.it.Key()), "an outcome without its delivery"}
	}
	d, err := decodeDelivery(w.it.Key(), w.it.Value())
	if err != nil || d.ProjectID == w.project {
		return err == nil, err
	}
	if !w.it.SeekLT(successor(bytes.Clone(prefix))) {
		return false, w.it.Error()
	}
	last, err := w.l.seekDelivery(w.it, idOfRow(w.it.Key()))
	return last.ProjectID == w.project, err
}

// first is the first delivery with a prefix that is in the range.
func (w *hourWalk) first(prefix []byte, hash uint32) (event.ID, bool) {
	if w.r.Descending {
		bound := successor(bytes.Clone(prefix))
		if bucketOf(w.r.To.Time()) <= w.bucket {
			bound = appendBound(nil, w.r.To, hash, w.l.partitions, 0xFFFF)
		}
		return w.at(w.it.SeekLT(bound), prefix)
	}
	bound := prefix
	if bucketOf(w.r.From.Time()) >= w.bucket {
		bound = appendBound(nil, w.r.From, hash, w.l.partitions, 0)
	}
	return w.at(w.it.SeekGE(bound), prefix)
}

// at is the delivery that the iterator stands on, if it has the prefix and is in the
// range.
func (w *hourWalk) at(valid bool, prefix []byte) (id event.ID, ok bool) {
	if !valid || !bytes.HasPrefix(w.it.Key(), prefix) {
		return id, false
	}
	id = idOfRow(w.it.Key())
	return id, id.Compare(w.r.From) >= 0 && id.Compare(w.r.To) <= 0
}

// next takes the next id; false at the end, or when err is set.
func (w *hourWalk) next() (event.ID, bool) {
	if len(w.heads) == 0 || w.err != nil {
		return event.ID{}, false
	}
	id := w.heads[0]
	key := appendDeliveryKey(nil, id, w.l.partitions, 0)
	prefix := key[:endpointLen]
	var after event.ID
	var ok bool
	if w.r.Descending {
		after, ok = w.at(w.it.SeekLT(key), prefix)
	} else {
		after, ok = w.at(w.it.SeekGE(successor(bytes.Clone(key[:deliveryIDLen]))), prefix)
	}
	if ok {
		w.heads[0] = after
		heap.Fix(w, 0)
	} else {
		w.err = w.it.Error() // the next look-up would forget it
		heap.Pop(w)
	}
	return id, true
}

// Len, Less, Swap, Push and Pop are heap.Interface.
func (w *hourWalk) Len() int { return len(w.heads) }

// Less puts the id first that is listed first.
func (w *hourWalk) Less(i, j int) bool {
	if w.r.Descending {
		i, j = j, i
	}
	return w.heads[i].Compare(w.heads[j]) < 0
}

func (w *hourWalk) Swap(i, j int) { w.heads[i], w.heads[j] = w.heads[j], w.heads[i] }

// Push appends an id.
func (w *hourWalk) Push(id any) { w.heads = append(w.heads, id.(event.ID)) }

// Pop takes the last.
func (w *hourWalk) Pop() any {
	last := len(w.heads) - 1
	id := w.heads[last]
	w.heads = w.heads[:last]
	return id
}
