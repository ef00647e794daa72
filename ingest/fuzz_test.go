package ingest

import (
	"encoding/json"
	"testing"

	"posthaste/event"
)

// Whatever the body, the answer is an envelope, and what reaches the engine is
// what encoding/json reads in the body.
func FuzzBody(f *testing.F) {
	f.Add(uint8(0), []byte(single(`,"custom_headers":{"X-A":"\u0041"},"idempotency_key":"é"`)))
	f.Add(uint8(1), []byte(`{"owner_id":"a\tb","event_type":"x","data":null}`))
	f.Add(uint8(2), []byte("["+single("")+`,{"data":1},7]`))
	f.Add(uint8(3), []byte(single("")+"\n{\n"+single("")))
	f.Add(uint8(4), []byte(gzipped(f, single(""))))
	f.Add(uint8(5), []byte(zstded(f, single(""), true)))
	calls := []call{
		{}, {path: "/events/fanout"}, {path: "/events/batch"}, {path: "/events/batch", media: "application/x-ndjson"},
		{encoding: "gzip"}, {path: "/events/batch", encoding: "zstd"},
	}
	f.Fuzz(func(t *testing.T, way uint8, body []byte) {
		w := &world{}
		c := calls[int(way)%len(calls)]
		c.body = string(body)
		a := do(t, w.ingest(), c)
		if a.code >= 500 || (a.code == 201) != (len(w.mu.subs) > 0) {
			t.Fatalf("%d %s with %d submissions", a.code, a.body, len(w.mu.subs))
		}
		for i := range w.mu.subs {
			checkSubmission(t, &w.mu.subs[i])
		}
		if a.code == 201 && c.encoding == "" && c.path != "/events/batch" {
			checkAgainstJSON(t, body, &w.mu.subs[0].Event)
		}
	})
}

func checkSubmission(t *testing.T, sub *event.Submission) {
	t.Helper()
	e := &sub.Event
	if !json.Valid(e.Data) || e.Type == "" || len(e.Type) > event.MaxNameBytes || !printable([]byte(e.Type+e.IdempotencyKey+e.OwnerID)) ||
		(sub.EndpointID == event.ID{}) != (e.OwnerID != "") || len(e.Headers) > event.MaxCustomHeaders {
		t.Fatalf("submission %+v", sub)
	}
}

func checkAgainstJSON(t *testing.T, body []byte, e *event.Event) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatalf("%q was accepted: %v", body, err)
	}
	var eventType string
	if err := json.Unmarshal(members["event_type"], &eventType); err != nil || eventType != e.Type || string(members["data"]) != string(e.Data) {
		t.Fatalf("%q: type %q, data %q (%v)", body, e.Type, e.Data, err)
	}
}
