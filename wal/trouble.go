package wal

import (
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// tableRest is how long Pebble waits before it writes a table again that failed. It
// tries thousands of times a second otherwise.
const tableRest = 100 * time.Millisecond

// trouble is flushes and compactions that fail. They are made again, until that works:
// but where none works for long, the disk is broken, and the failure is final. Else all
// memtables would be full some day, and who writes would wait for good. A disk without
// space is waited for, but not by Open, of which nobody could tell that it waits.
type trouble struct {
	since atomic.Int64 // Unix nanoseconds of the first failure; 0: none since the last success
}

// failed notes a failure, and reports whether they have lasted for longer than patience.
// One for lack of space counts unless space is waited for.
func (t *trouble) failed(err error, patience time.Duration, waits bool) bool {
	now := time.Now().UnixNano()
	if waits && isFull(err) {
		return false
	}
	if t.since.CompareAndSwap(0, now) {
		return false
	}
	since := t.since.Load()
	return since != 0 && now-since > int64(patience)
}

func (t *trouble) ended(err error) {
	if err == nil {
		t.since.Store(0)
	}
}

// listener is what Pebble tells of.
func (l *Log) listener() *pebble.EventListener {
	tell := l.noise.backgroundError(l.o.Logger)
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			tell(err)
			if l.trouble.failed(err, l.o.tablePatience, !l.space.opening.Load()) {
				go l.fail(err) // whoever calls this holds the lock of the store
			}
		},
		FlushEnd:       func(info pebble.FlushInfo) { l.trouble.ended(info.Err) },
		CompactionEnd:  func(info pebble.CompactionInfo) { l.trouble.ended(info.Err) },
		WALCreated:     l.walCreated,
		DataCorruption: l.corrupted,
	}
}
