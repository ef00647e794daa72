package ingest

import (
	"strings"
	"testing"
	"unsafe"

	"posthaste/event"
)

func TestBatchKeepsItsBytes(t *testing.T) {
	w := &world{}
	line := `{"owner_id":"acme","event_type":"order.created","idempotency_key":"k","custom_headers":{"X-A":"1"},"data":"` + strings.Repeat("x", 1000) + `"}` + "\n"
	large := `{"owner_id":"acme","event_type":"large","data":"` + strings.Repeat("y", chunkBytes) + `"}` + "\n"
	do(t, w.ingest(), call{path: "/events/batch", media: "application/x-ndjson", body: strings.Repeat(line, 100) + large + strings.Repeat(line, 100)})
	if len(w.mu.subs) != 201 {
		t.Fatalf("%d events", len(w.mu.subs))
	}
	for i := range w.mu.subs {
		e := &w.mu.subs[i].Event
		if e.Type == "large" {
			if cap(e.Data) != len(e.Data) || len(e.Data) != chunkBytes+2 {
				t.Errorf("the large event's data: length %d, capacity %d", len(e.Data), cap(e.Data))
			}
			continue
		}
		if !strings.HasPrefix(string(e.Data), `"xxx`) || e.Type != "order.created" || e.OwnerID != "acme" || e.IdempotencyKey != "k" || e.Headers[0] != (event.Header{Name: "X-A", Value: "1"}) {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
}

func TestArenaChunks(t *testing.T) {
	a := arena{rest: 200 * 1000}
	chunks := map[*byte]int{}
	for range 200 {
		if w := a.reserve(1000); len(w) != 0 || cap(w) != 1000 {
			t.Fatalf("room of length %d, capacity %d", len(w), cap(w))
		}
		chunks[unsafe.SliceData(a.chunk)]++
		if cap(a.chunk) > chunkBytes {
			t.Fatalf("a chunk of %d bytes", cap(a.chunk))
		}
	}
	if want := (200 + 31) / 32; len(chunks) != want {
		t.Errorf("%d chunks, want %d", len(chunks), want)
	}
}

func TestArenaIsAsLargeAsWhatIsLeft(t *testing.T) {
	a := arena{rest: 300}
	w := a.reserve(100)
	if got := w.copy([]byte("abc")); string(got) != "abc" || cap(got) != 3 || cap(a.chunk) < 300 || cap(a.chunk) >= chunkBytes {
		t.Errorf("%q, chunk of %d", got, cap(a.chunk))
	}
	first := unsafe.SliceData(a.chunk)
	a.reserve(200)
	if unsafe.SliceData(a.chunk) != first || w.copy(nil) != nil {
		t.Error("the second event is not in the first one's chunk")
	}
}
