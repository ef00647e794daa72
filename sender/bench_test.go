package sender

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/catalog"
	"posthaste/event"
)

// frugal is a receiver that costs as little as one can and allocates nothing per
// request. A request must end with "!", and must not have one before.
func frugal(tb testing.TB) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { frugalConn(c) })
		}
	})
	tb.Cleanup(func() { ln.Close(); wg.Wait() })
	return "http://" + ln.Addr().String() + "/hook"
}

func frugalConn(c net.Conn) {
	defer c.Close()
	buf, answer := make([]byte, 32<<10), []byte(answerOK)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if buf[n-1] == '!' {
			_, _ = c.Write(answer)
		}
	}
}

type call struct {
	ep *catalog.Endpoint
	d  *event.Delivery
	ev *event.Event
	a  *event.Attempt
}

func newCall(ep *catalog.Endpoint, size int) *call {
	ev := newEvent(strings.Repeat("x", size-1) + "!")
	return &call{ep, &event.Delivery{ID: event.NewID(), EventID: ev.ID, EndpointID: ep.ID}, ev, &event.Attempt{}}
}

func (c *call) make(w *world) { w.sender.Attempt(w.project, c.ep, c.d, c.ev, c.a) }

// BenchmarkAttempt signs, sends and records; BenchmarkBareDo, beside it, is what
// fasthttp's own Do needs for the same body without any of that.
func BenchmarkAttempt(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("body=%d", size), func(b *testing.B) {
			url := frugal(b) // ends after the sender has closed
			w := newWorld(b, Options{})
			ep := w.endpoint(url)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				c := newCall(ep, size)
				for pb.Next() {
					if c.make(w); !c.a.Succeeded() {
						b.Fatal(c.a.Error)
					}
				}
			})
		})
	}
}

func BenchmarkBareDo(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10} {
		b.Run(fmt.Sprintf("body=%d", size), func(b *testing.B) {
			url := frugal(b)
			hc := &fasthttp.HostClient{
				Addr:        strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/hook"),
				ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
				MaxIdleConnDuration: 100 * time.Millisecond, // its cleaner ends soon after
				DialTimeout:         func(addr string, d time.Duration) (net.Conn, error) { return net.DialTimeout("tcp", addr, d) },
			}
			body := []byte(strings.Repeat("x", size-1) + "!")
			b.Cleanup(hc.CloseIdleConnections)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
				for pb.Next() {
					req.SetRequestURI(url)
					req.Header.SetMethod("POST")
					req.Header.SetContentType("application/json")
					req.SetBodyRaw(body)
					if err := hc.DoTimeout(req, resp, 10*time.Second); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkCompose makes the bytes of a request and the record of its headers, signature
// and all, for endpoints of different kinds; nothing is sent.
func BenchmarkCompose(b *testing.B) {
	w := newWorld(b, Options{})
	const url = "http://127.0.0.1:8080/hook"
	for _, bc := range []struct {
		name    string
		ep      *catalog.Endpoint
		headers []event.Header
	}{
		{"ordinary", w.endpoint(url), nil},
		{"standard", w.signed(url, event.SignStandard), nil},
		{"headers", w.altered(url, func(e *event.Endpoint) {
			e.Authentication, e.CustomHeaders = basicAuth("u", "p"), headers("X-A", "1", "X-B", "2")
		}), headers("X-A", "b", "X-C", "c", "User-Agent", "mine")},
	} {
		for _, size := range []int{256, 1 << 10, 64 << 10} {
			b.Run(fmt.Sprintf("endpoint=%s/body=%d", bc.name, size), func(b *testing.B) {
				c := newCall(bc.ep, size)
				c.ev.Headers = bc.headers
				begin(c.a, url)
				client := w.sender.clients.get(w.project, c.ep, c.a.StartedAt)
				x := acquireExchange(c.a, client.endpoint.Timeout(), 4096)
				defer releaseExchange(x)
				b.ReportAllocs()
				for b.Loop() {
					if err := w.sender.prepare(x, client, c.ev); err != nil {
						b.Fatal(err)
					}
					x.writeHead(client, c.d, c.ev)
				}
				b.ReportMetric(float64(len(x.out)), "head-B")
			})
		}
	}
}

func BenchmarkPool(b *testing.B) {
	done := make(chan struct{}, 1)
	p, err := NewPool(16, func(int) { done <- struct{}{} })
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := p.Invoke(i); err != nil {
			b.Fatal(err)
		}
		<-done
	}
	if err := p.Stop(time.Minute); err != nil {
		b.Fatal(err)
	}
}

// TestAttemptAllocatesNothing once its connection and its buffers are there,
// whatever the endpoint asks for; but a token costs the deadline that it is awaited
// until.
func TestAttemptAllocatesNothing(t *testing.T) {
	if raceEnabled {
		return
	}
	url := frugal(t) // ends after the sender has closed
	w := newWorld(t, Options{})
	w.configure(func(c *event.ProjectConfig) { c.AddEventIDTraceHeaders = true })
	for name, tc := range map[string]struct {
		ep     *catalog.Endpoint
		allows float64
	}{
		"ordinary": {w.endpoint(url), 0},
		"standard": {w.signed(url, event.SignStandard), 0},
		"all kinds of headers": {w.altered(url, func(e *event.Endpoint) {
			e.Authentication, e.CustomHeaders = basicAuth("u", "p"), headers("X-A", "1", "X-B", "2")
		}), 0},
		"token": {w.withToken(url, newTokenServer(t, nil).url), 4},
	} {
		c := newCall(tc.ep, 1<<10)
		c.ev.IdempotencyKey = "key"
		c.ev.Headers = headers("X-A", "b", "User-Agent", "mine")
		c.make(w)
		n := testing.AllocsPerRun(500, func() { c.make(w) })
		if !c.a.Succeeded() || n >= tc.allows+1 {
			t.Errorf("%s: %v allocations, error %q", name, n, c.a.Error)
		}
	}
}
