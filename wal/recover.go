package wal

import (
	"bytes"
	"encoding/binary"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// Recover tells of every endpoint of the partitions that owns selects whose health
// was marked, then of every one that may have deliveries waiting for their first
// attempt: it is behind from After on. Then it tells of every endpoint that has
// timers, with the first. Afterwards ids are greater than any that was found. It
// must be called before the first Append.
//
// It reads the deliveries since the watermark, which follows the present by
// about a second plus the longest first attempt in flight, one row for each
// endpoint that is behind or not well, and one for each that has timers: never the
// backlog.
func (l *Log) Recover(owns func(partition uint16) bool, behind func(event.Behind), timer func(event.Timer), health func(event.Health)) error {
	mark, err := watermarkOf(l.db, allPartitions)
	if err != nil {
		return err
	}
	r := recovery{l: l, from: mark, owns: owns, first: make(map[event.ID]event.ID)}
	err = readBehind(l.db, func(b event.Behind) {
		if r.owned(b.Endpoint) {
			r.first[b.Endpoint] = b.After
		}
	})
	if err != nil {
		return err
	}
	if err := r.readDeliveries(); err != nil {
		return l.named(err)
	}
	l.mu.Lock()
	l.horizon = max(l.clock, r.newest)
	l.clock = l.horizon + 1 // ids to come are beyond the horizon
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
	from   uint64 // watermark, ms
	newest uint64 // ms of the newest delivery found
	owns   func(uint16) bool
	first  map[event.ID]event.ID // endpoint to the place from which it is behind
}

func (r *recovery) owned(endpoint event.ID) bool {
	return r.owns(event.Partition(event.EndpointHash(endpoint), r.l.partitions))
}

// readBehind calls fn with every endpoint that is recorded as behind.
func readBehind(from pebble.Reader, fn func(event.Behind)) (err error) {
	it, err := from.NewIter(&pebble.IterOptions{LowerBound: []byte{kindBehind}, UpperBound: []byte{kindBehind + 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for valid := it.First(); valid; valid = it.Next() {
		b, err := decodeBehind(it.Key(), it.Value())
		if err != nil {
			return err
		}
		fn(b)
	}
	return it.Error()
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

// readDeliveries walks the rows since the watermark. Rows sort by bucket,
// partition, endpoint, time: it seeks past each endpoint's rows before the
// watermark.
func (r *recovery) readDeliveries() (err error) {
	lower := binary.BigEndian.AppendUint32([]byte{kindDelivery}, bucketOf(r.from))
	it, err := r.l.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: []byte{kindDelivery + 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	var seek []byte
	for valid := it.First(); valid; {
		id, _ := deliveryKeyParts(it.Key())
		if id.Time() < r.from {
			seek = append(seek[:0], it.Key()[:endpointLen]...)
			valid = it.SeekGE(appendMillis(seek, r.from))
			continue
		}
		if valid, err = r.delivery(it, id); err != nil {
			return err
		}
	}
	return it.Error()
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
	if !attempted && d.Status.Owed() && r.owned(d.EndpointID) {
		if after, known := r.first[d.EndpointID]; !known || id.Compare(after) <= 0 {
			r.first[d.EndpointID] = event.Before(id)
		}
	}
	return valid, nil
}

// readTimers tells of the first timer of each endpoint that has any.
func (r *recovery) readTimers(timer func(event.Timer)) (err error) {
	it, err := r.l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindTimer}, UpperBound: []byte{kindTimer + 1}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for valid := it.First(); valid; {
		ep, due, _ := timerKeyParts(it.Key())
		if r.owned(ep) {
			timer(event.Timer{Endpoint: ep, DueMilli: due})
		}
		next := successor(bytes.Clone(it.Key()[:19]))
		if next == nil {
			break
		}
		valid = it.SeekGE(next)
	}
	return it.Error()
}

// watermarkOf reads a partition's watermark; 0 when it has none.
func watermarkOf(from pebble.Reader, partition uint16) (uint64, error) {
	key := appendWatermarkKey(nil, partition)
	value, closer, err := from.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	r, err := open(key, value)
	if err != nil {
		return 0, err
	}
	ms := millis(r.take6())
	return ms, r.done()
}

func bucketOfKey(key []byte) uint32 { return binary.BigEndian.Uint32(key[1:]) }
