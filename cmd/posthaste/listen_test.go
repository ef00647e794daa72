package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"posthaste/sig"
)

// buffer is a bytes.Buffer for several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// listening is a posthaste listen at work.
type listening struct {
	t              *testing.T
	stdout, stderr buffer
	stop           context.CancelFunc
	code           chan int
	url            string
}

func startListen(t *testing.T, args ...string) *listening {
	t.Helper()
	cleanEnvironment(t)
	l := &listening{t: t, code: make(chan int, 1)}
	run := testInvocation(&l.stdout, &l.stderr)
	ctx, cancel := context.WithCancel(context.Background())
	l.stop = cancel
	run.signals = func() (context.Context, context.CancelFunc) { return ctx, cancel }
	go func() { l.code <- run.run(append([]string{"listen", "--utc"}, args...)) }()
	t.Cleanup(func() { cancel() })
	for l.url == "" {
		select {
		case code := <-l.code:
			t.Fatalf("ended with %d: %s", code, l.stderr.String())
		case <-time.After(time.Millisecond):
		}
		_, after, found := strings.Cut(l.stderr.String(), "Listening on ")
		if found {
			l.url, _, _ = strings.Cut(after, ".\n")
			l.url, _, _ = strings.Cut(l.url, ". Ctrl-C")
		}
	}
	return l
}

// post sends a webhook and returns the answer.
func (l *listening) post(header http.Header, body string) (int, string) {
	l.t.Helper()
	r, err := http.NewRequest("POST", l.url+"hook?x=1", strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header = header
	r.Close = true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

func (l *listening) end() int {
	l.stop()
	return <-l.code
}

// signed are the headers of a webhook in Convoy's format.
func signed(t *testing.T, secret, body string, at time.Time) http.Header {
	t.Helper()
	s, err := sig.New([]sig.Version{{Hash: "SHA256", Encoding: sig.Hex}}, []string{secret}, true)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	h.Set("X-Convoy-Signature", string(s.Append(nil, at, []byte(body))))
	h.Set("X-Convoy-Idempotency-Key", "k\u00ad1") // a soft hyphen is not to be seen
	return h
}

func standardSigned(t *testing.T, secret, body string) http.Header {
	t.Helper()
	s, err := sig.NewStandard([]string{secret})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	h := http.Header{}
	h.Set("webhook-id", "01X")
	h.Set("webhook-timestamp", fmt.Sprint(now.Unix()))
	h.Set("webhook-signature", string(s.Append(nil, "01X", now, []byte(body))))
	return h
}

func TestListenVerifies(t *testing.T) {
	secret, public := sig.NewStandardKeyPair()
	hmac := sig.NewStandardSecret()
	l := startListen(t, "--secret", "s3cret", "--secret", hmac, "--secret", public, "--status", "500,204", "--body")
	for i, c := range []struct {
		header http.Header
		body   string
	}{
		{signed(t, "s3cret", `{"n":1}`, time.Now()), `{"n":1}`},
		{signed(t, hmac, `2`, time.Now()), `2`},
		{standardSigned(t, hmac, `3`), `3`},
		{standardSigned(t, secret, `4`), `4`},
		{signed(t, "other", `5`, time.Now()), `5`},
		{signed(t, "s3cret", `6`, time.Now().Add(-time.Hour)), `6`},
		{http.Header{}, "\x1b[2J"},
	} {
		status, _ := l.post(c.header, c.body)
		if want := []int{500, 204}[i%2]; status != want {
			t.Errorf("%d: answered %d", i, status)
		}
	}
	if code := l.end(); code != exitError {
		t.Errorf("exit %d though webhooks were not verified", code)
	}
	for _, want := range []string{
		"500  POST /hook?x=1  7 bytes  verified  X-Convoy-Idempotency-Key=k\\u00ad1\n    {\n      \"n\": 1\n    }\n",
		"204  POST /hook?x=1  1 bytes  verified  X-Convoy", "500  POST /hook?x=1  1 bytes  verified  Webhook-Id=01X\n",
		"NOT VERIFIED: signature does not match", "NOT VERIFIED: signature timestamp is outside the tolerance", `    \x1b[2J`,
		"NOT VERIFIED: no signature header webhook-signature or X-Convoy-Signature",
	} {
		if !strings.Contains(l.stdout.String(), want) {
			t.Errorf("no %q in\n%s", want, l.stdout.String())
		}
	}
	if !strings.Contains(l.stderr.String(), "3 of 7 webhooks were not verified") {
		t.Errorf("said %s", l.stderr.String())
	}
}

// A secret that begins like one of Standard Webhooks may be any text all the same.
func TestListenOddSecret(t *testing.T) {
	l := startListen(t, "--secret", "whsec_short", "--count", "1")
	l.post(signed(t, "whsec_short", `1`, time.Now()), "1")
	if code := <-l.code; code != exitOK || !strings.Contains(l.stdout.String(), "verified") {
		t.Errorf("exit %d: %s%s", code, l.stdout.String(), l.stderr.String())
	}
}

func TestListenCountAsJSON(t *testing.T) {
	l := startListen(t, "--count", "2", "--json")
	l.post(http.Header{"X-A": {"b"}}, `{"n": 1}`)
	l.post(http.Header{}, "text")
	if code := <-l.code; code != exitOK {
		t.Errorf("exit %d: %s", code, l.stderr.String())
	}
	lines := strings.Split(strings.TrimSpace(l.stdout.String()), "\n")
	var first, second struct {
		Path     string
		Headers  http.Header
		Body     any
		Verified bool
		Problem  string
		Status   int
	}
	if len(lines) != 2 || json.Unmarshal([]byte(lines[0]), &first) != nil || json.Unmarshal([]byte(lines[1]), &second) != nil {
		t.Fatalf("printed %q", lines)
	}
	if first.Path != "/hook?x=1" || first.Headers.Get("X-A") != "b" || first.Verified || first.Problem == "" || first.Status != 200 {
		t.Errorf("printed %+v", first)
	}
	if body, ok := first.Body.(map[string]any); !ok || body["n"] != 1.0 || second.Body != "text" {
		t.Errorf("bodies %v and %v", first.Body, second.Body)
	}
}

func TestListenForwards(t *testing.T) {
	var got *http.Request
	var body []byte
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		io.WriteString(w, "short and stout")
	}))
	l := startListen(t, "--forward", target.URL+"/in")
	h := signed(t, "s3cret", `{}`, time.Now())
	h.Del("X-Convoy-Idempotency-Key")
	if status, text := l.post(h, `{}`); status != http.StatusTeapot || text != "short and stout" {
		t.Errorf("answered %d %q", status, text)
	}
	if got.URL.Path != "/in" || string(body) != "{}" || got.Header.Get("X-Convoy-Signature") != h.Get("X-Convoy-Signature") {
		t.Errorf("forwarded %s %q %v", got.URL, body, got.Header)
	}
	target.Close()
	if status, _ := l.post(http.Header{}, `{}`); status != http.StatusBadGateway {
		t.Errorf("answered %d though nobody is there", status)
	}
	if code := l.end(); code != exitOK || !strings.Contains(l.stdout.String(), "(not forwarded: ") {
		t.Errorf("exit %d: %s%s", code, l.stdout.String(), l.stderr.String())
	}
}

