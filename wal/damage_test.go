package wal

import (
	"bytes"
	"testing"

	"github.com/cockroachdb/pebble/v2"

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
