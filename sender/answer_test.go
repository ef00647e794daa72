package sender

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"posthaste/event"
)

func chunked(status string, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", status, len(body), body)
}

func fixed(status string, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

func gzipBomb() string {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	_, _ = w.Write(make([]byte, 8<<20))
	_ = w.Close()
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", z.Len(), z.String())
}

// TestAnswers: the receiver answers with these bytes and hangs up.
func TestAnswers(t *testing.T) {
	big := strings.Repeat("A", 200<<10)
	manyHeaders := strings.Repeat("X-A: "+strings.Repeat("b", 1000)+"\r\n", 1000)
	tests := []struct {
		name, answer string
		class        event.ErrorClass
		status       int
		body         int // recorded, -1: do not look
		cut          bool
	}{
		{"200", answerOK, event.ClassNone, 200, 2, false},
		{"201", fixed("201 Created", ""), event.ClassNone, 201, 0, false},
		{"299", fixed("299 X", "abc"), event.ClassNone, 299, 3, false},
		{"no reason", "HTTP/1.1 202\r\nContent-Length: 0\r\n\r\n", event.ClassNone, 202, 0, false},
		{"until the end", closeAfter + "abc", event.ClassNone, 200, 3, false},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nabc", event.ClassNone, 200, 3, false},
		{"chunked", chunked("200 OK", "abc"), event.ClassNone, 200, 3, false},
		{"chunked with trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-T: 1\r\n\r\n", event.ClassNone, 200, 1, false},
		{"long chunk extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;" + strings.Repeat("x", 1000) + "\r\nok\r\n0\r\n\r\n", event.ClassNone, 200, 2, false},
		{"103 first", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answerOK, event.ClassNone, 200, 2, false},
		{"204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", event.ClassNone, 204, 0, false},
		{"exactly what is kept", fixed("200 OK", big[:4096]), event.ClassNone, 200, 4096, false},
		{"one more than is kept", fixed("200 OK", big[:4097]), event.ClassNone, 200, 4096, true},
		{"chunked, one more than is kept", chunked("200 OK", big[:4097]), event.ClassNone, 200, 4096, true},
		{"200 KiB fixed", fixed("201 OK", big), event.ClassNone, 201, 4096, true},
		{"200 KiB chunked", chunked("200 OK", big), event.ClassNone, 200, 4096, true},
		{"200 KiB until the end", closeAfter + big, event.ClassNone, 200, 4096, true},
		{"cut off behind what is kept", "HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + big[:5000], event.ClassNone, 200, 4096, true},
		{"gzip bomb", gzipBomb(), event.ClassNone, 200, 4096, true},
		{"gzip header, no gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", event.ClassNone, 200, 3, false},
		{"bytes that are no text", fixed("200 OK", "\xff\x00<script>\x1b[31m"), event.ClassNone, 200, 15, false},
		{"cookies and upgrades", "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n", event.ClassNone, 200, 0, false},
		{"5 KB of headers", "HTTP/1.1 200 OK\r\n" + manyHeaders[:5035] + "Content-Length: 2\r\n\r\nok", event.ClassNone, 200, 2, false},
		{"TE and CL", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n2\r\nok\r\n0\r\n\r\n", event.ClassNone, 200, 2, false},

		{"101", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", event.ClassStatus, 101, 0, false},
		{"302 to metadata", "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", event.ClassStatus, 302, 0, false},
		{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", event.ClassStatus, 304, 0, false},
		{"307", "HTTP/1.1 307 X\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n", event.ClassStatus, 307, 0, false},
		{"404", fixed("404 Not Found", "gone"), event.ClassStatus, 404, 4, false},
		{"410", fixed("410 Gone", ""), event.ClassStatus, 410, 0, false},
		{"429", "HTTP/1.1 429 Slow\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n", event.ClassStatus, 429, 0, false},
		{"500, 200 KiB", fixed("500 X", big), event.ClassStatus, 500, 4096, true},

		{"status 000", "HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"status 99", "HTTP/1.1 99 X\r\nContent-Length: 0\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"no status", "HTTP/1.1\r\nContent-Length: 0\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"status 1000", "HTTP/1.1 1000 X\r\nContent-Length: 0\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"status too long", "HTTP/1.1 99999999999999999999 X\r\nContent-Length: 0\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"status negative", "HTTP/1.1 -20 X\r\nContent-Length: 0\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"status no number", "HTTP/1.1 OK X\r\nContent-Length: 0\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"HTTP/0.9", "hello world\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"SSH", "SSH-2.0-OpenSSH_9.2\r\n", event.ClassMalformed, 0, -1, false},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"TLS alert", "\x15\x03\x01\x00\x02\x02\x16", event.ClassMalformed, 0, -1, false},
		{"NUL in a header", "HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"length overflows", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"length negative", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"length twice", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", event.ClassMalformed, 0, -1, false},
		{"chunk size overflows", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", event.ClassMalformed, 0, -1, false},
		{"1 MB of headers", "HTTP/1.1 200 OK\r\n" + manyHeaders + "\r\n", event.ClassMalformed, 0, -1, false},
		{"5000 headers", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A: b\r\n", 5000) + "Content-Length: 0\r\n\r\n", event.ClassMalformed, 0, -1, false},
		{"1 MB of trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + manyHeaders + "\r\n", event.ClassMalformed, 0, -1, false},
		{"1000 times 100", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 1000) + answerOK, event.ClassMalformed, 0, -1, false},

		{"nothing", "", event.ClassReset, 0, 0, false},
		{"half a status line", "HTT", event.ClassReset, 0, 0, false},
		{"half a head", "HTTP/1.1 200 OK\r\nConte", event.ClassReset, 0, 0, false},
		{"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", event.ClassReset, 0, 3, false},
		{"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nabc", event.ClassReset, 0, 3, false},
		{"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", event.ClassReset, 0, 2, false},
		{"huge length, no body", "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n", event.ClassReset, 0, 0, false},
	}
	w := newWorld(t, Options{})
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			r := newReceiver(t, sayAndClose(tc.answer))
			a := w.attempt(w.endpoint(r.url), newEvent("{}"))
			expect(t, a, tc.class, tc.status)
			if tc.body >= 0 && len(a.ResponseBody) != tc.body || a.BodyCut != tc.cut {
				t.Errorf("recorded %d bytes, cut %v; want %d, %v", len(a.ResponseBody), a.BodyCut, tc.body, tc.cut)
			}
			if len(a.Error) > maxErrorBytes+64 || len(a.ResponseHeaders) > maxRecordedHeaderBytes {
				t.Errorf("recorded too much: error %d, headers %d bytes", len(a.Error), len(a.ResponseHeaders))
			}
			if a.Address != r.addr {
				t.Errorf("address %q, want %q", a.Address, r.addr)
			}
		})
	}
}

// TestReuse: which answers leave a connection that can be used again.
func TestReuse(t *testing.T) {
	tests := []struct {
		name, answer string
		conns        int32
	}{
		{"fixed", answerOK, 1},
		{"chunked", chunked("500 X", "abc"), 1},
		{"chunked, cut", chunked("200 OK", strings.Repeat("a", 9000)), 1},
		{"fixed, cut", fixed("200 OK", strings.Repeat("a", 9000)), 1},
		{"204", noBody204, 1},
		{"304", "HTTP/1.1 304 Not Modified\r\n\r\n", 1},
		{"large head", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 6000) + "\r\nContent-Length: 2\r\n\r\nok", 1},
		{"too much to drain", fixed("200 OK", strings.Repeat("a", 100<<10)), 3},
		{"Connection: close", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 3},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 3},
		{"101", "HTTP/1.1 101 X\r\nContent-Length: 0\r\n\r\n", 3},
		{"two answers at once", answer500 + ghost, 3},
		{"204 with a body", noBody204 + "hello", 3},
		{"TE and CL", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 3},
	}
	w := newWorld(t, Options{})
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			r := newReceiver(t, say(tc.answer))
			ep := w.endpoint(r.url)
			first := w.attempt(ep, newEvent("{}"))
			for range 2 {
				a := w.attempt(ep, newEvent("{}"))
				if a.StatusCode != first.StatusCode || a.StatusCode == 0 || !bytes.Equal(a.ResponseBody, first.ResponseBody) {
					t.Errorf("status %d after %d, error %q", a.StatusCode, first.StatusCode, a.Error)
				}
			}
			if n := r.conns.Load(); n != tc.conns {
				t.Errorf("%d connections, want %d", n, tc.conns)
			}
		})
	}
}

