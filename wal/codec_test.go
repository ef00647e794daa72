package wal

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

// TestEveryBitFlipIsFound changes each byte of each record, in the value and in
// the key, and cuts it at each length.
func TestEveryBitFlipIsFound(t *testing.T) {
	for _, r := range records(t, goldenLog(t)) {
		kind := dumpers[r.key[0]]
		if _, err := kind.value(r.key, r.value); err != nil {
			t.Fatalf("%s: %v", kind.name, err)
		}
		if r.key[0] == kindStatus || r.key[0] == kindReplay {
			continue // no value: all of it is in the key
		}
		for i := range r.value {
			for _, flip := range []byte{0x01, 0x80, 0xFF} {
				value := bytes.Clone(r.value)
				value[i] ^= flip
				wantCorrupt(t, kind.name, r.key, r.key, value)
			}
			wantCorrupt(t, kind.name, r.key, r.key, r.value[:i])
		}
		for i := 1; i < len(r.key); i++ {
			key := bytes.Clone(r.key)
			key[i] ^= 0x01
			wantCorrupt(t, kind.name, key, key, r.value)
		}
	}
}

func wantCorrupt(t *testing.T, name string, wantKey, key, value []byte) {
	t.Helper()
	_, err := dumpers[key[0]].value(key, value)
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || !errors.Is(err, ErrCorrupt) {
		t.Fatalf("%s key %x value %x: got error %v, want a CorruptError", name, key, value, err)
	}
	if !bytes.Equal(corrupt.Key, wantKey) || !strings.Contains(err.Error(), "corrupt record at key ") {
		t.Fatalf("%s: the error %q names key %x, want %x", name, err, corrupt.Key, wantKey)
	}
}

// TestShortBodiesUnderAGoodChecksum cuts the body before its last field and
// seals it again: the fields themselves have to be missed.
func TestShortBodiesUnderAGoodChecksum(t *testing.T) {
	for _, r := range records(t, goldenLog(t)) {
		if !bytes.ContainsRune([]byte{kindDelivery, kindTimer, kindWatermark, kindBehind, kindHealth, kindGone, kindSize}, rune(r.key[0])) {
			continue
		}
		for n := recordHeaderLen; n < len(r.value); n++ {
			value := bytes.Clone(r.value[:n])
			seal(value, r.key)
			wantCorrupt(t, dumpers[r.key[0]].name, r.key, r.key, value)
		}
	}
}

func TestShortEventMeta(t *testing.T) {
	key := appendEventKey(nil, idOf(1), idOf(9))
	ev := sampleEvent()
	meta := appendEventMeta(nil, ev)
	shortMeta(t, key, meta)
	shortMeta(t, key, appendEventMeta2(nil, ev))
}

func shortMeta(t *testing.T, key, meta []byte) {
	t.Helper()
	for n := range meta {
		value := bytes.Clone(meta[:n])
		if _, _, err := decodeMeta(key, value); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("cut at %d of %d: got error %v", n, len(meta), err)
		}
	}
}

func TestDecodersRefuseKeysOfAnotherLength(t *testing.T) {
	d, a := event.Delivery{}, event.Attempt{}
	for n := range 64 {
		key := make([]byte, n)
		value := make([]byte, recordHeaderLen+100)
		seal(value, key)
		if _, err := decodeEvent(key, value); n != eventKeyLen && !errors.Is(err, ErrCorrupt) {
			t.Errorf("event with a key of %d bytes: %v", n, err)
		}
		if _, err := decodeDelivery(key, value); n != deliveryKeyLen && !errors.Is(err, ErrCorrupt) {
			t.Errorf("delivery with a key of %d bytes: %v", n, err)
		}
		if _, err := decodeTimer(key, value); n != timerKeyLen && !errors.Is(err, ErrCorrupt) {
			t.Errorf("timer with a key of %d bytes: %v", n, err)
		}
		if _, err := decodeOutcome(key, value[:recordHeaderLen], &d, &a); !errors.Is(err, ErrCorrupt) {
			t.Errorf("outcome with a key of %d bytes: %v", n, err)
		}
	}
}

func TestUnknownRecordVersionIsRefused(t *testing.T) {
	for _, r := range records(t, goldenLog(t)) {
		if r.key[0] == kindStatus || r.key[0] == kindReplay {
			continue
		}
		value := bytes.Clone(r.value)
		value[0] = eventVersion2 + 1
		if _, err := dumpers[r.key[0]].value(r.key, value); err == nil || !strings.Contains(err.Error(), "version") {
			t.Errorf("%s of another version: got error %v", dumpers[r.key[0]].name, err)
		}
	}
}