// registry is the part of the API that listen --create asks.
type registry struct {
	mu     sync.Mutex
	asked  []string
	bodies []string
	refuse string // a request that is refused
}

func (g *registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.mu.Lock()
	defer g.mu.Unlock()
	asked := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/api/v1/projects/"+testProject)
	g.asked, g.bodies = append(g.asked, asked), append(g.bodies, string(body))
	if asked == g.refuse {
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"status":false,"message":"url: 127.0.0.1 is not public"}`)
		return
	}
	switch asked {
	case "GET ":
		io.WriteString(w, `{"status":true,"message":"m","data":{"uid":"p","config":{"signature":{"header":"X-Shop-Signature","versions":[{"hash":"SHA512","encoding":"base64"}]}}}}`)
	case "POST /endpoints":
		io.WriteString(w, `{"status":true,"message":"m","data":{"uid":"e1","name":"n","secrets":[{"value":"made"}]}}`)
	default:
		io.WriteString(w, `{"status":true,"message":"m","data":{"uid":"s1"}}`)
	}
}

func TestListenCreates(t *testing.T) {
	for _, keep := range []bool{false, true} {
		g := &registry{}
		server := httptest.NewServer(g)
		defer server.Close()
		args := []string{"--create", "--server", server.URL, "--project", testProject, "--type", "order.*", "--owner", "acme", "--count", "1"}
		if keep {
			args = append(args, "--keep")
		}
		l := startListen(t, args...)
		s, err := sig.New([]sig.Version{{Hash: "SHA512", Encoding: sig.Base64}}, []string{"made"}, true)
		if err != nil {
			t.Fatal(err)
		}
		l.post(http.Header{"X-Shop-Signature": {string(s.Append(nil, time.Now(), []byte("{}")))}}, "{}")
		if code := <-l.code; code != exitOK || !strings.Contains(l.stdout.String(), "verified") {
			t.Errorf("exit %d: %s%s", code, l.stdout.String(), l.stderr.String())
		}
		want := "GET , POST /endpoints, POST /subscriptions"
		if !keep {
			want += ", DELETE /subscriptions/s1, DELETE /endpoints/e1"
		}
		if got := strings.Join(g.asked, ", "); got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
		if !strings.Contains(g.bodies[1], `"url":"`+l.url+`"`) || !strings.Contains(g.bodies[1], `"owner_id":"acme"`) || !strings.Contains(g.bodies[2], `"event_types":["order.*"]`) {
			t.Errorf("sent %q", g.bodies)
		}
	}
}

// What was made is deleted when the rest cannot be.
func TestListenCreateFails(t *testing.T) {
	for refuse, want := range map[string]string{
		"POST /endpoints":     "GET , POST /endpoints",
		"POST /subscriptions": "GET , POST /endpoints, POST /subscriptions, DELETE /endpoints/e1",
	} {
		g := &registry{refuse: refuse}
		server := httptest.NewServer(g)
		defer server.Close()
		cleanEnvironment(t)
		var stdout, stderr bytes.Buffer
		code := testInvocation(&stdout, &stderr).run([]string{"listen", "--create", "--server", server.URL, "--project", testProject})
		if got := strings.Join(g.asked, ", "); code != exitError || got != want {
			t.Errorf("exit %d, asked %s, want %s", code, got, want)
		}
		if refuse == "POST /endpoints" && !strings.Contains(stderr.String(), "--egress-allow 127.0.0.0/8") {
			t.Errorf("said %s", &stderr)
		}
	}
}

func TestListenMistakes(t *testing.T) {
	for _, args := range [][]string{
		{"--status", "99"}, {"--status", "600"}, {"--keep"}, {"--owner", "x"}, {"--forward", "nowhere"}, {"--count", "-1"}, {"--signed-with", "SHA256"}, {"--signed-with", "SHA1024:hex", "--secret", "x"},
	} {
		cleanEnvironment(t)
		var stdout, stderr bytes.Buffer
		if code := testInvocation(&stdout, &stderr).run(append([]string{"listen"}, args...)); code != exitUsage {
			t.Errorf("%v: exit %d: %s", args, code, &stderr)
		}
	}
}
