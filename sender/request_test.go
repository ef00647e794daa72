package sender

import (
	"net"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/sig"
)

// recorder is a receiver that takes everything and keeps the last request.
type recorder struct {
	*receiver
	last chan request
}

func newRecorder(t testing.TB) *recorder {
	r := &recorder{last: make(chan request, 1)}
	r.receiver = newReceiver(t, func(c net.Conn, q request, _ int) bool {
		r.last <- q
		return say(answerOK)(c, q, 0)
	})
	return r
}

func (r *recorder) send(w *world, ep *catalog.Endpoint, ev *event.Event) (request, *event.Attempt) {
	w.t.Helper()
	a := w.attempt(ep, ev)
	expect(w.t, a, event.ClassNone, 200)
	return <-r.last, a
}

var (
	stampedSignature = regexp.MustCompile(`t=\d+(,v\d+=[0-9a-zA-Z+/=]+)+`)
	stamp            = regexp.MustCompile(`Convoy-Timestamp: \d+`)
)

// golden replaces what differs from run to run.
func golden(r *recorder, text string) string {
	text = strings.ReplaceAll(text, r.addr, "HOST")
	text = stampedSignature.ReplaceAllString(text, "SIGNATURE")
	return stamp.ReplaceAllString(text, "Convoy-Timestamp: NOW")
}

