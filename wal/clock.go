package wal

import (
	"bytes"
	"errors"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// A group with new ids or outcomes says how late it is, so that ids of the next process are
// greater, and its clock goes on from there, also when the machine's went back. Recover alone
// would not see events that owe nothing.

// setClock writes the time, which is not before the newest id. The caller holds mu.
func (l *Log) setClock(g *group) {
	key := appendWatermarkKey(nil, newestID)
	_ = g.batch.Set(key, sealedMillis(key, l.nowLocked()), nil)
}

// readClock makes sure that new ids are greater than all that were made, and than the
// watermark.
func (l *Log) readClock() error {
	mark, err := watermarkOf(l.db, allPartitions)
	if err != nil {
		return err
	}
	newest, err := watermarkOf(l.db, newestID)
	if err == nil && newest == 0 { // a new store, or one of an older format
		newest, err = l.newestEvent()
	}
	l.clock = max(mark, newest+1)
	l.o.Clock.AtLeast(time.UnixMilli(int64(l.clock)))
	return err
}

// Now is the time by which ids are dated, and by which what is due should be: the
// machine's wall clock, but never before the newest id of the store, and never set back.
func (l *Log) Now() time.Time { return l.o.Clock.Now() }

// Newest is the time of the newest id, or of the newest outcome at the last start, or one just
// behind it; 1970 in a new store.
func (l *Log) Newest() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.UnixMilli(int64(l.clock)).UTC()
}

// newestEvent is the time of the newest event, found in the newest hour, with two
// look-ups for each project that has some there.
func (l *Log) newestEvent() (ms uint64, err error) {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindEvent}, UpperBound: []byte{kindEvent + 1}})
	if err != nil {
		return 0, err
	}
	if it.Last() {
		err = prefixes(it, kindEvent, bucketOfKey(it.Key()), len(event.ID{}), func(prefix []byte) error {
			if it.SeekLT(successor(bytes.Clone(prefix))) {
				ms = max(ms, eventKeyID(it.Key()).Time())
			}
			return it.Error()
		})
	}
	return ms, errors.Join(err, it.Error(), it.Close())
}
