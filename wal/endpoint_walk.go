package wal

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// endpointWalk steps through the ids of an endpoint's deliveries in a range.
type endpointWalk struct {
	l    *Log
	it   *pebble.Iterator
	hash uint32
	r    event.Range
	id   event.ID
	ok   bool
	key  []byte
}

func newEndpointWalk(l *Log, it *pebble.Iterator, hash uint32, r event.Range) *endpointWalk {
	w := &endpointWalk{l: l, it: it, hash: hash, r: r}
	if w.r.To == (event.ID{}) {
		w.r.To = maxID
	}
	if r.Descending {
		w.seek(w.r.To)
	} else {
		w.seek(w.r.From)
	}
	return w
}

func (w *endpointWalk) head() (event.ID, bool) { return w.id, w.ok }

// bound is the key at which a range that ends at id begins in id's bucket.
func (w *endpointWalk) bound(id event.ID, row uint16) []byte {
	w.key = appendBound(w.key[:0], id, w.hash, w.l.partitions, row)
	return w.key
}

// seek moves to the first delivery from id on, in the range's direction.
func (w *endpointWalk) seek(id event.ID) {
	if w.r.Descending {
		w.ok = w.it.SeekLT(w.bound(id, 0xFFFF))
	} else {
		w.ok = w.it.SeekGE(w.bound(id, 0))
	}
	w.settle(bucketOf(id.Time()))
}

// settle finds the next delivery of the endpoint from where the iterator
// stands, seeking from bucket to bucket.
func (w *endpointWalk) settle(bucket uint32) {
	for w.ok {
		prefix := appendEndpointPrefix(w.key[:0], bucket, w.hash, w.l.partitions)
		w.key = prefix
		if bytes.HasPrefix(w.it.Key(), prefix) {
			w.id, _ = deliveryKeyParts(w.it.Key())
			w.ok = w.id.Compare(w.r.From) >= 0 && w.id.Compare(w.r.To) <= 0
			return
		}
		at := bucketOfKey(w.it.Key())
		if w.r.Descending {
			bucket = w.jumpDown(bucket, at)
		} else {
			bucket = w.jumpUp(bucket, at)
		}
	}
}

func (w *endpointWalk) jumpDown(bucket, at uint32) uint32 {
	if at >= bucket {
		at = bucket - 1
	}
	if bucket == 0 || at < bucketOf(w.r.From.Time()) {
		w.ok = false
		return bucket
	}
	prefix := appendEndpointPrefix(w.key[:0], at, w.hash, w.l.partitions)
	w.key = successor(prefix)
	w.ok = w.it.SeekLT(w.key)
	return at
}

func (w *endpointWalk) jumpUp(bucket, at uint32) uint32 {
	if at <= bucket {
		at = bucket + 1
	}
	if at > bucketOf(w.r.To.Time()) {
		w.ok = false
		return bucket
	}
	w.key = appendEndpointPrefix(w.key[:0], at, w.hash, w.l.partitions)
	w.ok = w.it.SeekGE(w.key)
	return at
}

// next steps over the rows of the delivery it stands on.
func (w *endpointWalk) next() {
	id := w.id
	if w.r.Descending {
		w.key = appendDeliveryKey(w.key[:0], id, w.l.partitions, 0)
		w.ok = w.it.SeekLT(w.key)
	} else {
		w.key = appendDeliveryKey(w.key[:0], id, w.l.partitions, 0xFFFF)
		w.ok = w.it.SeekGE(append(w.key, 0))
	}
	w.settle(bucketOf(id.Time()))
}
