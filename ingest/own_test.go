package ingest

import (
	"strings"
	"testing"
	"unsafe"

	"posthaste/event"
)

func TestBatchKeepsItsBytes(t *testing.T) {
	const largeBytes = 32 << 10
	w := &world{}
	line := `{"owner_id":"acme","event_type":"order.created","idempotency_key":"k","custom_headers":{"X-A":"1"},"data":"` + strings.Repeat("x", 1000) + `"}` + "\n"
	large := `{"owner_id":"acme","event_type":"large","data":"` + strings.Repeat("y", largeBytes) + `"}` + "\n"
	do(t, w.ingest(), call{path: "/events/batch", media: "application/x-ndjson", body: strings.Repeat(line, 100) + large + strings.Repeat(line, 100)})
	if len(w.mu.subs) != 201 {
		t.Fatalf("%d events", len(w.mu.subs))
	}
	for i := range w.mu.subs {
		e := &w.mu.subs[i].Event
		if e.Type == "large" {
			if cap(e.Data) != len(e.Data) || len(e.Data) != largeBytes+2 {
				t.Errorf("the large event's data: length %d, capacity %d", len(e.Data), cap(e.Data))
			}
			continue
		}
		if !strings.HasPrefix(string(e.Data), `"xxx`) || e.Type != "order.created" || e.OwnerID != "acme" || e.IdempotencyKey != "k" || e.Headers[0] != (event.Header{Name: "X-A", Value: "1"}) {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
}

// An event's memory is one piece of exactly what it keeps.
func TestRoom(t *testing.T) {
	w := make(room, 0, 6)
	first, second := w.copy([]byte("abc")), w.copy([]byte("def"))
	if string(first) != "abc" || cap(first) != 3 || string(second) != "def" || w.copy(nil) != nil {
		t.Errorf("%q of %d, %q", first, cap(first), second)
	}
	if unsafe.Pointer(unsafe.SliceData(second)) != unsafe.Add(unsafe.Pointer(unsafe.SliceData(first)), 3) {
		t.Error("the second copy is not behind the first")
	}
}
