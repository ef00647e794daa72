package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"

	"posthaste/bench"
	"posthaste/client"
)

// intake is the event front door: it accepts what has a known type, once per key.
type intake struct {
	mu       sync.Mutex
	requests int
	keys     map[string]bool
	bodies   []string
	busy     int // so many requests are answered 429 first
	limit    int // larger requests are answered 413; 0: none
}

func (in *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	in.mu.Lock()
	defer in.mu.Unlock()
	in.requests++
	switch {
	case in.busy > 0:
		in.busy--
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, `{"status":false,"message":"exceeded rate limit"}`)
		return
	case in.limit > 0 && len(body) > in.limit:
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		io.WriteString(w, `{"status":false,"message":"request body too large"}`)
		return
	}
	var results []string
	accepted := 0
	for line := range strings.Lines(string(body)) {
		result, ok := in.take(line)
		if ok {
			accepted++
		}
		results = append(results, result)
	}
	if accepted == 0 {
		w.WriteHeader(http.StatusBadRequest)
	} else {
		w.WriteHeader(http.StatusCreated)
	}
	fmt.Fprintf(w, `{"status":%v,"message":"m","data":[%s]}`, accepted > 0, strings.Join(results, ","))
}

func (in *intake) take(line string) (result string, ok bool) {
	var e struct {
		EventType string `json:"event_type"`
		Key       string `json:"idempotency_key"`
	}
	json.Unmarshal([]byte(line), &e)
	switch {
	case e.EventType == "":
		return `{"status":false,"message":"event_type:please provide an event type"}`, false
	case e.Key != "" && in.keys[e.Key]:
		return `{"status":true,"uid":"01","message":"Duplicate event received, but will not be sent"}`, true
	}
	if in.keys == nil {
		in.keys = map[string]bool{}
	}
	in.keys[e.Key] = e.Key != ""
	in.bodies = append(in.bodies, strings.TrimSpace(line))
	return `{"status":true,"uid":"01","message":"Event queued successfully"}`, true
}

// send runs the command against an intake.
func send(t *testing.T, in http.Handler, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cleanEnvironment(t)
	server := httptest.NewServer(in)
	defer server.Close()
	var out, err bytes.Buffer
	run := testInvocation(&out, &err)
	run.stdin = strings.NewReader(stdin)
	code = run.run(append([]string{"send", "--server", server.URL, "--project", testProject}, args...))
	return code, out.String(), err.String()
}

func fileOf(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSendFile(t *testing.T) {
	const whole = `{"endpoint_id":"e","event_type":"a","data":1}` + "\n\n" +
		`{"endpoint_id":"e","data":2}` + "\r\n" +
		"nonsense\n" + `[1]` + "\n" +
		`{"endpoint_id":"e","event_type":"a","data":{"n":  3.10}}` // no line end
	in := &intake{}
	code, stdout, stderr := send(t, in, "", "--file", fileOf(t, whole), "--batch", "2", "--concurrency", "1")
	if code != exitError || !strings.HasPrefix(stdout, "2 accepted, 0 duplicates, 3 refused in ") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	for _, want := range []string{
		"line 3: event_type:please provide an event type\n", "line 4: no JSON: invalid character", "line 5: no event: want an object", "3 events were refused",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in %s", want, stderr)
		}
	}
	if want := []string{`{"endpoint_id":"e","event_type":"a","data":1}`, `{"endpoint_id":"e","event_type":"a","data":{"n":  3.10}}`}; !slices.Equal(in.bodies, want) {
		t.Errorf("posted %q", in.bodies)
	}
}

func TestSendFileAsJSON(t *testing.T) {
	code, stdout, _ := send(t, &intake{}, "1\n\n{\n2\n", "--file", "-", "--owner", "acme", "--type", "a", "--json")
	if want := `{"accepted":2,"duplicates":0,"refused":1,"refusals":[{"line":3,"message":"no JSON: unexpected end of JSON input"}]}` + "\n"; code != exitError || stdout != want {
		t.Errorf("exit %d: %s", code, stdout)
	}
	code, stdout, _ = send(t, &intake{}, "", "--file", "-", "--json")
	if want := `{"accepted":0,"duplicates":0,"refused":0,"refusals":[]}` + "\n"; code != exitOK || stdout != want {
		t.Errorf("nothing: exit %d: %s", code, stdout)
	}
}

