package wal

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// damage changes the last byte of every record of a kind, under Pebble's own
// checksums: only the record's can find it.
func damage(t *testing.T, l *Log, kind byte) {
	t.Helper()
	damaged := 0
	for _, r := range records(t, l) {
		if r.key[0] == kind {
			value := bytes.Clone(r.value)
			value[len(value)-1] ^= 1
			must(t, l.db.Set(r.key, value, pebble.Sync))
			damaged++
		}
	}
	if damaged == 0 {
		t.Fatalf("no record of kind %c", kind)
	}
}

func goldenEventID(l *Log) event.ID { return event.DeliveryID(goldenClock, l.node, 0x010203040506) }

func goldenDeliveryID(*Log) event.ID {
	return event.DeliveryID(goldenClock, event.EndpointHash(idOf(2)), 0x010203040507)
}

// TestBitFlipInTheWriteAheadLog of a store that was just made: it is found when the
// store is opened, at whatever place.
func TestBitFlipInTheWriteAheadLog(t *testing.T) {
	const events = 300
	mem := vfs.NewCrashableMem()
	o := testOptions(mem)
	o.MemTableBytes = 4 << 20 // one log
	l := openLog(t, o)
	for i := range events {
		appendOne(t, l, post(idOf(1), fmt.Sprintf("%0500d", i), idOf(2)))
	}
	size := len(longestLog(t, mem.CrashClone(vfs.CrashCloneCfg{})))
	if size < 4*recordBlock {
		t.Fatalf("the log has %d bytes only", size)
	}
	for at := 0; at < size; at += 5003 {
		crashed := mem.CrashClone(vfs.CrashCloneCfg{})
		longestLog(t, crashed)[at] ^= 4
		damaged, err := Open(testOptions(crashed))
		if err == nil {
			n := len(stored(t, damaged))
			must(t, damaged.Close())
			t.Errorf("a flipped bit at %d of %d was not found; %d of %d events are left", at, size, n, events)
		}
	}
	untouched := openLog(t, testOptions(mem.CrashClone(vfs.CrashCloneCfg{})))
	if n := len(stored(t, untouched)); n != events {
		t.Errorf("%d of %d events without any flip", n, events)
	}
}

// longestLog is the longest write-ahead log, as far as it was written.
func longestLog(t *testing.T, fs *vfs.MemFS) (longest []byte) {
	t.Helper()
	names, err := fs.List("log")
	must(t, err)
	for _, name := range names {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		b, err := fs.UnsafeGetFileDataBuffer("log/" + name)
		must(t, err)
		if b = bytes.TrimRight(b, "\x00"); len(b) > len(longest) {
			longest = b
		}
	}
	return longest
}
