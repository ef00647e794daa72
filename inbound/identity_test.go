package inbound

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"posthaste/event"
)

// keyOf is the idempotency key of a request to a source.
func keyOf(t *testing.T, w *world, c call) string {
	t.Helper()
	return w.accepted(t, c).IdempotencyKey
}

func TestIdempotencyKeyIsTheHashOfItsParts(t *testing.T) {
	w := newWorld(func(src *event.Source) {
		src.IdempotencyKeys = []string{"request.Header.X-Id", "request.Body.a.b", "request.QueryParam.x", "nonsense"}
	})
	got := keyOf(t, w, call{target: "/ingest/" + mask + "?x=q%20q", body: `{"a":{"b":12}}`, headers: []string{"X-Id", "id"}})
	sum := sha256.Sum256([]byte(string(w.src.ID[:]) + "\x02id" + "\x0212" + "\x03q q" + "\x00"))
	if got != hex.EncodeToString(sum[:]) {
		t.Errorf("key %s", got)
	}
}

func TestIdempotencyKeys(t *testing.T) {
	w := newWorld(func(src *event.Source) { src.IdempotencyKeys = []string{"body.a", "body.b"} })
	body := func(s string) call { return call{body: s} }
	ab, same := keyOf(t, w, body(`{"a":"1","b":"2"}`)), keyOf(t, w, body(`{"b":2, "a":"1", "at":"later"}`))
	if ab == "" || ab != same || len(ab) != 64 {
		t.Errorf("keys %q and %q of one request", ab, same)
	}
	seen := map[string]string{ab: "1 2"}
	for _, s := range []string{`{"a":"12"}`, `{"b":"12"}`, `{"a":"","b":"2"}`, `{"a":"1","b":""}`, `{"a":"2","b":"1"}`, `{"a":{"x":1}}`, `{"a":[1]}`} {
		k := keyOf(t, w, body(s))
		if seen[k] != "" || k == "" {
			t.Errorf("%s and %s have the key %q", s, seen[k], k)
		}
		seen[k] = s
	}
	if one, two := keyOf(t, w, body(`{"a":"1"}`)), keyOf(t, w, body(`{"a":"1","b":null}`)); one != two {
		t.Error("what is missing and what is null are not the same")
	}
	for _, s := range []string{`{}`, `{"a":null,"b":""}`, `[1]`} {
		if k := keyOf(t, w, body(s)); k != "" {
			t.Errorf("%s has the key %q", s, k)
		}
	}
	other := newWorld(func(src *event.Source) { src.IdempotencyKeys = []string{"body.a", "body.b"} })
	if keyOf(t, other, body(`{"a":"1","b":"2"}`)) == ab {
		t.Error("two sources share a key")
	}
}

func TestIdempotencyKeyOfTheWholeBody(t *testing.T) {
	w := newWorld(func(src *event.Source) { src.IdempotencyKeys = []string{"request.body"} })
	if keyOf(t, w, call{body: `{"a":1}`}) == keyOf(t, w, call{body: `{"a":2}`}) {
		t.Error("two bodies share a key")
	}
}

func TestRequiredKey(t *testing.T) {
	w := newWorld(func(src *event.Source) { src.IdempotencyKeys = []string{"header.X-Id"} })
	w.limits.RequireKey = true
	if a := do(t, w.inbound(), call{}); a.code != 400 || !strings.HasPrefix(a.Message, "idempotency_key is required") {
		t.Errorf("%d %s", a.code, a.body)
	}
	w.accepted(t, call{headers: []string{"X-Id", "1"}})
}

func TestDuplicates(t *testing.T) {
	for name, verdict := range map[string]func(*event.Submission){
		"same content":  func(sub *event.Submission) { sub.Duplicate = true },
		"other content": func(sub *event.Submission) { sub.Err = event.ErrConflict },
	} {
		w := newWorld(nil)
		w.verdict = verdict
		a := do(t, w.inbound(), call{})
		if a.code != 200 || a.Message != "Duplicate event received, but will not be sent" || len(w.mu.rejected) > 0 {
			t.Errorf("%s: %d %s", name, a.code, a.body)
		}
	}
}