func compare(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.ReplaceAll(want, "\n", "\r\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRequestWithEverything(t *testing.T) {
	w := newWorld(t, Options{})
	w.configure(func(c *event.ProjectConfig) {
		c.Signature.Header = "x-MY-sig"
		c.RequestIDHeader = "Idempotency-KEY"
		c.AddEventIDTraceHeaders = true
	})
	r := newRecorder(t)
	ep := w.endpoint("http://"+r.addr+"/a//b/..%2f..%2fadmin?x=1&y=%20&z", func(e *event.Endpoint) {
		e.Authentication = &event.Authentication{Type: "api_key", APIKey: &event.APIKeyAuth{HeaderName: "x-Api-key", HeaderValue: "s3cret"}}
	})
	ev := newEvent("{ \"n\" : 1.50 }", event.Header{Name: "x-Custom-CASE", Value: "v é"}, event.Header{Name: "Authorization", Value: "Bearer zz"})
	ev.IdempotencyKey = "key 1"
	q, a := r.send(w, ep, ev)
	ids := "X-Convoy-Event-ID: " + ev.ID.String() + "\nX-Convoy-EventDelivery-ID: " + a.DeliveryID.String() + "\n"
	compare(t, golden(r, q.head), "POST /a//b/..%2f..%2fadmin?x=1&y=%20&z HTTP/1.1\n"+
		"Host: HOST\nUser-Agent: posthaste/1.2.3\nContent-Type: application/json\nx-Api-key: s3cret\nContent-Length: 14\n"+
		"x-MY-sig: SIGNATURE\nConvoy-Timestamp: NOW\nIdempotency-KEY: key 1\n"+ids+
		"x-Custom-CASE: v é\nAuthorization: Bearer zz\n\n")
	compare(t, golden(r, string(a.RequestHeaders)), "Host: HOST\nUser-Agent: posthaste/1.2.3\nContent-Type: application/json\n"+
		"x-Api-key: ********\nContent-Length: 14\n"+
		"x-MY-sig: SIGNATURE\nConvoy-Timestamp: NOW\nIdempotency-KEY: key 1\n"+ids+
		"x-Custom-CASE: v é\nAuthorization: ********\n")
	if q.body != "{ \"n\" : 1.50 }" {
		t.Errorf("body %q", q.body)
	}
	if a.Address != r.addr || string(a.ResponseBody) != "ok" || string(a.ResponseHeaders) != "Content-Length: 2\r\n" || a.BodyCut {
		t.Errorf("recorded %+v", a)
	}
}

func TestRequestWithNothing(t *testing.T) {
	w := newWorld(t, Options{})
	r := newRecorder(t)
	ep := w.endpoint("http://"+r.addr, func(e *event.Endpoint) { e.AdvancedSignatures = false })
	q, a := r.send(w, ep, newEvent("[]"))
	q.head = regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAllString(q.head, "SIGNATURE")
	compare(t, golden(r, q.head), "POST / HTTP/1.1\nHost: HOST\nUser-Agent: posthaste/1.2.3\nContent-Type: application/json\n"+
		"Content-Length: 2\nX-Convoy-Signature: SIGNATURE\n\n")
	if n := strings.Count(string(a.RequestHeaders), "\r\n"); n != 5 {
		t.Errorf("%d header lines recorded:\n%s", n, a.RequestHeaders)
	}
}

func TestEventHeadersNeverOverrideOurs(t *testing.T) {
	w := newWorld(t, Options{})
	r := newRecorder(t)
	ep := w.endpoint(r.url, func(e *event.Endpoint) {
		e.Authentication = &event.Authentication{Type: "api_key", APIKey: &event.APIKeyAuth{HeaderName: "X-Key", HeaderValue: "good"}}
	})
	evil := []event.Header{
		{Name: "host", Value: "evil"}, {Name: "posthaste-REPLAY", Value: "evil"}, {Name: "content-type", Value: "evil"},
		{Name: "Content-Length", Value: "0"}, {Name: "transfer-encoding", Value: "chunked"}, {Name: "Connection", Value: "evil"},
		{Name: "Expect", Value: "100-continue"}, {Name: "accept-encoding", Value: "evil"}, {Name: "x-convoy-signature", Value: "evil"},
		{Name: "convoy-timestamp", Value: "1"}, {Name: "x-key", Value: "evil"}, {Name: "X-Convoy-Idempotency-Key", Value: "evil"},
		{Name: "Bad Name", Value: "evil"}, {Name: "", Value: "evil"}, {Name: "X-Split", Value: "a\r\nX-Evil: 1"},
		{Name: "X-Nul", Value: "evil\x00"}, {Name: "X-Twice", Value: "first"}, {Name: "x-twice", Value: "evil"},
	}
	ev := newEvent("1", evil...)
	ev.IdempotencyKey = "key"
	q, a := r.send(w, ep, ev)
	for _, text := range []string{q.head, string(a.RequestHeaders)} {
		if strings.Contains(text, "evil") || strings.Contains(text, "X-Evil") || strings.Contains(strings.ToLower(text), "chunked") {
			t.Errorf("a header was overridden:\n%s", text)
		}
		if !strings.Contains(text, "X-Twice: first\r\n") || strings.Count(text, "Content-Length") != 1 {
			t.Errorf("headers are wrong:\n%s", text)
		}
	}
	if !strings.Contains(q.head, "X-Key: good\r\n") {
		t.Errorf("the endpoint's auth header is missing:\n%s", q.head)
	}

	// Without a key of its own, an event may send a header of that name.
	q, _ = r.send(w, ep, newEvent("1", event.Header{Name: "X-Convoy-Idempotency-Key", Value: "theirs"}))
	if !strings.Contains(q.head, "X-Convoy-Idempotency-Key: theirs\r\n") {
		t.Errorf("the event's header is missing:\n%s", q.head)
	}
	// A key that would break the request is not sent.
	ev = newEvent("1")
	ev.IdempotencyKey = "a\r\nX-Evil: 1"
	if q, _ = r.send(w, ep, ev); strings.Contains(q.head, "Evil") {
		t.Errorf("the key broke the request:\n%s", q.head)
	}
}

func signatureOf(t *testing.T, head string) string {
	t.Helper()
	for line := range strings.Lines(head) {
		if v, ok := strings.CutPrefix(line, "X-Convoy-Signature: "); ok {
			return strings.TrimSpace(v)
		}
	}
	t.Fatalf("no signature in\n%s", head)
	return ""
}

func TestSignatureIsOfTheBytesSent(t *testing.T) {
	for _, advanced := range []bool{true, false} {
		w := newWorld(t, Options{})
		r := newRecorder(t)
		ep := w.endpoint(r.url, func(e *event.Endpoint) {
			e.AdvancedSignatures = advanced
			e.Secrets = []event.Secret{{Value: "old"}, {Value: "new"}}
		})
		q, _ := r.send(w, ep, newEvent("{ \"a\" :\n1 }"))
		header := signatureOf(t, q.head)
		for secret, want := range map[string]bool{"new": true, "old": advanced, "other": false} {
			v, err := sig.NewVerifier(sig.Version{Hash: "SHA256", Encoding: "hex"}, []string{secret}, 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := v.Verify(header, []byte(q.body), time.Now()); (err == nil) != want {
				t.Errorf("advanced %v, secret %q: verify says %v", advanced, secret, err)
			}
		}
	}
}

func TestTimestampHeaderIsTheSignedOne(t *testing.T) {
	w := newWorld(t, Options{})
	r := newRecorder(t)
	q, _ := r.send(w, w.endpoint(r.url), newEvent("1"))
	signed, _, _ := strings.Cut(strings.TrimPrefix(signatureOf(t, q.head), "t="), ",")
	if !strings.Contains(q.head, "Convoy-Timestamp: "+signed+"\r\n") {
		t.Errorf("signed %s:\n%s", signed, q.head)
	}
}

func TestForm(t *testing.T) {
	w := newWorld(t, Options{})
	r := newRecorder(t)
	ep := w.endpoint(r.url)
	ep.ContentType = "application/x-www-form-urlencoded"
	q, a := r.send(w, ep, newEvent(`{"z": 1.50, "a":"x & \u00e9", "big":12345678901234567890, "t":true, "n":null, "o": {"k" : [1, 2]}}`))
	want := "a=" + url.QueryEscape("x & é") + "&big=12345678901234567890&n=&o=" + url.QueryEscape(`{"k" : [1, 2]}`) + "&t=true&z=1.50"
	if q.body != want || !strings.Contains(q.head, "Content-Type: application/x-www-form-urlencoded\r\n") {
		t.Errorf("got %q\nwant %q\n%s", q.body, want, q.head)
	}
	v, err := sig.NewVerifier(sig.Version{Hash: "SHA256", Encoding: "hex"}, []string{"topsecret"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Verify(signatureOf(t, q.head), []byte(q.body), time.Now()); err != nil {
		t.Errorf("verify: %v", err)
	}
	if err := v.Verify(signatureOf(t, q.head), []byte(`{"z": 1.50}`), time.Now()); err == nil {
		t.Error("another body verifies")
	}
	if !strings.Contains(string(a.RequestHeaders), "Content-Length: ") {
		t.Errorf("recorded\n%s", a.RequestHeaders)
	}
	for _, data := range []string{`[1]`, `"x"`, `null`, `7`} {
		if a := w.attempt(ep, newEvent(data)); a.Class != event.ClassMalformed || a.Address != "" {
			t.Errorf("%s: class %q, address %q", data, a.Class, a.Address)
		}
	}
}

func TestBodiesArriveWhole(t *testing.T) {
	w := newWorld(t, Options{})
	r := newRecorder(t)
	ep := w.endpoint(r.url)
	for _, n := range []int{0, 1, joinBytes - 1, joinBytes, joinBytes + 1, 1 << 20} {
		body := strings.Repeat("b", n)
		if q, _ := r.send(w, ep, newEvent(body)); q.body != body {
			t.Errorf("%d bytes were sent, %d arrived", n, len(q.body))
		}
	}
	if n := r.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestPathsAreSentAsTheyAre(t *testing.T) {
	w := newWorld(t, Options{})
	r := newRecorder(t)
	f := func(path, want string) {
		t.Helper()
		q, _ := r.send(w, w.endpoint("http://"+r.addr+path), newEvent("1"))
		if line, _, _ := strings.Cut(q.head, "\r\n"); line != "POST "+want+" HTTP/1.1" {
			t.Errorf("%q: request line %q", path, line)
		}
	}
	f("", "/")
	f("?q", "/?q")
	f("/a%2Fb/../c//d", "/a%2Fb/../c//d")
	f("/;a=[1]'(*)~", "/;a=[1]'(*)~")
	f("/a?x=http://h/?y", "/a?x=http://h/?y")
	f("/é?é", "/%C3%A9?%C3%A9")
}