func sampleEvent() *event.Event {
	return &event.Event{
		ID: idOf(9), ProjectID: idOf(1), Type: "a.b", IdempotencyKey: "key", OwnerID: "öwner",
		Headers: []event.Header{{Name: "X-A", Value: "1"}, {Name: "X-Empty", Value: ""}},
		Data:    []byte("{\n \"x\": 1.0 }"), ReceivedAt: time.UnixMilli(1_700_000_000_123).UTC(),
		Owed: []event.Delivery{{EndpointID: idOf(4)}, {EndpointID: idOf(5)}},
	}
}

// sealedEvent is the record as the log writes it.
func sealedEvent(key []byte, ev *event.Event, firstSeq uint64) []byte {
	meta := appendEventMeta(nil, ev)
	putMillis(meta[eventSeqOffset:], firstSeq)
	crc := crcOf(ev.Data)
	sealEvent(meta, key, crc)
	return append(meta, ev.Data...)
}

func TestEventRoundTrip(t *testing.T) {
	for name, change := range map[string]func(*event.Event){
		"all fields": func(*event.Event) {},
		"empty": func(e *event.Event) {
			*e = event.Event{ID: e.ID, ProjectID: e.ProjectID, ReceivedAt: time.UnixMilli(0).UTC()}
		},
		"large data":  func(e *event.Event) { e.Data = bytes.Repeat([]byte{0, 0xFF, '"'}, 400_000) },
		"long text":   func(e *event.Event) { e.Type = strings.Repeat("é", 300) },
		"many owed":   func(e *event.Event) { e.Owed = make([]event.Delivery, 300) },
		"no headers":  func(e *event.Event) { e.Headers = nil },
		"not unicode": func(e *event.Event) { e.OwnerID = "\xff\x00\xfe" },
	} {
		ev := sampleEvent()
		change(ev)
		key := appendEventKey(nil, ev.ProjectID, ev.ID)
		const firstSeq = 0x0102030405FF
		for i := range ev.Owed {
			d := &ev.Owed[i]
			d.EventID, d.ProjectID = ev.ID, ev.ProjectID
			d.ID = event.DeliveryID(ev.ID.Time(), event.EndpointHash(d.EndpointID), firstSeq+uint64(i))
		}
		got, err := decodeEvent(key, sealedEvent(key, ev, firstSeq))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := sameEvent(got, ev); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDecodedEventKeepsNothingOfTheValue: Pebble takes the value's memory back.
func TestDecodedEventKeepsNothingOfTheValue(t *testing.T) {
	ev := sampleEvent()
	key := appendEventKey(nil, ev.ProjectID, ev.ID)
	value := sealedEvent(key, ev, 1)
	got, err := decodeEvent(key, value)
	must(t, err)
	clear(value)
	if !bytes.Equal(got.Data, ev.Data) || got.Type != ev.Type || !reflect.DeepEqual(got.Headers, ev.Headers) {
		t.Errorf("changed with the value's memory: %+v", got)
	}
}

func sampleSettlement() *event.Settlement {
	d := event.Delivery{
		ID: event.DeliveryID(goldenClock, 77, 5), EventID: idOf(1), ProjectID: idOf(2), EndpointID: idOf(3), SubscriptionID: idOf(4),
		Status: event.Retry, Attempts: 3, Limit: 1000, Due: time.UnixMilli(goldenClock + 5).UTC(),
		UpdatedAt: time.UnixMicro(goldenClock*1000 + 7).UTC(), Manual: true, Reason: "because ü",
	}
	return &event.Settlement{Delivery: d, Attempt: &event.Attempt{
		DeliveryID: d.ID, EndpointID: d.EndpointID, Number: 3, Manual: true, URL: "https://h/p?q=ü",
		StartedAt: time.UnixMicro(goldenClock*1000 + 3).UTC(), Duration: 1234567 * time.Microsecond, StatusCode: 599,
		RequestHeaders: []byte("A: b\r\n"), ResponseHeaders: []byte("C: \xff\r\n"), ResponseBody: bytes.Repeat([]byte{0, 1}, 9000),
		BodyCut: true, Class: event.ClassStatus, Error: "no", Address: "[2001:db8::1]:443",
		Timing: event.Timing{Token: time.Microsecond, Lookup: 2 * time.Millisecond, Connect: 30 * time.Second, Handshake: 4 * time.Microsecond, Wait: time.Hour},
	}}
}

func TestDeliveryRoundTrip(t *testing.T) {
	want := event.Delivery{
		ID: event.DeliveryID(goldenClock, 77, 5), EventID: idOf(1), ProjectID: idOf(2), EndpointID: idOf(3), SubscriptionID: idOf(4),
		Status: event.Discarded, Reason: "because", UpdatedAt: event.TimeOf(event.DeliveryID(goldenClock, 77, 5)),
	}
	key := appendDeliveryKey(nil, want.ID, 256, 0)
	value := appendDeliveryBody(make([]byte, recordHeaderLen), &want)
	seal(value, key)
	if got, err := decodeDelivery(key, value); err != nil || got != want {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestOutcomeRoundTrip(t *testing.T) {
	for name, change := range map[string]func(*event.Settlement){
		"all fields":    func(*event.Settlement) {},
		"no attempt":    func(s *event.Settlement) { s.Attempt = nil },
		"zero attempt":  func(s *event.Settlement) { *s.Attempt = event.Attempt{StartedAt: time.UnixMicro(0).UTC()} },
		"zero times":    func(s *event.Settlement) { s.Delivery.Due, s.Delivery.UpdatedAt = time.Time{}, time.Time{}.UTC() },
		"not manual":    func(s *event.Settlement) { s.Attempt.Manual = false },
		"only a wait":   func(s *event.Settlement) { s.Attempt.Timing = event.Timing{Wait: time.Second} },
		"no timing":     func(s *event.Settlement) { s.Attempt.Timing = event.Timing{} },
		"body not cut":  func(s *event.Settlement) { s.Attempt.BodyCut = false },
		"clock stepped": func(s *event.Settlement) { s.Attempt.Duration = -time.Second },
	} {
		s := sampleSettlement()
		change(s)
		key := appendDeliveryKey(nil, s.Delivery.ID, 256, outcomeRow(s))
		value := appendOutcomeBody(make([]byte, recordHeaderLen), s)
		seal(value, key)
		got := event.Delivery{
			ID: s.Delivery.ID, EventID: s.Delivery.EventID, ProjectID: s.Delivery.ProjectID,
			EndpointID: s.Delivery.EndpointID, SubscriptionID: s.Delivery.SubscriptionID, Manual: s.Delivery.Manual,
		}
		var attempt event.Attempt
		holds, err := decodeOutcome(key, value, &got, &attempt)
		if err != nil || got != s.Delivery {
			t.Errorf("%s: got %+v, %v\nwant %+v", name, got, err, s.Delivery)
		}
		if holds != (s.Attempt != nil) {
			t.Errorf("%s: holds an attempt: %v", name, holds)
			continue
		}
		if holds {
			s.Attempt.DeliveryID, s.Attempt.EndpointID = got.ID, got.EndpointID
			if !reflect.DeepEqual(attempt, *s.Attempt) && !reflect.DeepEqual(attempt, withEmptyBytes(*s.Attempt)) {
				t.Errorf("%s: got %+v\nwant %+v", name, attempt, *s.Attempt)
			}
		}
	}
}

func TestTimingsOfAnotherKindAreRefused(t *testing.T) {
	s := sampleSettlement()
	s.Attempt.Timing = event.Timing{Wait: time.Microsecond}
	key := appendDeliveryKey(nil, s.Delivery.ID, 256, outcomeRow(s))
	value := appendOutcomeBody(make([]byte, recordHeaderLen), s)
	value[len(value)-2] |= 1 << 5 // which
	seal(value, key)
	var d event.Delivery
	if _, err := decodeOutcome(key, value, &d, new(event.Attempt)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("got error %v", err)
	}
}

func withEmptyBytes(a event.Attempt) event.Attempt {
	for _, b := range []*[]byte{&a.RequestHeaders, &a.ResponseHeaders, &a.ResponseBody} {
		if len(*b) == 0 {
			*b = nil
		}
	}
	return a
}

func TestTimerRoundTrip(t *testing.T) {
	want := sampleSettlement().Delivery
	want.UpdatedAt, want.Reason = time.Time{}, "" // not in a timer
	for _, manual := range []bool{true, false} {
		want.Manual = manual
		key := appendTimerKey(nil, want.EndpointID, 256, timeMillis(want.Due), want.ID)
		value := appendTimerBody(make([]byte, recordHeaderLen), &want)
		seal(value, key)
		if got, err := decodeTimer(key, value); err != nil || got != want {
			t.Errorf("got %+v, %v\nwant %+v", got, err, want)
		}
	}
}