// All of a batch refused is 400 with a reason for each.
func TestSendFileAllRefused(t *testing.T) {
	code, stdout, stderr := send(t, &intake{}, `{"data":1}`+"\n"+`{"data":2}`, "--file", "-")
	if code != exitError || !strings.HasPrefix(stdout, "0 accepted, 0 duplicates, 2 refused") || !strings.Contains(stderr, "line 2: event_type") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

func TestSendPackedFiles(t *testing.T) {
	const text = "1\n2\n3\n"
	var zipped, squeezed bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, text)
	z.Close()
	s, err := zstd.NewWriter(&squeezed)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(s, text)
	s.Close()
	for name, packed := range map[string]string{"plain": text, "gzip": zipped.String(), "zstd": squeezed.String()} {
		in := &intake{}
		path := fileOf(t, packed)
		code, stdout, stderr := send(t, in, "", "--file", path, "--endpoint", "e", "--type", "a", "--header", "X-A=b", "--concurrency", "1")
		if code != exitOK || !strings.HasPrefix(stdout, "3 accepted") {
			t.Errorf("%s: exit %d: %s%s", name, code, stdout, stderr)
		}
		if want := `{"endpoint_id":"e","event_type":"a","custom_headers":{"X-A":"b"},"data":2}`; len(in.bodies) != 3 || in.bodies[1] != want {
			t.Errorf("%s: posted %q", name, in.bodies)
		}
		if n, err := countLines(path); n != 3 || err != nil {
			t.Errorf("%s: %d lines, %v", name, n, err)
		}
	}
	if code, _, stderr := send(t, &intake{}, "\x1f\x8b\x08\x00broken", "--file", "-"); code != exitError {
		t.Errorf("broken gzip: exit %d: %s", code, stderr)
	}
}

// The same file sent again sends what was not accepted; equal lines are two events.
func TestSendFileAgain(t *testing.T) {
	in := &intake{}
	path := fileOf(t, "1\n1\n2\n")
	for i, want := range []string{"3 accepted, 0 duplicates", "0 accepted, 3 duplicates"} {
		code, stdout, stderr := send(t, in, "", "--file", path, "--owner", "acme", "--type", "a", "--idempotency", "line-hash")
		if code != exitOK || !strings.HasPrefix(stdout, want) {
			t.Errorf("%d: exit %d: %s%s", i, code, stdout, stderr)
		}
	}
}

func TestSendFileSplits(t *testing.T) {
	in := &intake{limit: 60}
	lines := `{"event_type":"a","data":1}` + "\n" + `{"event_type":"a","data":"` + strings.Repeat("x", 60) + `"}` + "\n" + `{"event_type":"a","data":3}`
	code, stdout, stderr := send(t, in, lines, "--file", "-")
	if code != exitError || !strings.HasPrefix(stdout, "2 accepted, 0 duplicates, 1 refused") || !strings.Contains(stderr, "line 2: request body too large") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

// A broadcast is posted in batches like others.
func TestSendFileToAll(t *testing.T) {
	in := &intake{}
	code, stdout, stderr := send(t, in, "1\n2\n", "--file", "-", "--broadcast", "--type", "a")
	if want := `{"broadcast":true,"event_type":"a","data":1}`; code != exitOK || in.requests != 1 || len(in.bodies) != 2 || in.bodies[0] != want {
		t.Errorf("exit %d: %s%s; posted %q", code, stdout, stderr, in.bodies)
	}
}

// A dynamic event has a request of its own.
func TestSendFileOneByOne(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	code, stdout, stderr := send(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		asked = append(asked, r.URL.Path+" "+string(body))
		mu.Unlock()
		if strings.HasSuffix(string(body), `"data":2}`) {
			w.WriteHeader(http.StatusBadRequest)
		}
		io.WriteString(w, `{"status":true,"message":"Dynamic event created successfully","data":null}`)
	}), "1\n2\n", "--file", "-", "--url", "https://e.com", "--type", "a", "--concurrency", "1")
	if want := []string{
		"/api/v1/projects/" + testProject + `/events/dynamic {"url":"https://e.com","event_type":"a","data":1}`,
		"/api/v1/projects/" + testProject + `/events/dynamic {"url":"https://e.com","event_type":"a","data":2}`,
	}; !slices.Equal(asked, want) {
		t.Errorf("asked %q", asked)
	}
	if code != exitError || !strings.HasPrefix(stdout, "1 accepted, 0 duplicates, 1 refused") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
}

