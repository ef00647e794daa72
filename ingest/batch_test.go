package ingest

import (
	"encoding/json"
	"strings"
	"testing"

	"posthaste/event"
)

type result struct {
	Status  bool
	UID     string
	Message string
}

func results(t *testing.T, a answered) []result {
	t.Helper()
	var all []result
	if err := json.Unmarshal(a.Data, &all); err != nil {
		t.Fatalf("answer %s: %v", a.body, err)
	}
	return all
}

// The items of a mixed batch and what is said of each.
var mixed = []struct{ item, message string }{
	{single(""), "Event queued successfully"},
	{`{"owner_id":"acme","event_type":"x","data":[1]}`, "Endpoint fanout event queued successfully"},
	{`{"owner_id":"acme","event_type":"x"}`, "data:please provide your data"},
	{single(`,"owner_id":"acme"`), "endpoint_id:please provide only one of endpoint_id and owner_id"},
	{single(`,"idempotency_key":"again"`), "Duplicate event received, but will not be sent"},
	{single(`,"idempotency_key":"conflict"`), refuseConflict.message},
	{single(`,"custom_headers":{"X-A":"1","Host":"x"}`), `custom_headers:"Host" is reserved, posthaste or the connection sets it`},
	{single(`,"custom_headers":{"X-B":"2"}`), "Event queued successfully"},
	{`{"event_type":"x","data":1}`, "endpoint_id:please provide an endpoint id, an app id, an owner id or broadcast"},
	{`{"event_type":"x","data":1,"app_id":"a"}`, "app_id:not an id: want 26 characters of Crockford base 32"},
}

func mixedWorld() *world {
	return &world{verdict: func(sub *event.Submission) error {
		if sub.Event.IdempotencyKey == "conflict" {
			return event.ErrConflict
		}
		return nil
	}}
}

func checkMixed(t *testing.T, w *world, a answered) {
	t.Helper()
	if a.code != 201 || a.Message != "4 accepted, 6 refused" {
		t.Fatalf("%d %s", a.code, a.body)
	}
	for i, r := range results(t, a) {
		ok := strings.HasPrefix(mixed[i].message, "E") || strings.HasPrefix(mixed[i].message, "D")
		if r.Message != mixed[i].message || r.Status != ok || (len(r.UID) == event.IDTextLen) != ok {
			t.Errorf("item %d: %+v, want %q", i, r, mixed[i].message)
		}
	}
	if w.mu.calls != 1 || len(w.mu.subs) != 5 {
		t.Errorf("%d calls of the engine with %d submissions", w.mu.calls, len(w.mu.subs))
	}
	if r := results(t, a); r[4].UID != first.String() || r[7].UID != w.mu.subs[4].Event.ID.String() {
		t.Errorf("ids %s, %s", r[4].UID, r[7].UID)
	}
	if h := w.mu.subs[4].Event.Headers; len(h) != 1 || h[0] != (event.Header{Name: "X-B", Value: "2"}) {
		t.Errorf("headers of the event after a refused one: %v", h)
	}
}

func TestMixedArray(t *testing.T) {
	var items []string
	for _, m := range mixed {
		items = append(items, m.item)
	}
	w := mixedWorld()
	checkMixed(t, w, do(t, w.ingest(), call{path: "/events/batch", body: " [" + strings.Join(items, " ,\n") + "]\n"}))
}

func TestMixedLines(t *testing.T) {
	var lines []string
	for _, m := range mixed {
		lines = append(lines, m.item, "", " \t\r")
	}
	w := mixedWorld()
	checkMixed(t, w, do(t, w.ingest(), call{path: "/events/batch", media: "application/x-ndjson; charset=utf-8", body: strings.Join(lines, "\n")}))
}

func TestBadLineRefusesThatLine(t *testing.T) {
	w := &world{}
	a := do(t, w.ingest(), call{path: "/events/batch", media: "application/x-ndjson", body: single("") + "\r\n\n{\"data\":tru}\n7\n" + single("")})
	if a.code != 201 || a.Message != "2 accepted, 2 refused" || len(w.mu.subs) != 2 {
		t.Fatalf("%d %s", a.code, a.body)
	}
	r := results(t, a)
	if r[1].Message != "line 3: invalid JSON: offset 11: want true, found '}'" || r[2].Message != "line 4: invalid JSON: offset 0: want '{', an object, found '7'" {
		t.Errorf("results %+v", r)
	}
}

func TestBadElementOfAnArray(t *testing.T) {
	w := &world{}
	a := do(t, w.ingest(), call{path: "/events/batch", body: "[7," + single("") + ",null]"})
	if r := results(t, a); a.code != 201 || len(r) != 3 || r[0].Message != "an event must be a JSON object" || !r[1].Status || r[2].Status {
		t.Errorf("%d %s", a.code, a.body)
	}
	for _, body := range []string{"[" + single("") + `,{"data":tru}]`, "[" + single("") + ",]", "[" + single(""), "[" + single("") + "]x", single(""), "", `[{"a":1},`} {
		w := &world{}
		a := do(t, w.ingest(), call{path: "/events/batch", body: body})
		if a.code != 400 || !strings.HasPrefix(a.Message, "invalid JSON: offset ") || a.Data != nil || w.mu.calls != 0 {
			t.Errorf("%q: %d %s", body, a.code, a.body)
		}
	}
}

func TestNothingAccepted(t *testing.T) {
	w := &world{verdict: func(*event.Submission) error { return event.ErrNotFound }}
	a := do(t, w.ingest(), call{path: "/events/batch", body: "[" + single("") + ",{}]"})
	if r := results(t, a); a.code != 400 || a.Message != "0 accepted, 2 refused" || len(r) != 2 || r[0].Message != "endpoint not found" {
		t.Errorf("%d %s", a.code, a.body)
	}
	w = &world{}
	a = do(t, w.ingest(), call{path: "/events/batch", body: "[{}]"})
	if a.code != 400 || len(results(t, a)) != 1 || w.mu.calls != 0 {
		t.Errorf("%d %s", a.code, a.body)
	}
	for media, body := range map[string]string{"application/json": "[ ]", "application/x-ndjson": "\n \r\n"} {
		if a := do(t, w.ingest(), call{path: "/events/batch", media: media, body: body}); a.code != 400 || a.Message != "the request has no events" {
			t.Errorf("%s: %d %s", media, a.code, a.body)
		}
	}
}

func TestBatchItemCount(t *testing.T) {
	for _, more := range []int{0, 1} {
		items := strings.Repeat("{}\n", event.MaxBatchItems+more)
		array := "[" + strings.ReplaceAll(strings.TrimSuffix(items, "\n"), "\n", ",") + "]"
		for media, body := range map[string]string{"application/json": array, "application/x-ndjson": items} {
			a := do(t, new(world).ingest(), call{path: "/events/batch", media: media, body: body})
			if want := []int{400, 413}[more]; a.code != want {
				t.Errorf("%s, %d over the limit: %d %.80s", media, more, a.code, a.body)
			}
		}
	}
}
