package sender

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

var standardKey = []byte("an HMAC key of thirty-two bytes!")

// signed is an endpoint in a signature mode.
func (w *world) signed(url, mode string) *catalog.Endpoint {
	return w.endpoint(url, func(e *event.Endpoint) {
		e.SignatureMode = mode
		if mode == event.SignStandard {
			e.Secrets = []event.Secret{{Value: "whsec_" + base64.StdEncoding.EncodeToString(standardKey)}}
		}
	})
}

// TestStandardWebhooks: the three headers, the signature as the specification defines
// it, and nothing of Convoy's.
func TestStandardWebhooks(t *testing.T) {
	for _, form := range []bool{false, true} {
		w := newWorld(t, Options{})
		r := newRecorder(t)
		ep := w.signed(r.url, event.SignStandard)
		if form {
			ep.ContentType = formType
		}
		ev := newEvent(`{"b": 1.50, "a":"x"}`)
		q, a := r.send(w, ep, ev)
		id, stamp, signature := one(t, q.head, "webhook-id"), one(t, q.head, "webhook-timestamp"), one(t, q.head, "webhook-signature")
		mac := hmac.New(sha256.New, standardKey)
		mac.Write([]byte(id + "." + stamp + "." + q.body))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); signature != want {
			t.Errorf("signature %q, want %q", signature, want)
		}
		if unix, _ := strconv.ParseInt(stamp, 10, 64); id != ev.ID.String() || unix != a.StartedAt.Unix() {
			t.Errorf("id %s, timestamp %s", id, stamp)
		}
		if strings.Contains(strings.ToLower(q.head), "convoy") {
			t.Errorf("headers of Convoy's:\n%s", q.head)
		}
		if want := `{"b": 1.50, "a":"x"}`; form {
			want = "a=x&b=1.50"
			if q.body != want {
				t.Errorf("body %q, want %q", q.body, want)
			}
		}
		if !strings.Contains(string(a.RequestHeaders), "webhook-signature: v1,") {
			t.Errorf("recorded\n%s", a.RequestHeaders)
		}
	}
}

func one(t *testing.T, head, name string) string {
	t.Helper()
	all := values(head, name)
	if len(all) != 1 || !strings.HasPrefix(all[0], name+": ") {
		t.Fatalf("%s: %q", name, all)
	}
	return strings.TrimPrefix(all[0], name+": ")
}

// TestAttemptsAreSignedAnew: the id stays, the timestamp is that of the attempt.
func TestAttemptsAreSignedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	r := newRecorder(t)
	ep, ev := w.signed(r.url, event.SignStandard), newEvent("1")
	first, _ := r.send(w, ep, ev)
	time.Sleep(1100 * time.Millisecond) // timestamps are in seconds
	second, _ := r.send(w, ep, ev)
	if one(t, first.head, "webhook-id") != one(t, second.head, "webhook-id") {
		t.Error("the id changed")
	}
	for _, name := range []string{"webhook-timestamp", "webhook-signature"} {
		if one(t, first.head, name) == one(t, second.head, name) {
			t.Errorf("%s did not change", name)
		}
	}
}

// TestReplay: receivers see the id of the event that was replayed, and that it was.
func TestReplay(t *testing.T) {
	for _, mode := range []string{event.SignConvoy, event.SignStandard} {
		w := newWorld(t, Options{})
		w.configure(func(c *event.ProjectConfig) { c.AddEventIDTraceHeaders = true })
		r := newRecorder(t)
		ep := w.signed(r.url, mode)
		posted := newEvent("1")
		q, _ := r.send(w, ep, posted)
		if got := values(q.head, replayName); got != nil {
			t.Errorf("%s: a posted event has %q", mode, got)
		}
		replayed := newEvent("1")
		replayed.Origin, replayed.Of = event.Replayed, posted.ID
		q, a := r.send(w, ep, replayed)
		if one(t, q.head, replayName) != "true" || one(t, q.head, eventIDName) != posted.ID.String() ||
			mode == event.SignStandard && one(t, q.head, "webhook-id") != posted.ID.String() {
			t.Errorf("%s:\n%s", mode, q.head)
		}
		if one(t, q.head, deliveryName) != a.DeliveryID.String() || len(values(string(a.RequestHeaders), replayName)) != 1 {
			t.Errorf("%s: recorded\n%s", mode, a.RequestHeaders)
		}
	}
}