func TestResponseHeadersAreCutBetweenLines(t *testing.T) {
	w := newWorld(t, Options{})
	line := "X-A: " + strings.Repeat("b", 93) + "\r\n"
	r := newReceiver(t, say("HTTP/1.1 200 OK\r\n"+strings.Repeat(line, 120)+"Content-Length: 0\r\n\r\n"))
	a := w.attempt(w.endpoint(r.url), newEvent("{}"))
	expect(t, a, event.ClassNone, 200)
	if want := strings.Repeat(line, maxRecordedHeaderBytes/len(line)); string(a.ResponseHeaders) != want {
		t.Errorf("recorded %d bytes, want %d", len(a.ResponseHeaders), len(want))
	}
}

func TestAnswerInPieces(t *testing.T) {
	w := newWorld(t, Options{})
	for _, answer := range []string{answerOK, chunked("200 OK", "ok"), "HTTP/1.1 100 Continue\r\n\r\n" + answerOK} {
		r := newReceiver(t, func(c net.Conn, _ request, _ int) bool {
			for i := range len(answer) {
				if _, err := c.Write([]byte{answer[i]}); err != nil {
					return false
				}
			}
			return true
		})
		a := w.attempt(w.endpoint(r.url), newEvent("{}"))
		expect(t, a, event.ClassNone, 200)
		if string(a.ResponseBody) != "ok" {
			t.Errorf("body %q", a.ResponseBody)
		}
	}
}

