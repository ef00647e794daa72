package ingest

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// hall is a Server on a loopback port with few connections.
type hall struct {
	t    testing.TB
	addr string
	l    *listener
	mu   struct {
		sync.Mutex
		reasons, told []string
	}
}

func openHall(t testing.TB, o ServerOptions) *hall {
	t.Helper()
	return openHallWith(t, o, func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("served") })
}

func openHallWith(t testing.TB, o ServerOptions, handler fasthttp.RequestHandler) *hall {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hall{t: t, addr: ln.Addr().String()}
	o.Rejected = func(reason string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.mu.reasons = append(h.mu.reasons, reason)
	}
	o.Refused = func(id string, _ int, _ string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.mu.told = append(h.mu.told, id)
	}
	h.l = Listener(ln, o).(*listener)
	s := Server(o, handler)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(h.l) }()
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

// left waits until the server has closed all connections.
func (h *hall) left() {
	h.t.Helper()
	h.leftBut(0)
}

// leftBut waits until so many connections are left.
func (h *hall) leftBut(n int) {
	h.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		h.l.mu.Lock()
		open := h.l.open
		h.l.mu.Unlock()
		if open == n {
			return
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d connections are still open", open)
		}
	}
}

// connect opens a connection, which is closed with the test.
func (h *hall) connect() (*bufio.Reader, net.Conn) {
	h.t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	return bufio.NewReader(c), c
}

func (h *hall) serve(r *bufio.Reader, c net.Conn) {
	h.t.Helper()
	write(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || string(body) != "served" {
		h.t.Fatalf("%d %s", resp.StatusCode, body)
	}
}

// refuse opens a connection that must be answered with the code, and closed.
func (h *hall) refuse(code int, message string) {
	h.t.Helper()
	r, _ := h.connect()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close()
	var a answered
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || a.Message != message || a.Status {
		h.t.Errorf("%+v, %v", a, err)
	}
	if resp.StatusCode != code || resp.Header.Get("Retry-After") != "1" || !resp.Close || resp.Header.Get("Content-Type") != "application/json" {
		h.t.Errorf("%d, headers %v", resp.StatusCode, resp.Header)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		h.t.Errorf("it stays open: %v", err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.mu.reasons); n == 0 || h.mu.reasons[n-1] != ReasonLoad || !slices.Contains(h.mu.told, resp.Header.Get("X-Request-Id")) {
		h.t.Errorf("reasons %v, told %v", h.mu.reasons, h.mu.told)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		o       ServerOptions
		code    int
		message string
	}{
		"together":       {ServerOptions{MaxConns: 2}, 503, refuseConn.message},
		"of one address": {ServerOptions{MaxConnsPerIP: 2}, 429, refuseConnOf.message},
	} {
		t.Run(name, func(t *testing.T) {
			h := openHall(t, tc.o)
			r1, c1 := h.connect()
			h.serve(r1, c1)
			r2, c2 := h.connect()
			h.serve(r2, c2)
			h.refuse(tc.code, tc.message)
			h.refuse(tc.code, tc.message)
			h.serve(r1, c1)
			// The server closes this one itself: it has left when the client sees it.
			write(c2, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			if _, err := io.ReadAll(r2); err != nil {
				t.Fatal(err)
			}
			r3, c3 := h.connect()
			h.serve(r3, c3)
			h.refuse(tc.code, tc.message)
		})
	}
}

func TestLeavingTwiceCountsOnce(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Listener(ln, ServerOptions{MaxConnsPerIP: 5}).(*listener)
	defer l.Close()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := l.Accept()
	if err != nil || l.open != 1 || len(l.of) != 1 {
		t.Fatalf("%v, %d open, %v", err, l.open, l.of)
	}
	_, _ = c.Close(), c.Close()
	if l.open != 0 || len(l.of) != 0 {
		t.Errorf("%d open, %v", l.open, l.of)
	}
	if _ = l.Close(); l.open != 0 {
		t.Error("closing the listener counts")
	}
	if _, err := l.Accept(); err == nil {
		t.Error("a closed listener accepts")
	}
}
