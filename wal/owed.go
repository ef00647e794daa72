package wal

import (
	"bytes"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// maxScannedRows bounds how many rows one call of ReadOwed looks at, so that its
// caller gets its turn even where most rows are settled.
const maxScannedRows = 8192

// ReadOwed appends to dst the deliveries of an endpoint that have had no attempt
// yet, oldest first, with ids in (after, upTo], at most limit of them. last is how far it
// looked: the next call goes on there; last == upTo means that there is nothing more.
// It sees only what is committed, in one consistent view.
func (l *Log) ReadOwed(dst []event.Delivery, endpoint, after, upTo event.ID, limit int) (_ []event.Delivery, last event.ID, err error) {
	hash := event.EndpointHash(endpoint)
	it, err := l.db.NewIter(nil)
	if err != nil {
		return dst, after, err
	}
	defer func() {
		if cerr := it.Close(); err == nil {
			err = cerr
		}
	}()
	s := owedScan{l: l, it: it, endpoint: endpoint, upTo: upTo, last: after, dst: dst, room: limit, rows: maxScannedRows}
	for bucket := bucketOf(after.Time()); bucket <= bucketOf(upTo.Time()); bucket++ {
		bucket, err = s.bucket(bucket, hash, after)
		if err != nil || s.room == 0 || s.rows <= 0 {
			return s.dst, s.last, err
		}
	}
	return s.dst, upTo, it.Error()
}

// owedScan is one call of ReadOwed.
type owedScan struct {
	l        *Log
	it       *pebble.Iterator
	endpoint event.ID
	upTo     event.ID
	last     event.ID // every delivery up to here has been looked at
	dst      []event.Delivery
	room     int
	rows     int
	key      []byte
	prefix   []byte
}

// bucket reads the endpoint's rows of one bucket. It returns the bucket, or the
// last one before the next that has any delivery, so that empty ones are skipped.
func (s *owedScan) bucket(bucket, hash uint32, after event.ID) (uint32, error) {
	s.prefix = appendEndpointPrefix(s.prefix[:0], bucket, hash, s.l.partitions)
	s.key = append(s.key[:0], s.prefix...)
	if bucket == bucketOf(after.Time()) {
		s.key = appendBound(s.key[:0], after, hash, s.l.partitions, 0xFFFF)
	}
	valid := s.it.SeekGE(s.key)
	for valid && bytes.HasPrefix(s.it.Key(), s.prefix) && s.room > 0 && s.rows > 0 {
		var err error
		var past bool
		if valid, past, err = s.delivery(); err != nil || past {
			return bucket, err
		}
	}
	if err := s.it.Error(); err != nil {
		return bucket, err
	}
	return s.skipEmpty(bucket, valid), nil
}

func (s *owedScan) skipEmpty(bucket uint32, valid bool) uint32 {
	end := bucketOf(s.upTo.Time())
	if !valid || s.it.Key()[0] != kindDelivery {
		return end
	}
	next := bucketOfKey(s.it.Key())
	if next > bucket+1 {
		return min(next-1, end)
	}
	return bucket
}

// delivery looks at the delivery that the iterator stands on, and leaves the
// iterator behind its rows.
func (s *owedScan) delivery() (valid, past bool, err error) {
	id, row := deliveryKeyParts(s.it.Key())
	if id.Compare(s.upTo) > 0 {
		return true, true, nil
	}
	if row != 0 {
		return false, false, &CorruptError{bytesClone(s.it.Key()), "an outcome without its delivery"}
	}
	d, err := decodeDelivery(s.it.Key(), s.it.Value())
	if err != nil {
		return false, false, err
	}
	attempted := false
	s.rows--
	for valid = s.it.Next(); valid; valid = s.it.Next() {
		next, row := deliveryKeyPartsIf(s.it.Key())
		if row == 0 || next != id {
			break
		}
		attempted = true
		s.rows--
	}
	if !attempted && d.Status.Owed() && d.EndpointID == s.endpoint {
		s.dst = append(s.dst, d)
		s.room--
	}
	s.last = id
	return valid, false, nil
}

// deliveryKeyPartsIf is deliveryKeyParts for a key of any kind; row 0 for
// another kind.
func deliveryKeyPartsIf(key []byte) (event.ID, uint16) {
	if len(key) != deliveryKeyLen || key[0] != kindDelivery {
		return event.ID{}, 0
	}
	return deliveryKeyParts(key)
}

// ReadTimers appends to dst the deliveries of an endpoint whose next attempt is
// due at or before until, in due order, beginning behind the entry (afterDue,
// afterID), at most limit of them. next is the due time of the first entry that was
// not returned, zero when there is none.
func (l *Log) ReadTimers(dst []event.Delivery, endpoint event.ID, afterDue uint64, afterID event.ID, until uint64, limit int) (_ []event.Delivery, next uint64, err error) {
	prefix := appendTimerPrefix(nil, endpoint, l.partitions)
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: successor(bytes.Clone(prefix))})
	if err != nil {
		return dst, 0, err
	}
	defer func() {
		if cerr := it.Close(); err == nil {
			err = cerr
		}
	}()
	from := append(appendTimerKey(nil, endpoint, l.partitions, afterDue, afterID), 0)
	for valid := it.SeekGE(from); valid; valid = it.Next() {
		_, due, _ := timerKeyParts(it.Key())
		if due > until || limit == 0 {
			return dst, due, it.Error()
		}
		d, err := decodeTimer(it.Key(), it.Value())
		if err != nil {
			return dst, 0, err
		}
		dst = append(dst, d)
		limit--
	}
	return dst, 0, it.Error()
}
