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
// but where none works for long, and not for lack of space, the disk is broken, and the
// failure is final. Else all memtables would be full some day, and who writes would
// wait for good.
type trouble struct {
	since atomic.Int64 // Unix nanoseconds of the first failure; 0: none since the last success
}

// failed notes a failure, and reports whether they have lasted for longer than patience.
func (t *trouble) failed(err error, patience time.Duration) bool {
	now := time.Now().UnixNano()
	if t.since.CompareAndSwap(0, now) || isFull(err) {
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
			if l.trouble.failed(err, l.o.tablePatience) {
				go l.fail(err) // whoever calls this holds the lock of the store
			}
		},
		FlushEnd:       func(info pebble.FlushInfo) { l.trouble.ended(info.Err) },
		CompactionEnd:  func(info pebble.CompactionInfo) { l.trouble.ended(info.Err) },
		WALCreated:     l.walCreated,
		DataCorruption: l.corrupted,
	}
}
