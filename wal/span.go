package wal

import (
	"bytes"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// span is a stretch of keys: start is in it, end is not.
type span struct{ start, end []byte }

// bucketSpan covers the rows of a kind in a bucket.
func bucketSpan(kind byte, bucket uint32) span {
	return span{appendBucket(nil, kind, bucket), appendBucket(nil, kind, bucket+1)}
}

// prefixSpan covers all keys with a prefix.
func prefixSpan(prefix []byte) span {
	return span{prefix, successor(bytes.Clone(prefix))}
}

// deliverySpan covers the rows of a delivery.
func deliverySpan(id event.ID, partitions int) span {
	return prefixSpan(appendDeliveryKey(nil, id, partitions, 0)[:deliveryIDLen])
}

func compareSpans(a, b span) int { return bytes.Compare(a.start, b.start) }

// without cuts keep out of spans. It sorts both.
func without(spans, keep []span) []span {
	slices.SortFunc(spans, compareSpans)
	slices.SortFunc(keep, compareSpans)
	rest := make([]span, 0, len(spans)+len(keep))
	for _, s := range spans {
		for len(keep) > 0 && bytes.Compare(keep[0].end, s.start) <= 0 {
			keep = keep[1:]
		}
		for _, k := range keep { // the last one may reach into the next span
			if bytes.Compare(k.start, s.end) >= 0 {
				break
			}
			if bytes.Compare(k.start, s.start) > 0 {
				rest = append(rest, span{s.start, k.start})
			}
			if bytes.Compare(k.end, s.start) > 0 {
				s.start = k.end
			}
		}
		if bytes.Compare(s.start, s.end) < 0 {
			rest = append(rest, s)
		}
	}
	return rest
}

// nextBucket is the first bucket, from one on, that has rows of a kind.
func nextBucket(it *pebble.Iterator, kind byte, from uint32) (uint32, bool) {
	if !it.SeekGE(appendBucket(nil, kind, from)) || it.Key()[0] != kind {
		return 0, false
	}
	return bucketOfKey(it.Key()), true
}

// prefixes calls fn at the first row of every prefix that the rows of a kind in a
// bucket have, seeking from one to the next. A prefix has n bytes behind the
// bucket; it is fn's to keep. fn may move the iterator.
func prefixes(it *pebble.Iterator, kind byte, bucket uint32, n int, fn func(prefix []byte) error) error {
	s := bucketSpan(kind, bucket)
	for valid := it.SeekGE(s.start); valid && bytes.Compare(it.Key(), s.end) < 0; {
		prefix := bytes.Clone(it.Key()[:len(s.start)+n])
		if err := fn(prefix); err != nil {
			return err
		}
		next := successor(bytes.Clone(prefix))
		if next == nil {
			break
		}
		valid = it.SeekGE(next)
	}
	return it.Error()
}
