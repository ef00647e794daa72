package wal

import (
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// A stretch is a row I, which says from where to where it reaches, and up to 256 rows F,
// each with the tags of a shard:
//
//	I | bucket 4 | project 16 | last 16 |             first 16 | events n
//	F | bucket 4 | project 16 | shard 1 | last 16 |   event 16 | tags, to the end, of
//	                                                  (rest 5 | length n | places)
//
// last and first bound the stretch; event is the id of its first event. rest is the tag
// without its shard. places are the events that have it, each as two uvarints: how many
// milliseconds, and how much of the sequence, it lies behind the one before, the
// first of them behind event. A tag of more than every eighth event has no
// places: the stretch is to be read.
const (
	dense         = 8
	tagRestLen    = 5
	firstTagsAt   = recordHeaderLen + 16
	maxShardRow   = 64 << 10 // for scratch; a row may be longer
	stretchKeyLen = 1 + 4 + 16 + 16
	findKeyLen    = 1 + 4 + 16 + 1 + 16
)

func (s *stretch) bucket() uint32 { return bucketOf(s.last.Time()) }

func appendStretchKey(dst []byte, project, last event.ID) []byte {
	dst = appendInBucket(dst, kindStretch, bucketOf(last.Time()), project)
	return append(dst, last[:]...)
}

func appendFindKey(dst []byte, project event.ID, shard byte, last event.ID) []byte {
	dst = append(appendInBucket(dst, kindFind, bucketOf(last.Time()), project), shard)
	return append(dst, last[:]...)
}

// appendStretch writes a stretch that has ended. scratch is overwritten.
func appendStretch(b *pebble.Batch, s *stretch, scratch []byte) {
	key := appendStretchKey(make([]byte, 0, findKeyLen), s.project, s.last)
	value := append(append(scratch[:0], make([]byte, recordHeaderLen)...), s.first[:]...)
	value = binary.AppendUvarint(value, uint64(len(s.ids)))
	seal(value, key)
	_ = b.Set(key, value, nil)

	tags := slices.Clone(s.tags) // readers have the original
	slices.Sort(tags)
	tags = slices.Compact(tags)
	for len(tags) > 0 {
		shard := byte(tags[0] >> 56)
		value = append(value[:recordHeaderLen], s.ids[0][:]...)
		for len(tags) > 0 && byte(tags[0]>>56) == shard {
			n := 1
			for n < len(tags) && tags[n]>>16 == tags[0]>>16 {
				n++
			}
			value = appendPlaces(value, s.ids, tags[:n])
			tags = tags[n:]
		}
		key = appendFindKey(key[:0], s.project, shard, s.last)
		seal(value, key)
		_ = b.Set(key, value, nil)
	}
}

// appendPlaces appends one tag and where it is.
func appendPlaces(dst []byte, ids []event.ID, tagged []uint64) []byte {
	t := tagged[0]
	dst = append(dst, byte(t>>48), byte(t>>40), byte(t>>32), byte(t>>24), byte(t>>16))
	if len(tagged)*dense > len(ids) {
		return append(dst, 0)
	}
	var scratch [256]byte
	places := scratch[:0]
	ms, seq := ids[0].Time(), sequenceOf(ids[0])
	for _, t := range tagged {
		id := ids[uint16(t)]
		places = binary.AppendUvarint(places, id.Time()-ms)
		places = binary.AppendUvarint(places, sequenceOf(id)-seq)
		ms, seq = id.Time(), sequenceOf(id)
	}
	return appendBytes(dst, places)
}

func sequenceOf(id event.ID) uint64 { return millis(id[10:]) }

// decodeStretch reads how far a stretch reaches.
func decodeStretch(key, value []byte) (first, last event.ID, events int, err error) {
	if err := checkKey(key, stretchKeyLen); err != nil {
		return first, last, 0, err
	}
	r, err := open(key, value)
	if err != nil {
		return first, last, 0, err
	}
	copy(last[:], key[stretchKeyLen-16:])
	first, events = r.id(), int(r.uvarint())
	return first, last, events, r.done()
}

// places appends the events that have a tag to dst, oldest first. all: they were not
// written down one by one.
func places(dst []event.ID, key, value []byte, t tag) (ids []event.ID, all bool, err error) {
	if err := checkKey(key, findKeyLen); err != nil {
		return dst, false, err
	}
	r, err := open(key, value)
	if err != nil {
		return dst, false, err
	}
	id := r.id()
	for len(r.b) > 0 {
		rest, at := r.take(tagRestLen), r.bytes()
		if r.bad || tagOf(key[21], rest) != t {
			continue
		}
		all = len(at) == 0
		dst, err = appendIDs(dst, key, id, at)
		return dst, all, err
	}
	return dst, false, r.done()
}

func tagOf(shard byte, rest []byte) tag {
	return tag(shard)<<40 | tag(rest[0])<<32 | tag(binary.BigEndian.Uint32(rest[1:]))
}

func appendIDs(dst []event.ID, key []byte, id event.ID, at []byte) ([]event.ID, error) {
	r := reader{b: at, key: key}
	ms, seq := id.Time(), sequenceOf(id)
	for len(r.b) > 0 {
		ms += r.uvarint()
		seq += r.uvarint()
		_ = id.SetTime(ms)
		putMillis(id[10:], seq)
		dst = append(dst, id)
	}
	return dst, r.done()
}
