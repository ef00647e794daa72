package wal

import (
	"hash/crc32"
	"testing"

	"posthaste/event"
)

// codecCase is a kind of record, to be encoded and decoded as the log does.
type codecCase struct {
	name       string
	key, value []byte
	encode     func(dst []byte) []byte // with header and checksum
	decode     func(key, value []byte) error
}

func codecCases() []codecCase {
	ev := benchPost(idOf(100)).Event
	ev.ID, ev.IdempotencyKey = event.DeliveryID(goldenClock, 1, 1), "order-01HF8Z6Q3V7K2-created"
	ev.Headers = []event.Header{{Name: "X-Tenant", Value: "acme"}}
	d := ev.Owed[0]
	d.ID, d.EventID, d.ProjectID = event.DeliveryID(goldenClock, event.EndpointHash(d.EndpointID), 2), ev.ID, ev.ProjectID
	s := benchSettlement(d.EndpointID)
	retry := attempted(d, event.Retry).Delivery

	eventKey := appendEventKey(nil, ev.ProjectID, ev.ID)
	deliveryKey := appendDeliveryKey(nil, d.ID, event.DefaultPartitions, 0)
	attemptKey := appendDeliveryKey(nil, d.ID, event.DefaultPartitions, 2)
	timerKey := appendTimerKey(nil, d.EndpointID, event.DefaultPartitions, timeMillis(retry.Due), d.ID)
	sealed := func(key []byte, body func(dst []byte) []byte) func(dst []byte) []byte {
		return func(dst []byte) []byte {
			dst = body(append(dst, make([]byte, recordHeaderLen)...))
			seal(dst, key)
			return dst
		}
	}
	return []codecCase{
		{"event", eventKey, nil, func(dst []byte) []byte {
			dst = appendEventMeta(dst, &ev)
			sealEvent(dst, eventKey, crc32.Checksum(ev.Data, castagnoli))
			return append(dst, ev.Data...)
		}, func(key, value []byte) error { _, err := decodeEvent(key, value); return err }},
		{"delivery", deliveryKey, nil,
			sealed(deliveryKey, func(dst []byte) []byte { return appendDeliveryBody(dst, &d) }),
			func(key, value []byte) error { _, err := decodeDelivery(key, value); return err }},
		{"attempt", attemptKey, nil,
			sealed(attemptKey, func(dst []byte) []byte { return appendOutcomeBody(dst, &s) }),
			func(key, value []byte) error {
				var d event.Delivery
				var a event.Attempt
				_, err := decodeOutcome(key, value, &d, &a)
				return err
			}},
		{"timer", timerKey, nil,
			sealed(timerKey, func(dst []byte) []byte { return appendTimerBody(dst, &retry) }),
			func(key, value []byte) error { _, err := decodeTimer(key, value); return err }},
	}
}

// BenchmarkCodec encodes one record of each kind into memory that is there, and decodes it
// into memory of its own.
func BenchmarkCodec(b *testing.B) {
	for _, c := range codecCases() {
		c.value = c.encode(nil)
		b.Run("record="+c.name+"/op=encode", func(b *testing.B) {
			b.SetBytes(int64(len(c.value)))
			b.ReportAllocs()
			buf := make([]byte, 0, len(c.value))
			for b.Loop() {
				buf = c.encode(buf[:0])
			}
		})
		b.Run("record="+c.name+"/op=decode", func(b *testing.B) {
			b.SetBytes(int64(len(c.value)))
			b.ReportAllocs()
			for b.Loop() {
				must(b, c.decode(c.key, c.value))
			}
		})
	}
}

// TestEncodingAllocatesNothing: what a worker or an intake encodes goes into memory that is
// used again.
func TestEncodingAllocatesNothing(t *testing.T) {
	for _, c := range codecCases() {
		buf := make([]byte, 0, 4096)
		if n := testing.AllocsPerRun(100, func() { buf = c.encode(buf[:0]) }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
		must(t, c.decode(c.key, buf))
	}
}