// What is not about the content ends the file, and it is said how to go on.
func TestSendFileStops(t *testing.T) {
	refuse := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "r1")
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"status":false,"message":"authorization failed"}`)
	})
	code, stdout, stderr := send(t, refuse, strings.Repeat("1\n", 1000), "--file", "-", "--owner", "acme", "--type", "a", "--concurrency", "1")
	if code != exitError || !strings.HasPrefix(stdout, "0 accepted") {
		t.Errorf("exit %d: %s", code, stdout)
	}
	for _, want := range []string{"lines 1 to 100: authorization failed (401 Unauthorized, request r1)", "No line is known to be accepted.", "POSTHASTE_KEY"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in %s", want, stderr)
		}
	}
}

// handlerTransport serves requests without a network, so that a test can have a clock of
// its own.
type handlerTransport struct{ http.Handler }

func (h handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

func senderOver(t *testing.T, in http.Handler) *fileSender {
	c, err := client.New(client.Options{BaseURL: "http://server", Transport: handlerTransport{in}})
	if err != nil {
		t.Fatal(err)
	}
	return &fileSender{
		in: c.Project(testProject), envelope: newEnvelope(member{"event_type", "a"}), batch: 10,
		pace: newPacer(0), task: bench.NewProgress(nil).Start("sent", 0),
	}
}

func linesOf(t *testing.T, n int) *lineReader {
	l, err := newLineReader(strings.NewReader(strings.Repeat("1\n", n)), func() {})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// While the server is busy, nobody asks it before the time that it named.
func TestSendFileBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &intake{busy: 3}
		f := senderOver(t, in)
		start := time.Now()
		if err := f.run(context.Background(), linesOf(t, 50), 1); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 21*time.Second || f.outcome.Accepted != 50 || in.requests != 8 {
			t.Errorf("%d accepted after %v in %d requests", f.outcome.Accepted, took, in.requests)
		}
	})
}

func TestSendFileGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := senderOver(t, &intake{busy: 1000})
		err := f.run(context.Background(), linesOf(t, 50), 2)
		if err == nil || !strings.Contains(err.Error(), "exceeded rate limit") {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestSendFileIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := senderOver(t, &intake{busy: 1000})
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := f.run(ctx, linesOf(t, 50), 2); err == nil || f.outcome.open() != 1 {
			t.Errorf("ended with %v, open from line %d", err, f.outcome.open())
		}
	})
}

// lostOnce loses the connection at the second request.
type lostOnce struct {
	next http.RoundTripper
	n    int
}

func (l *lostOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	if l.n++; l.n == 2 {
		return nil, io.ErrUnexpectedEOF
	}
	return l.next.RoundTrip(r)
}

// A connection that was lost is no end where keys keep an event from being sent twice.
func TestSendFileLosesItsConnection(t *testing.T) {
	for _, keyed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			in := &intake{}
			f := senderOver(t, in)
			c, err := client.New(client.Options{BaseURL: "http://server", Transport: &lostOnce{next: handlerTransport{in}}})
			if err != nil {
				t.Fatal(err)
			}
			f.in, f.keyed = c.Project(testProject), keyed
			if err := f.run(context.Background(), linesOf(t, 50), 1); (err == nil) != keyed {
				t.Errorf("keyed %v: ended with %v", keyed, err)
			}
			if keyed && f.outcome.Accepted != 50 {
				t.Errorf("%d accepted", f.outcome.Accepted)
			}
		})
	}
}

func TestPacer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := senderOver(t, &intake{})
		f.pace = newPacer(20)
		start := time.Now()
		if err := f.run(context.Background(), linesOf(t, 100), 4); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 4500*time.Millisecond { // the first ten go at once
			t.Errorf("100 at 20 a second took %v", took)
		}
	})
}

func TestWithKey(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                           `{"idempotency_key":"k"}`,
		` { } `:                        ` {"idempotency_key":"k"}`,
		`{"a":"}"}`:                    `{"a":"}","idempotency_key":"k"}`,
		`{"idempotency_key":"own"}`:    `{"idempotency_key":"own"}`,
		`{"idempotency_key":"","a":1}`: `{"idempotency_key":"","a":1,"idempotency_key":"k"}`,
		`{"idempotency_key":null}`:     `{"idempotency_key":null,"idempotency_key":"k"}`,
	} {
		if got := string(withKey([]byte(in), "k")); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
	a, b, c := lineKey(nil, 1, []byte("x")), lineKey(nil, 2, []byte("x")), lineKey([]byte("h"), 1, []byte("x"))
	if a == b || a == c || a != lineKey(nil, 1, []byte("x")) {
		t.Errorf("keys %s %s %s", a, b, c)
	}
}

func TestLongLines(t *testing.T) {
	long := strings.Repeat("x", maxLineBytes+10)
	l, err := newLineReader(strings.NewReader("1\n"+long+"\n\n  \n2"), func() {})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		line, err := l.next()
		if err != nil {
			break
		}
		got = append(got, fmt.Sprintf("%d %s %v", line.number, line.text, line.tooLong))
	}
	if want := []string{"1 1 false", "2  true", "5 2 false"}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
