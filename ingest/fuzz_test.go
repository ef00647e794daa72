package ingest

import (
	"encoding/json"
	"slices"
	"testing"

	"posthaste/event"
)

// Whatever the body, the answer is an envelope, and what reaches the engine is
// what encoding/json reads in the body.
func FuzzBody(f *testing.F) {
	f.Add(uint8(0), []byte(single(`,"custom_headers":{"X-A":"\u0041"},"idempotency_key":"é"`)))
	f.Add(uint8(0), []byte(`{"app_id":"`+endpoint.String()+`","event_type":"x","data":1}`))
	f.Add(uint8(1), []byte(`{"owner_id":"a\tb","event_type":"x","data":null}`))
	f.Add(uint8(2), []byte("["+single("")+`,{"data":1},7]`))
	f.Add(uint8(2), []byte(`[{"broadcast":true,"event_type":"x","data":1},{"broadcast":false,"app_id":"`+endpoint.String()+`","event_type":"x","data":1}]`))
	f.Add(uint8(3), []byte(single("")+"\n{\n"+single("")))
	f.Add(uint8(4), []byte(gzipped(f, single(""))))
	f.Add(uint8(5), []byte(zstded(f, "["+single("")+"]", true)))
	f.Add(uint8(6), []byte(`{"event_type":"x","data":1,"acknowledged_at":null,"custom_headers":null}`))
	f.Add(uint8(7), []byte(`{"url":"https://a.example","secret":"\u0073","event_types":["a","\u0062"],"event_type":"x","data":1}`))
	f.Add(uint8(7), []byte(`{"url":"u","event_types":[[]],"event_type":"x","data":1}`))
	calls := []call{
		{}, {path: "/events/fanout"}, {path: "/events/batch"}, {path: "/events/batch", media: "application/x-ndjson"},
		{encoding: "gzip"}, {path: "/events/batch", encoding: "zstd"}, {path: "/events/broadcast"}, {path: "/events/dynamic"},
		{target: "/api/v1/events/dynamic"},
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
			checkAgainstJSON(t, body, &w.mu.subs[0])
		}
	})
}

func checkSubmission(t *testing.T, sub *event.Submission) {
	t.Helper()
	e := &sub.Event
	if !json.Valid(e.Data) || e.Type == "" || len(e.Type) > event.MaxNameBytes || !printable([]byte(e.Type+e.IdempotencyKey+e.OwnerID)) || len(e.Headers) > event.MaxCustomHeaders {
		t.Fatalf("submission %+v", sub)
	}
	if (sub.EndpointID != event.ID{}) != (sub.To == event.ToEndpoint) || (sub.AppID != event.ID{}) != (sub.To == event.ToApp) ||
		(e.OwnerID != "") != (sub.To == event.ToOwner) || (sub.Dynamic != nil) != (sub.To == event.ToDynamic) {
		t.Fatalf("addressee of %+v", sub)
	}
	if d := sub.Dynamic; d != nil && (d.URL == "" || len(d.URL) > event.MaxURLBytes || len(d.Secret) > event.MaxSecretBytes || len(d.EventTypes) > maxDynamicTypes || slices.Contains(d.EventTypes, "")) {
		t.Fatalf("dynamic %+v", d)
	}
}

func checkAgainstJSON(t *testing.T, body []byte, sub *event.Submission) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		t.Fatalf("%q was accepted: %v", body, err)
	}
	text := func(name string) (s string) {
		if err := json.Unmarshal(members[name], &s); err != nil {
			t.Fatalf("%s of %q: %v", name, body, err)
		}
		return s
	}
	if text("event_type") != sub.Event.Type || string(members["data"]) != string(sub.Event.Data) {
		t.Fatalf("%q: type %q, data %q", body, sub.Event.Type, sub.Event.Data)
	}
	if sub.Dynamic == nil {
		return
	}
	var types []string
	if raw := members["event_types"]; len(raw) > 0 && string(raw) != `""` {
		if err := json.Unmarshal(raw, &types); err != nil {
			t.Fatalf("event_types of %q: %v", body, err)
		}
	}
	if text("url") != sub.Dynamic.URL || !slices.Equal(types, sub.Dynamic.EventTypes) {
		t.Fatalf("%q: %+v", body, sub.Dynamic)
	}
}
