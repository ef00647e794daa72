package ingest

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// A client that does not take its answer is cut off.
func TestAnswerThatIsNotTaken(t *testing.T) {
	const size = 64 << 20 // more than sockets hold
	h := openHallWith(t, ServerOptions{WriteTimeout: 50 * time.Millisecond}, func(ctx *fasthttp.RequestCtx) {
		ctx.SetBody(make([]byte, size))
	})
	r, c := h.connect()
	write(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := r.Peek(1); err != nil { // it is being answered
		t.Fatal(err)
	}
	h.left()
	if n, _ := io.Copy(io.Discard, r); n >= size {
		t.Errorf("%d bytes came, to a client that did not read", n)
	}
}

// While the handler runs, nobody waits for the client.
func TestHandlerMayTakeItsTime(t *testing.T) {
	const limit = time.Second
	o := ServerOptions{ReadTimeout: limit, WriteTimeout: limit, IdleTimeout: time.Minute}
	h := openHallWith(t, o, func(ctx *fasthttp.RequestCtx) {
		time.Sleep(2 * limit)
		ctx.SetBodyString("served")
	})
	r, c := h.connect()
	for range 2 {
		h.serve(r, c)
	}
}

// A request that comes byte by byte has the time of one request, not of one byte,
// also on a connection that has served others.
func TestRequestByteByByte(t *testing.T) {
	h := openHall(t, ServerOptions{ReadTimeout: 2 * time.Second, IdleTimeout: time.Minute})
	r, c := h.connect()
	h.serve(r, c)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		write(c, "GET / HTTP/1.1\r\nX-Pad: ")
		for range 10_000 {
			if _, err := c.Write([]byte("a")); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusRequestTimeout {
		t.Errorf("answered %d", resp.StatusCode)
	}
	_ = c.Close()
	<-ended
}

// The watch looks only while there is something to look at.
func TestWatchRests(t *testing.T) {
	o := ServerOptions{}
	o.ensureDefaults()
	w := newWatch(&o)
	client, server := net.Pipe()
	defer client.Close()
	c := &conn{Conn: server, watch: w, leave: func() {}}
	w.add(c)
	if w.timer == nil || len(w.conns) != 1 {
		t.Fatalf("%d connections, timer %v", len(w.conns), w.timer)
	}
	w.remove(c)
	w.remove(c)
	w.look() // one that was under way
	if w.timer != nil || len(w.conns) != 0 {
		t.Errorf("%d connections, timer %v", len(w.conns), w.timer)
	}
}

// BenchmarkKeepAlive is one request after the other on a connection, with this
// package's watch and with fasthttp's own timeouts.
func BenchmarkKeepAlive(b *testing.B) {
	request := []byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
	answer := make([]byte, 4<<10)
	run := func(b *testing.B, addr string) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Write(request); err != nil {
				b.Fatal(err)
			}
			if _, err := c.Read(answer); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("timeouts=watch", func(b *testing.B) { run(b, openHall(b, ServerOptions{}).addr) })
	b.Run("timeouts=fasthttp", func(b *testing.B) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		s := Server(ServerOptions{}, func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString("served") })
		s.ReadTimeout, s.WriteTimeout, s.IdleTimeout = 30*time.Second, 30*time.Second, 75*time.Second
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(ln) }()
		run(b, ln.Addr().String())
		if err := s.Shutdown(); err != nil {
			b.Fatal(err)
		}
		<-ended
	})
}
