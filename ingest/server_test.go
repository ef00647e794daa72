package ingest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// house is a Server with an Ingest behind it, and a handler for the rest that
// notes what reached it.
type house struct {
	ln net.Listener
	w  *world
	mu struct {
		sync.Mutex
		seen     []string
		rejected []string
	}
}

func open(t *testing.T, o ServerOptions) *house {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{ln: ln, w: &world{}}
	in := h.w.ingest()
	o.Rejected = func(reason string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.mu.rejected = append(h.mu.rejected, reason)
	}
	s := Server(o, func(ctx *fasthttp.RequestCtx) {
		h.mu.Lock()
		h.mu.seen = append(h.mu.seen, string(ctx.Method())+" "+string(ctx.Request.Header.RequestURI()))
		h.mu.Unlock()
		if !in.Handle(ctx) {
			ctx.SetBodyString("other")
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(Listener(h.ln, o)) }()
	t.Cleanup(func() {
		if err := s.Shutdown(); err != nil {
			t.Error(err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *house) dial() (net.Conn, error) { return net.Dial("tcp", h.ln.Addr().String()) }

// send writes raw bytes on a new connection and reads until it is closed.
func (h *house) send(t *testing.T, raw string) (all []answered) {
	t.Helper()
	c, err := h.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	write(c, raw)
	r := bufio.NewReader(c)
	for {
		if _, err := r.Peek(1); err != nil {
			return all
		}
		resp, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("after %d answers: %v", len(all), err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		a := answered{code: resp.StatusCode, body: string(body)}
		if resp.Header.Get("Server") != "" {
			t.Errorf("Server: %s", resp.Header.Get("Server"))
		}
		if a.code >= 400 && (json.Unmarshal(body, &a) != nil || a.Message == "" || a.Status || resp.Header.Get("X-Request-Id") == "" || !resp.Close) {
			t.Errorf("refused with %d %q, headers %v", a.code, a.body, resp.Header)
		}
		all = append(all, a)
	}
}

// write does not mind a server that stops reading.
func write(c net.Conn, raw string) { _, _ = io.WriteString(c, raw) }

const (
	line1   = "POST / HTTP/1.1\r\nHost: x\r\n"
	smuggle = "GET /smuggled HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
)

func TestSmuggling(t *testing.T) {
	h := open(t, ServerOptions{MaxRequestBytes: 1 << 20})
	for _, tc := range []struct {
		name, raw string
		code      int
	}{
		{"CL and TE", line1 + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"TE and CL", line1 + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n", 400},
		{"cl and te in small letters", line1 + "content-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"TE identity", line1 + "Transfer-Encoding: identity\r\nContent-Length: 3\r\n\r\nabc", 400},
		{"TE twice", line1 + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"TE list", line1 + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
		{"TE obfuscated", line1 + "Transfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\nabc", 400},
		{"TE with a vertical tab", line1 + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", 400},
		{"space before the colon", line1 + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400},
		{"TE on 1.0", "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"two lengths", line1 + "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", 400},
		{"length with a sign", line1 + "Content-Length: +3\r\n\r\nabc", 400},
		{"negative length", line1 + "Content-Length: -3\r\n\r\nabc", 400},
		{"length in hexadecimal", line1 + "Content-Length: 0x3\r\n\r\nabc", 400},
		{"huge length", line1 + "Content-Length: 99999999999999999999\r\n\r\n", 400},
		{"length over the limit", line1 + "Content-Length: 2000000\r\n\r\nabc", 413},
		{"chunk over the limit", line1 + "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\nabc", 413},
		{"chunk size too long", line1 + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc", 400},
		{"chunk without end", line1 + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX", 400},
		{"no host", "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
		{"two hosts", line1 + "Host: y\r\nContent-Length: 0\r\n\r\n", 400},
		{"folded header", line1 + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", 400},
		{"folded with a tab", line1 + "X: a\r\n\tb\r\nContent-Length: 0\r\n\r\n", 400},
		{"folded first header", "POST / HTTP/1.1\r\n X: a\r\nHost: x\r\n\r\n", 400},
		{"bare line feeds", "POST / HTTP/1.1\nHost: x\nContent-Length: 0\n\n", 400},
		{"a bare line feed", line1 + "X: a\nContent-Length: 0\r\n\r\n", 400},
		{"chunk with bare line feeds", line1 + "Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", 400},
		{"chunk size with a sign", line1 + "Transfer-Encoding: chunked\r\n\r\n+3\r\nabc\r\n0\r\n\r\n", 400},
		{"chunk size with 0x", line1 + "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400},
		{"line feed in a chunk extension", line1 + "Transfer-Encoding: chunked\r\n\r\n3;a\nb\r\nabc\r\n0\r\n\r\n", 400},
		{"framing in a trailer", line1 + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 3\r\n\r\n", 400},
		{"a bare carriage return", line1 + "X: a\rContent-Length: 3\r\n\r\n", 400},
		{"NUL in a header", line1 + "X: a\x00b\r\nContent-Length: 0\r\n\r\n", 400},
		{"no name", line1 + ": a\r\nContent-Length: 0\r\n\r\n", 400},
		{"absolute target", "POST http://evil/p HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 400},
		{"asterisk", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
		{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405},
		{"HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
		{"CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", 405},
		{"TRACE", "TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		{"method in small letters", "post / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		{"20 KB of headers", line1 + "X: " + strings.Repeat("a", 20_000) + "\r\n\r\n", 431},
		{"20 KB of target", "POST /" + strings.Repeat("a", 20_000) + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
		{"two content types", line1 + "Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\n\r\n", 400},
		{"two keys", line1 + "Authorization: Bearer a\r\nauthorization: Bearer b\r\nContent-Length: 0\r\n\r\n", 400},
		{"two encodings", line1 + "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", 400},
		{"not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n", 400},
		{"SSH", "SSH-2.0-OpenSSH_9.2\r\n\r\n", 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			all := h.send(t, tc.raw+smuggle)
			if len(all) != 1 || all[0].code != tc.code {
				t.Errorf("answers %+v, want one of %d", all, tc.code)
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if len(h.mu.seen) != 0 || len(h.mu.rejected) != 1 {
				t.Errorf("the handler saw %q, rejected %q", h.mu.seen, h.mu.rejected)
			}
			h.mu.seen, h.mu.rejected = nil, nil
		})
	}
}

func TestWhatIsLetThrough(t *testing.T) {
	h := open(t, ServerOptions{})
	for name, raw := range map[string]string{
		"pipelined":        line1 + "Content-Length: 3\r\n\r\nabc" + line1 + "Content-Length: 0\r\n\r\n",
		"chunked":          line1 + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"chunk extension":  line1 + "Transfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\n",
		"trailer":          line1 + "Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n0\r\nX-T: 1\r\n\r\n",
		"body of a GET":    "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
		"expect":           line1 + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
		"1.0, kept alive":  "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
		"path as it is":    "POST /a/../b//c HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"similar headers":  line1 + "Content-Length: 0\r\nX-Content-Length: 1\r\nContent-Lengths: 1\r\nTransfer-Encodings: x\r\nTe: trailers\r\n\r\n",
		"event to be read": line1 + "Content-Length: 0\r\n\r\n",
	} {
		all := h.send(t, raw+"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		for _, a := range all {
			if a.code != 200 && a.code != 100 {
				t.Errorf("%s: %d %s", name, a.code, a.body)
			}
		}
		h.mu.Lock()
		if n := len(h.mu.seen); n < 2 || h.mu.seen[n-1] != "GET /last" || len(h.mu.rejected) != 0 {
			t.Errorf("%s: the handler saw %q, rejected %q", name, h.mu.seen, h.mu.rejected)
		}
		h.mu.seen = nil
		h.mu.Unlock()
	}
}

func TestSlowRequest(t *testing.T) {
	h := open(t, ServerOptions{ReadTimeout: 50 * time.Millisecond})
	for _, raw := range []string{"POST / HT", line1 + "Content-Length: 10\r\n\r\nabc", line1 + "Transfer-Encoding: chunked\r\n\r\n5\r\na"} {
		if all := h.send(t, raw); len(all) != 1 || all[0].code != 408 {
			t.Errorf("%q: %+v", raw, all)
		}
	}
}

func TestIdleConnectionIsClosed(t *testing.T) {
	h := open(t, ServerOptions{IdleTimeout: 50 * time.Millisecond})
	if all := h.send(t, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); len(all) != 1 || all[0].code != 200 {
		t.Errorf("%+v", all)
	}
}

func TestEventsOverAConnection(t *testing.T) {
	h := open(t, ServerOptions{})
	body := single("")
	post := func(target, more, body string) string {
		return "POST " + target + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + projectKey + "\r\nContent-Type: application/json\r\n" + more + "\r\n" + body
	}
	target := "/api/v1/projects/" + project.String() + "/events"
	length := func(n int) string { return "Content-Length: " + string(appendUint(nil, uint64(n))) + "\r\n" }
	all := h.send(t, post(target, length(len(body)), body)+
		post(target, "Transfer-Encoding: chunked\r\n", string(appendHex(len(body)))+"\r\n"+body+"\r\n0\r\n\r\n")+
		post(target+"/batch", length(len(body)+2)+"Connection: close\r\n", "["+body+"]"))
	if len(all) != 3 || len(h.w.mu.subs) != 3 {
		t.Fatalf("%+v", all)
	}
	for i, a := range all {
		if a.code != 201 || !bytes.Equal(h.w.mu.subs[i].Event.Data, []byte(`{"n":1}`)) {
			t.Errorf("%d: %d %s", i, a.code, a.body)
		}
	}
}

func appendHex(n int) (out []byte) {
	const digits = "0123456789abcdef"
	for ; n > 0; n >>= 4 {
		out = append([]byte{digits[n&15]}, out...)
	}
	return out
}

// Also what never reaches a handler keeps its request id, if it was read.
func TestRefusedAtTheDoorKeepsItsID(t *testing.T) {
	h := open(t, ServerOptions{MaxRequestBytes: 1000})
	for name, tc := range map[string]struct{ raw, id string }{
		"two content types": {line1 + "X-Request-Id: abc\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\n\r\n", "abc"},
		"too large":         {line1 + "X-Request-Id: abc\r\nContent-Length: 2000\r\n\r\n", "abc"},
		"no plain word":     {line1 + "X-Request-Id: a b\r\nContent-Length: 2000\r\n\r\n", ""},
		"not HTTP":          {"SSH-2.0-OpenSSH_9.2\r\n\r\n", ""},
	} {
		c, err := h.dial()
		if err != nil {
			t.Fatal(err)
		}
		write(c, tc.raw)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		_ = c.Close()
		if got := resp.Header.Get("X-Request-Id"); tc.id != "" && got != tc.id || tc.id == "" && len(got) != event.IDTextLen {
			t.Errorf("%s: %q", name, got)
		}
	}
}