// TestEarlyAnswer: the receiver refuses a large body without reading it all.
func TestEarlyAnswer(t *testing.T) {
	w := newWorld(t, Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { ln.Close(); <-done })
	go func() {
		defer close(done)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = bufio.NewReader(c).ReadString('\n')
		_, _ = c.Write([]byte("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = c.Read(make([]byte, 1<<20)) // and does not read the rest
	}()
	a := w.attempt(w.endpoint("http://"+ln.Addr().String()), newEvent(strings.Repeat("x", 32<<20)))
	if a.Class != event.ClassReset && (a.Class != event.ClassStatus || a.StatusCode != 413) {
		t.Errorf("class %q, status %d, error %q", a.Class, a.StatusCode, a.Error)
	}
}

func TestRecordedBuffersAreUsedAgain(t *testing.T) {
	w := newWorld(t, Options{})
	r := newReceiver(t, func(c net.Conn, q request, n int) bool {
		if n == 0 {
			return say(fixed("500 X", strings.Repeat("a", 9000)))(c, q, n)
		}
		return say(noBody204)(c, q, n)
	})
	ep := w.endpoint(r.url)
	d := &event.Delivery{ID: event.NewID()}
	a := &event.Attempt{}
	w.sender.Attempt(w.project, ep, d, newEvent("{}"), a)
	expect(t, a, event.ClassStatus, 500)
	w.sender.Attempt(w.project, ep, d, newEvent("{}"), a)
	expect(t, a, event.ClassNone, 204)
	if len(a.ResponseBody) != 0 || len(a.ResponseHeaders) != 0 || a.BodyCut || a.Error != "" {
		t.Errorf("the attempt before shows through: %+v", a)
	}
	if cap(a.ResponseBody) < 4096 {
		t.Errorf("the buffer was dropped")
	}
}

// FuzzAnswer: whatever comes, reading ends, within the bounds, and a success has
// a status.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{answerOK, closeAfter + "x", chunked("200 OK", "abc"), "HTTP/1.1 103 X\r\n\r\n" + noBody204, "HTTP/1.1 200 OK\n\n", "SSH-2.0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a := &event.Attempt{StartedAt: time.Now()}
		x := acquireExchange(a, time.Second, 100)
		defer releaseExchange(x)
		c := &conn{Conn: readOnly{Reader: bytes.NewReader(data)}}
		x.in = x.small
		x.in.Reset(c)
		_, err := x.readAnswer(c)
		if len(a.ResponseBody) > 100 || len(a.ResponseHeaders) > maxRecordedHeaderBytes {
			t.Fatalf("recorded %d and %d bytes", len(a.ResponseBody), len(a.ResponseHeaders))
		}
		if err == nil && !strings.HasPrefix(string(data), "HTTP/") {
			t.Fatalf("%q was taken for an answer", data)
		}
		if err == nil && (a.StatusCode < 100 || a.StatusCode > 999) {
			t.Fatalf("status %d", a.StatusCode)
		}
	})
}

type readOnly struct {
	net.Conn
	*bytes.Reader
}

func (r readOnly) Read(b []byte) (int, error) { return r.Reader.Read(b) }
