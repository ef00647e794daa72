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
func lingerHall(t *testing.T) *hall {
	o := ServerOptions{MaxRequestBytes: 1 << 20, ReadTimeout: time.Hour}
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

// TestRefusedWhileSending: a client that reads nothing before it has sent all of its
// request reads why that was refused, and is not cut off before.
func TestRefusedWhileSending(t *testing.T) {
	const size = 3 << 20
	for name, test := range map[string]struct {
		head string
		body []byte
		code int
	}{
		"a length that is too large": {"Authorization: x\r\nContent-Length: 3145728", make([]byte, size), 413},
		"a stranger's":               {"Content-Length: 1048576", make([]byte, 1<<20), 401},
		"chunks that are too large":  {"Authorization: x\r\nTransfer-Encoding: chunked", []byte("300000\r\n" + strings.Repeat("x", size) + "\r\n0\r\n\r\n"), 413},
		"headers that are too large": {"X: " + strings.Repeat("x", 20<<10) + "\r\nContent-Length: 3145728", make([]byte, size), 431},
		"what is not HTTP":           {"X: y\r\n : \x00\r\nContent-Length: 3145728", make([]byte, size), 400},
	} {
		t.Run(name, func(t *testing.T) {
			h := lingerHall(t)
			c := h.dial()
			if _, err := io.WriteString(c, "POST /x HTTP/1.1\r\nHost: x\r\n"+test.head+"\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond) // the refusal is on its way
			if _, err := io.Copy(c, bytes.NewReader(test.body)); err != nil {
				t.Fatalf("cut off: %v", err)
			}
			a, err := http.ReadResponse(bufio.NewReader(c), nil)
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
// the middle of its request, and reads why it is refused; it is closed soon, and when the
// listener is.
func TestRefusedConnectionsAreNotReset(t *testing.T) {
	h := openHall(t, ServerOptions{MaxConns: 1})
	first := h.dial()
	write(first, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if a, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil || a.StatusCode != 200 {
		t.Fatal(err)
	}
	clients := make([]net.Conn, 2*maxParted)
	for i := range clients {
		clients[i] = h.dial()
		write(clients[i], "GET / HTTP/1.1\r\n")
	}
	late := clients[maxParted:]
	for _, c := range late[len(late)-8:] {
		time.Sleep(5 * time.Millisecond) // what was sent has met a socket that is done
		if _, err := io.WriteString(c, "Host: x\r\n\r\n"); err != nil {
			t.Errorf("reset in the middle of a request: %v", err)
		}
	}
	for _, c := range clients {
		a, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || a.StatusCode != 503 {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	h.l.parted.mu.Lock()
	held := len(h.l.parted.conns)
	h.l.parted.mu.Unlock()
	if held > maxParted {
		t.Errorf("%d are held, want %d at most", held, maxParted)
	}
	await(t, "they are closed", func() bool {
		h.l.parted.mu.Lock()
		defer h.l.parted.mu.Unlock()
		return len(h.l.parted.conns) == 0 && h.l.parted.timer == nil
	})
	again := h.dial() // is left for the end
	if a, err := http.ReadResponse(bufio.NewReader(again), nil); err != nil || a.StatusCode != 503 {
		t.Fatalf("%+v, %v", a, err)
	}
}

// TestLingeringEnds: one who goes on sending is cut off after some of it, one who sends
// nothing more and does not close after a second, and nobody holds up the server's end.
func TestLingeringEnds(t *testing.T) {
	const head = "POST /x HTTP/1.1\r\nHost: x\r\nAuthorization: x\r\nContent-Length: 1000000000\r\n\r\n"
	var writer sync.WaitGroup
	t.Cleanup(writer.Wait) // which the server's end comes before
	h := lingerHall(t)
	endless, silent := h.dial(), h.dial()
	slow, err := net.Dial("tcp", h.addr) // closed when the server has ended
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{endless, silent, slow} {
		if _, err := io.WriteString(c, head); err != nil {
			t.Fatal(err)
		}
	}
	sent, err := io.Copy(endless, io.LimitReader(zeros{}, 1<<30))
	if err == nil {
		t.Errorf("%d bytes of a refused request were taken", sent)
	}
	if _, err := io.Copy(io.Discard, silent); err != nil {
		t.Errorf("the answer of one who sends nothing more ends with %v", err)
	}
	writer.Go(func() {
		defer slow.Close()
		for {
			if _, err := slow.Write([]byte{0}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	h.leftBut(1)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
