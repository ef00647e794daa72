package ingest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// lingerHall takes bodies of up to a mebibyte, of all but strangers.
func lingerHall(t *testing.T, linger time.Duration) *hall {
	o := ServerOptions{MaxRequestBytes: 1 << 20, ReadTimeout: time.Hour, linger: linger}
	o.Largest = func(h *fasthttp.RequestHeader) int {
		if len(h.Peek("Authorization")) == 0 {
			return 0
		}
		return 1 << 20
	}
	return openHall(t, o)
}

func (h *hall) dial() net.Conn {
	h.t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	return c
}

// begun waits for the first byte of an answer, and leaves the rest to the reader that it is
// put back for.
func (h *hall) begun(c net.Conn) *bufio.Reader {
	h.t.Helper()
	first := make([]byte, 1)
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := c.Read(first); err != nil {
		h.t.Fatalf("no answer: %v", err)
	}
	return bufio.NewReader(io.MultiReader(bytes.NewReader(first), c))
}

// TestRefusedWhileSending: a client that reads no more than a byte before it has sent all of
// its request reads why that was refused, and is not cut off before.
func TestRefusedWhileSending(t *testing.T) {
	const size = 3 << 20
	for name, test := range map[string]struct {
		head string
		body []byte
		code int
	}{
		"a length that is too large": {"Authorization: x\r\nContent-Length: 3145728", make([]byte, size), 413},
		"a stranger's":               {"Content-Length: 1048576", make([]byte, 1<<20), 401},
		"chunks that are too large":  {"Authorization: x\r\nTransfer-Encoding: chunked\r\n\r\n300002", []byte(strings.Repeat("x", size) + "\r\n0\r\n\r\n"), 413},
		"headers that are too large": {"X: " + strings.Repeat("x", 20<<10) + "\r\nContent-Length: 3145728", make([]byte, size), 431},
		"what is not HTTP":           {"X: y\r\n : \x00\r\nContent-Length: 3145728", make([]byte, size), 400},
	} {
		t.Run(name, func(t *testing.T) {
			h := lingerHall(t, time.Hour)
			c := h.dial()
			if _, err := io.WriteString(c, "POST /x HTTP/1.1\r\nHost: x\r\n"+test.head+"\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			answer := h.begun(c)
			if _, err := io.Copy(c, bytes.NewReader(test.body)); err != nil {
				t.Fatalf("cut off: %v", err)
			}
			a, err := http.ReadResponse(answer, nil)
			if err != nil || a.StatusCode != test.code {
				t.Fatalf("%+v, %v, want %d", a, err, test.code)
			}
			if text, err := io.ReadAll(a.Body); err != nil || !strings.Contains(string(text), `"status":false`) {
				t.Errorf("%s, %v", text, err)
			}
			_ = c.Close()
			h.left()
		})
	}
}

// TestRefusedConnectionsAreNotReset: of a connection that is one too many a client may be in
// the middle of its request, and reads why it is refused; the last of them are held, until
// the listener is closed at the latest.
func TestRefusedConnectionsAreNotReset(t *testing.T) {
	h := fullHall(t, time.Hour)
	clients := make([]net.Conn, 2*maxParted)
	answers := make([]*bufio.Reader, len(clients))
	for i := range clients {
		clients[i] = h.dial()
		write(clients[i], "GET / HTTP/1.1\r\n")
		answers[i] = h.begun(clients[i])
	}
	await(t, "as many are held as may be", func() bool { return h.partedNow() == maxParted })
	for _, c := range clients[maxParted:] {
		for _, more := range []string{"Host: x\r\n", "\r\n"} { // the first is what a reset would answer
			if _, err := io.WriteString(c, more); err != nil {
				t.Fatalf("reset in the middle of a request: %v", err)
			}
		}
	}
	for _, answer := range answers {
		if a, err := http.ReadResponse(answer, nil); err != nil || a.StatusCode != 503 {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	if n := h.partedNow(); n != maxParted {
		t.Errorf("%d are held, want %d", n, maxParted)
	}
}

// TestRefusedConnectionsAreClosed: soon, whatever their clients do.
func TestRefusedConnectionsAreClosed(t *testing.T) {
	h := fullHall(t, time.Millisecond)
	for range 3 {
		c := h.dial()
		if a, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || a.StatusCode != 503 {
			t.Fatalf("%+v, %v", a, err)
		}
		await(t, "none is held", func() bool { return h.partedNow() == 0 })
	}
}

// fullHall has room for one connection, which is there.
func fullHall(t *testing.T, linger time.Duration) *hall {
	t.Helper()
	h := openHall(t, ServerOptions{MaxConns: 1, IdleTimeout: time.Hour, linger: linger})
	first := h.dial()
	write(first, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if a, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil || a.StatusCode != 200 {
		t.Fatalf("%+v, %v", a, err)
	}
	return h
}

func (h *hall) partedNow() int {
	h.l.parted.mu.Lock()
	defer h.l.parted.mu.Unlock()
	return len(h.l.parted.conns)
}

const endless = "POST /x HTTP/1.1\r\nHost: x\r\nAuthorization: x\r\nContent-Length: 1000000000\r\n\r\n"

// TestLingeringEnds: one who goes on sending is cut off after some of it, and those who send
// little, or nothing and do not close, when the server ends.
func TestLingeringEnds(t *testing.T) {
	var h *hall
	var kept []net.Conn
	var writer sync.WaitGroup
	t.Cleanup(func() { // the server has ended
		h.left()
		writer.Wait()
		for _, c := range kept {
			_ = c.Close()
		}
	})
	h = lingerHall(t, time.Hour)
	fast := h.dial()
	write(fast, endless)
	if sent, err := io.Copy(fast, io.LimitReader(zeros{}, 1<<30)); err == nil {
		t.Errorf("%d bytes of a refused request were taken", sent)
	}
	for range 2 {
		c, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, c)
		write(c, endless)
		h.begun(c)
	}
	writer.Go(func() {
		for err := error(nil); err == nil; _, err = kept[0].Write([]byte{0}) {
			time.Sleep(time.Millisecond)
		}
	})
	h.leftBut(2)
}

// TestTheSilentAreClosed: one who was refused, sends nothing more and does not close, has
// the whole answer, and then its end.
func TestTheSilentAreClosed(t *testing.T) {
	h := lingerHall(t, time.Millisecond)
	c := h.dial()
	write(c, endless)
	if a, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(a), "HTTP/1.1 413 ") || !strings.HasSuffix(string(a), "}") {
		t.Errorf("%q, %v", a, err)
	}
	h.left()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
