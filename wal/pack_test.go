package wal

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// fillTables appends n events of 1 KiB, and writes tables every so often.
func fillTables(t *testing.T, l *Log, n, flushEvery int) (ids []event.ID) {
	t.Helper()
	for i := range n {
		ev := appendOne(t, l, post(idOf(1), orderJSON(i), idOf(2)))
		st := attempted(ev.Owed[0], event.Success)
		must(t, l.Settle(&st))
		ids = append(ids, ev.ID)
		if i%flushEvery == flushEvery-1 {
			must(t, l.Flush())
			must(t, l.db.Flush())
		}
	}
	return ids
}

func orderJSON(i int) string {
	s := fmt.Sprintf(`{"id":%d`, i*7919)
	for k := range 24 {
		s += fmt.Sprintf(`,"item_%d":{"sku":"%x","quantity":%d}`, k, uint32(i*2654435761+k*40503), (i+k)%9)
	}
	return s + "}"
}

// Packed events are the same, and take less of the disk.
func TestPack(t *testing.T) {
	l := openLog(t, testOptions(vfs.NewMem()))
	ids := fillTables(t, l, 3000, 500)
	values := func() uint64 { return l.db.Metrics().BlobFiles.LiveSize }
	before := values()
	must(t, l.pack(context.Background()))
	if after := values(); after == 0 || after > before*9/10 {
		t.Errorf("%d bytes of values became %d", before, after)
	}
	for i, id := range ids {
		ev, err := l.Event(idOf(1), id)
		must(t, err)
		if string(ev.Data) != orderJSON(i) {
			t.Fatalf("event %d is %s", i, ev.Data)
		}
	}
	if l.packer.packed != l.packer.committed.Load() || l.packer.packed == 0 {
		t.Errorf("%d bytes packed of %d", l.packer.packed, l.packer.committed.Load())
	}
}

// Under traffic compactions leave values where they are.
func TestCompactionsLeaveValues(t *testing.T) {
	l := openLog(t, testOptions(vfs.NewMem()))
	fillTables(t, l, 1200, 100)
	files := l.db.Metrics().BlobFiles.LiveCount
	must(t, l.db.Compact(context.Background(), []byte{kindDelivery}, []byte{kindEvent + 1}, false))
	if now := l.db.Metrics().BlobFiles.LiveCount; now != files || files < 12 {
		t.Errorf("%d files of values became %d", files, now)
	}
}

func TestPackingIsDue(t *testing.T) {
	var p packer
	looks := func(n int) bool {
		for range n - 1 {
			if p.due() {
				return true
			}
		}
		return p.due()
	}
	p.committed.Store(packBytes)
	if looks(packIdle) {
		t.Error("due before it was idle")
	}
	if !p.due() {
		t.Error("not due when idle for long enough")
	}
	p.packed, p.again = packBytes, 8*packBytes
	p.committed.Add(4*packBytes - 1)
	if looks(10) {
		t.Error("due with less than half that is new")
	}
	p.committed.Add(1)
	if !looks(packIdle + 1) {
		t.Error("not due with half that is new")
	}
}

// A compaction that the tables of the replayed log set off does not hold up Open: in
// the store that replays it there is none.
func TestOpenWaitsForNoCompaction(t *testing.T) {
	fs := vfs.NewCrashableMem()
	l := openLog(t, testOptions(fs))
	fillTables(t, l, 1900, 100) // 19 tables above each other, where 20 are compacted
	fillTables(t, l, 100, 1000)
	must(t, l.Flush())
	crashed := func() Options { return testOptions(plainReuse{fs.CrashClone(vfs.CrashCloneCfg{})}) }
	replayed, err := newLog(crashed())
	must(t, err)
	quiet := replayed.pebbleOptions()
	quiet.DisableAutomaticCompactions = true
	must(t, replayed.openWith(quiet))
	if m := replayed.db.Metrics(); m.Flush.Count == 0 || m.Compact.Count+m.Compact.NumInProgress != 0 {
		t.Errorf("%d flushes, %d compactions", m.Flush.Count, m.Compact.Count+m.Compact.NumInProgress)
	}
	must(t, replayed.db.Close())
	again := openLog(t, crashed())
	if n := again.db.Metrics().Levels[0].TablesFlushed; n != 0 {
		t.Errorf("the store that serves replayed the log itself: %d tables", n)
	}
	fillTables(t, again, 100, 100)
	for deadline := time.Now().Add(30 * time.Second); again.db.Metrics().Compact.Count == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("an open log compacts nothing")
		}
	}
}
