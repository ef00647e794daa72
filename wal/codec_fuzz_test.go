package wal

import (
	"bytes"
	"encoding/hex"
	"hash/crc32"
	"testing"

	"posthaste/event"
)

func crcOf(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// The fuzzers put a good header before what they are given, so that it reaches
// the fields. What can be decoded must come out the same when it is encoded and
// decoded once more.

// addGolden seeds a fuzzer with the bodies of the golden records of a kind.
func addGolden(f *testing.F, kind byte) {
	f.Helper()
	f.Add([]byte{})
	for _, r := range goldenRecords {
		key, _ := hex.DecodeString(r.key)
		value, _ := hex.DecodeString(r.value)
		if key[0] == kind {
			f.Add(value[recordHeaderLen:])
		}
	}
}

func sealedBody(key, body []byte) []byte {
	value := append(make([]byte, recordHeaderLen), body...)
	seal(value, key)
	return value
}

func FuzzDecodeEvent(f *testing.F) {
	addGolden(f, kindEvent)
	key := appendEventKey(nil, idOf(1), event.DeliveryID(goldenClock, 1, 2))
	f.Fuzz(func(t *testing.T, body []byte) {
		value := sealedBody(key, body)
		ev, data, err := decodeMeta(key, value)
		if err != nil {
			return
		}
		ev.Data = data
		sameAgain(t, key, &ev.Event)
	})
}

func FuzzDecodeEventOfVersion2(f *testing.F) {
	for _, r := range goldenRecords {
		if value, _ := hex.DecodeString(r.value); r.name == "event" && value[0] == eventVersion2 {
			f.Add(value[recordHeaderLen:])
		}
	}
	key := appendEventKey(nil, idOf(1), event.DeliveryID(goldenClock, 1, 2))
	f.Fuzz(func(t *testing.T, body []byte) {
		ev, data, err := decodeMeta(key, append([]byte{eventVersion2, 0, 0, 0, 0}, body...))
		if err != nil {
			return
		}
		ev.Data = data
		sameAgain(t, key, &ev.Event)
	})
}

// sameAgain encodes and decodes an event.
func sameAgain(t *testing.T, key []byte, ev *event.Event) {
	again, err := decodeEvent(key, sealedEvent(key, ev, 7))
	if err != nil {
		t.Fatal(err)
	}
	for i := range again.Owed {
		again.Owed[i].ID = ev.Owed[i].ID // of another sequence
	}
	if err := sameEvent(again, ev); err != nil {
		t.Fatal(err)
	}
}

func FuzzDecodeHealth(f *testing.F) {
	addGolden(f, kindHealth)
	key := appendHealthKey(nil, idOf(3), 256)
	f.Fuzz(func(t *testing.T, body []byte) {
		h, err := decodeHealth(key, sealedBody(key, body))
		if err != nil {
			return
		}
		again, err := decodeHealth(key, sealedBody(key, appendHealthBody(nil, &h)))
		if err != nil || again != h {
			t.Fatalf("got %+v, %v, want %+v", again, err, h)
		}
	})
}

func FuzzDecodeDelivery(f *testing.F) {
	addGolden(f, kindDelivery)
	key := appendDeliveryKey(nil, event.DeliveryID(goldenClock, 1, 2), 256, 0)
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := decodeDelivery(key, sealedBody(key, body))
		if err != nil {
			return
		}
		again, err := decodeDelivery(key, sealedBody(key, appendDeliveryBody(nil, &d)))
		if err != nil || again != d {
			t.Fatalf("got %+v, %v, want %+v", again, err, d)
		}
	})
}

func FuzzDecodeOutcome(f *testing.F) {
	addGolden(f, kindDelivery)
	key := appendDeliveryKey(nil, event.DeliveryID(goldenClock, 1, 2), 256, 2)
	reencode := func(body []byte) ([]byte, error) {
		var s event.Settlement
		var a event.Attempt
		holds, err := decodeOutcome(key, sealedBody(key, body), &s.Delivery, &a)
		if holds {
			s.Attempt = &a
		}
		return appendOutcomeBody(nil, &s), err
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		once, err := reencode(body)
		if err != nil {
			return
		}
		twice, err := reencode(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("got %x, %v, want %x", twice, err, once)
		}
	})
}

func FuzzDecodeTimer(f *testing.F) {
	addGolden(f, kindTimer)
	key := appendTimerKey(nil, idOf(3), 256, goldenClock, event.DeliveryID(goldenClock, 1, 2))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := decodeTimer(key, sealedBody(key, body))
		if err != nil {
			return
		}
		again, err := decodeTimer(key, sealedBody(key, appendTimerBody(nil, &d)))
		if err != nil || again != d {
			t.Fatalf("got %+v, %v, want %+v", again, err, d)
		}
	})
}

// FuzzDecodeOthers: no other record, whatever its key, is more than refused.
func FuzzDecodeOthers(f *testing.F) {
	f.Add([]byte{})
	for _, r := range goldenRecords {
		key, _ := hex.DecodeString(r.key)
		value, _ := hex.DecodeString(r.value)
		if len(value) >= recordHeaderLen {
			f.Add(append(key, value[recordHeaderLen:]...))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, keyLen := range []int{goneKeyLen, sizeKeyLen, leftKeyLen, jobKeyLen, stretchKeyLen, findKeyLen, len(text)} {
			key := text[:min(keyLen, len(text))]
			value := sealedBody(key, text[len(key):])
			_, _, _ = decodeGone(key, value)
			_, _, _, _ = decodeSize(key, value)
			_, _ = decodeLeft(key, value)
			_, _ = decodeJob(key, value)
			_, _, _, _ = decodeStretch(key, value)
			_, _ = readHead(key, value)
			ids, _, _ := places(nil, key, value, tag(0))
			if len(ids) > len(text) {
				t.Fatalf("%d places in %d bytes", len(ids), len(text))
			}
		}
	})
}
