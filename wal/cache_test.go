package wal

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// TestMemtablesLeaveTheCache: Pebble takes the memory of memtables from the block cache.
// However many of them have been written, blocks that were read are kept.
func TestMemtablesLeaveTheCache(t *testing.T) {
	o := testOptions(vfs.NewMem())
	o.CacheBytes, o.MemTableBytes = 512<<10, 256<<10
	l := openLog(t, o)
	recoverAll(t, l)
	subs := make([]event.Submission, 50)
	for l.db.Metrics().Flush.Count < 8 {
		for i := range subs {
			subs[i] = post(idOf(1), "", idOf(2))
			subs[i].Event.Data = make([]byte, 2000)
		}
		must(t, l.Append(t.Context(), subs))
	}
	must(t, l.db.Flush())
	for range 3 {
		if _, err := l.Event(idOf(1), subs[0].Event.ID); err != nil {
			t.Fatal(err)
		}
	}
	if c := l.db.Metrics().BlockCache; c.Hits == 0 || c.Size == 0 {
		t.Errorf("read three times: %d hits, %d misses, %d bytes are kept", c.Hits, c.Misses, c.Size)
	}
}
