package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

func TestPayloadSizes(t *testing.T) {
	for size := MinPayloadBytes; size < 1300; size++ {
		p := appendPayload(nil, size, uint64(size))
		if len(p) != size || !json.Valid(p) {
			t.Fatalf("size %d: %d bytes, valid %t: %s", size, len(p), json.Valid(p), p)
		}
	}
	if a, b := appendPayload(nil, 1024, 7), appendPayload(nil, 1024, 7); !bytes.Equal(a, b) {
		t.Error("equal seeds make different payloads")
	}
	if a, b := appendPayload(nil, 1024, 7), appendPayload(nil, 1024, 8); bytes.Equal(a, b) {
		t.Error("different seeds make equal payloads")
	}
}

func TestStamp(t *testing.T) {
	p := appendPayload(nil, 256, 1)
	for _, seq := range []uint64{0, 7, measuredFirst + 123, 9_999_999_999_999_999} {
		stampPayload(p, seq, 1795278039123456789)
		if !json.Valid(p) || len(p) != 256 {
			t.Fatalf("stamped payload is broken: %s", p)
		}
		envelope := fmt.Appendf(nil, `{"endpoint_id":"01J","event_type":"x","data":%s}`, p)
		for _, body := range [][]byte{p, envelope} {
			got, sent, ok := readStamp(body)
			if !ok || got != seq || sent != 1795278039123456789 {
				t.Errorf("read %d, %d, %t from %.120s", got, sent, ok, body)
			}
		}
	}
}

func TestReadStampRefuses(t *testing.T) {
	p := appendPayload(nil, 256, 1)
	far := append(bytes.Repeat([]byte(" "), seqWithin), p...)
	wrong := bytes.Replace(p, []byte(`"seq":"0`), []byte(`"seq":"x`), 1)
	for _, body := range [][]byte{nil, []byte("{}"), p[:seqAt+seqDigits], p[:sentAt+sentDigits-1], far, wrong} {
		if seq, sent, ok := readStamp(body); ok {
			t.Errorf("read %d, %d from %.80q", seq, sent, body)
		}
	}
}

func FuzzReadStamp(f *testing.F) {
	f.Add(appendPayload(nil, 200, 1))
	f.Fuzz(func(t *testing.T, body []byte) {
		seq, _, ok := readStamp(body)
		if want := fmt.Sprintf("%s%016d", seqKey, seq); ok && !bytes.Contains(body, []byte(want)) {
			t.Errorf("read %d from %q", seq, body)
		}
	})
}

func TestTemplates(t *testing.T) {
	l := &Load{Mode: ModeBatch, Connections: 2, Endpoints: []string{"E0", "E1", "E2"}, BatchSize: 10, PayloadBytes: 200}
	body := newTemplate(l, 1, 0).stamp(500, 4, 42)
	lines := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	if len(lines) != 4 {
		t.Fatalf("a batch of 4 has %d lines", len(lines))
	}
	for i, line := range lines {
		var ev fakeEvent
		if err := json.Unmarshal(line, &ev); err != nil {
			t.Fatal(err)
		}
		seq, sent, ok := readStamp(ev.Data)
		if !ok || seq != uint64(500+i) || sent != 42 || ev.EventType != eventType || len(ev.Data) != 200 {
			t.Errorf("line %d: seq %d, sent %d, %t, type %q, %d bytes", i, seq, sent, ok, ev.EventType, len(ev.Data))
		}
		if want := l.Endpoints[(40+i)%3]; ev.EndpointID != want {
			t.Errorf("line %d goes to %s, want %s", i, ev.EndpointID, want)
		}
	}
	l.Mode = ModeBare
	if body := newTemplate(l, 0, 0).stamp(1, 1, 1); len(body) != 200 || !json.Valid(body) {
		t.Errorf("bare body: %s", body)
	}
	l.Mode = ModeSingle
	if body := newTemplate(l, 0, 0).stamp(1, 1, 1); !json.Valid(body) || bytes.Contains(body, []byte("\n")) {
		t.Errorf("single body: %s", body)
	}
}
