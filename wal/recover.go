package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// Recover tells of every endpoint of the partitions that owns selects whose health
// was marked, then of every one that may have deliveries waiting for their first
// attempt: it is behind from After on. Then it tells of every endpoint that has
// timers, with the first. Afterwards ids are greater than any that was found. The
// first call must come before the first Append. A later one is for partitions that
// are taken on at run time: it tells of all that was committed before it began, and
// may tell of what is committed meanwhile.
//
// It reads the deliveries since their partition's watermark, which follows the present
// by about a second plus the longest first attempt in flight, one row for each
// endpoint that is behind or not well, and one for each that has timers: never the
// backlog, and nothing of other partitions.
func (l *Log) Recover(owns func(partition uint16) bool, behind func(event.Behind), timer func(event.Timer), health func(event.Health)) error {
	marks, err := readWatermarks(l.db)
	if err != nil {
		return err
	}
	r := recovery{l: l, marks: marks, owns: owns, first: make(map[event.ID]event.ID)}
	err = readBehind(l.db, owns, func(b event.Behind) { r.first[b.Endpoint] = b.After })
	if err != nil {
		return err
	}
	if err := r.readDeliveries(); err != nil {
		return l.named(err)
	}
	l.mu.Lock()
	l.horizon = max(l.clock, r.newest)
	l.clock = l.horizon + 1 // ids to come are beyond the horizon
	l.o.Clock.AtLeast(time.UnixMilli(int64(l.clock)))
	l.mu.Unlock()
	if err := r.readHealth(health); err != nil {
		return err
	}
	for ep, after := range r.first {
		behind(event.Behind{Endpoint: ep, After: after})
	}
	return r.readTimers(timer)
}

// Horizon is an id between those that Recover found and those to come: what an
// endpoint that was behind at the start has to read up to.
func (l *Log) Horizon(endpoint event.ID) event.ID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return event.DeliveryID(l.horizon, event.EndpointHash(endpoint), event.MaxDeliverySeq)
}

// recovery is one call of Recover.
type recovery struct {
	l      *Log
	marks  watermarks
	newest uint64 // ms of the newest delivery found
	owns   func(uint16) bool
	first  map[event.ID]event.ID // endpoint to the place from which it is behind
}

// forOwned calls fn at the rows of a kind whose keys begin with a partition, those of
// the partitions that owns selects. fn moves the iterator on.
func forOwned(from pebble.Reader, kind byte, owns func(uint16) bool, fn func(it *pebble.Iterator) (valid bool, err error)) (err error) {
	it, err := from.NewIter(&pebble.IterOptions{LowerBound: []byte{kind}, UpperBound: []byte{kind + 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for valid := it.First(); valid; {
		if p := binary.BigEndian.Uint16(it.Key()[1:]); !owns(p) {
			valid = it.SeekGE(binary.BigEndian.AppendUint16([]byte{kind}, p+1))
			continue
		}
		if valid, err = fn(it); err != nil {
			return err
		}
	}
	return it.Error()
}

// readBehind calls fn with every endpoint that is recorded as behind.
func readBehind(from pebble.Reader, owns func(uint16) bool, fn func(event.Behind)) error {
	return forOwned(from, kindBehind, owns, func(it *pebble.Iterator) (bool, error) {
		b, err := decodeBehind(it.Key(), it.Value())
		if err == nil {
			fn(b)
		}
		return it.Next(), err
	})
}

func decodeBehind(key, value []byte) (b event.Behind, err error) {
	r, err := open(key, value)
	if err != nil {
		return b, err
	}
	copy(b.Endpoint[:], key[3:])
	b.After = r.id()
	return b, r.done()
}

// readDeliveries walks the rows since the watermarks. Rows sort by bucket,
// partition, endpoint, time: it seeks past partitions with nothing to find in a
// bucket, and past each endpoint's rows before the watermark.
func (r *recovery) readDeliveries() (err error) {
	it, err := r.l.db.NewIter(&pebble.IterOptions{LowerBound: r.oldest(), UpperBound: []byte{kindDelivery + 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	var seek []byte
	for valid := it.First(); valid; {
		id, _ := deliveryKeyParts(it.Key())
		partition := event.Partition(event.DeliveryEndpointHash(id), r.l.partitions)
		from, bucket := r.marks.of(partition), bucketOf(id.Time())
		switch {
		case !r.owns(partition) || bucket < bucketOf(from):
			valid = it.SeekGE(appendPartitionPrefix(seek[:0], bucket, partition+1))
		case id.Time() < from:
			seek = append(seek[:0], it.Key()[:endpointLen]...)
			valid = it.SeekGE(appendMillis(seek, from))
		default:
			if valid, err = r.delivery(it, id); err != nil {
				return err
			}
		}
	}
	return it.Error()
}

// oldest is where the rows begin that may have to be read.
func (r *recovery) oldest() []byte {
	from := uint64(1<<48 - 1)
	for p := range r.l.partitions {
		if r.owns(uint16(p)) {
			from = min(from, r.marks.of(uint16(p)))
		}
	}
	return binary.BigEndian.AppendUint32([]byte{kindDelivery}, bucketOf(from))
}

// delivery looks at the delivery the iterator stands on, and moves it on.
func (r *recovery) delivery(it *pebble.Iterator, id event.ID) (bool, error) {
	if _, row := deliveryKeyParts(it.Key()); row != 0 {
		return false, &CorruptError{bytesClone(it.Key()), "an outcome without its delivery"}
	}
	d, err := decodeDelivery(it.Key(), it.Value())
	if err != nil {
		return false, err
	}
	r.newest = max(r.newest, id.Time())
	attempted, valid := false, false
	for valid = it.Next(); valid; valid = it.Next() {
		if next, row := deliveryKeyPartsIf(it.Key()); row == 0 || next != id {
			break
		}
		attempted = true
	}
	if !attempted && d.Status.Owed() {
		if after, known := r.first[d.EndpointID]; !known || id.Compare(after) <= 0 {
			r.first[d.EndpointID] = event.Before(id)
		}
	}
	return valid, nil
}

// readTimers tells of the first timer of each endpoint that has any.
func (r *recovery) readTimers(timer func(event.Timer)) error {
	return forOwned(r.l.db, kindTimer, r.owns, func(it *pebble.Iterator) (bool, error) {
		ep, due, _ := timerKeyParts(it.Key())
		timer(event.Timer{Endpoint: ep, DueMilli: due})
		next := successor(bytes.Clone(it.Key()[:19]))
		return next != nil && it.SeekGE(next), nil
	})
}

func bucketOfKey(key []byte) uint32 { return binary.BigEndian.Uint32(key[1:]) }
