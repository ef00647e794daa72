package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// hotPath is a whole server in this process, with a receiver and producers that
// allocate nothing for an event, so that what is allocated is the server's own.
type hotPath struct {
	tb        testing.TB
	app       *App
	key       string
	project   *catalog.Project
	endpoints []*catalog.Endpoint
	producers []*producer
	seq       uint64 // of the last delivery that was made up
}

// hotPathEndpoints is how many endpoints the events go to in turn.
const hotPathEndpoints = 16

// newHotPath starts a server on the disk with its default sizes. Its endpoints take so
// many attempts an hour; 0 is no limit. With a limit, all but the first deliveries stay
// in the log: what is allocated then is the intake's.
func newHotPath(tb testing.TB, perHour int) *hotPath {
	tb.Helper()
	url := frugalReceiver(tb) // ends after the server
	o := validOptions()
	o.DataDir, o.Listen, o.AdminListen = tb.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	o.AllowHTTP, o.EgressAllow = true, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	o.EndpointWindow, o.QueueBytes = 1_000_000, 1<<40
	if perHour > 0 {
		o.EndpointWindow = 1
	}
	o.OnFatal = func(err error) { panic(err) }
	a, err := New(o)
	h := &hotPath{tb: tb, app: a}
	h.must(err)
	h.must(a.Start(tb.Context()))
	tb.Cleanup(func() {
		if err := a.Stop(context.Background()); err != nil {
			tb.Errorf("stop: %v", err)
		}
	})
	config := event.DefaultProjectConfig()
	config.MultipleEndpointSubscriptions = true
	h.project, _, h.key, err = a.catalog.CreateProject(event.Project{Name: "shop", Config: config})
	h.must(err)
	for range hotPathEndpoints {
		ep, err := a.catalog.CreateEndpoint(event.Endpoint{
			ProjectID: h.project.ID, Name: "e", URL: url, RateLimit: perHour, RateLimitDuration: 3600,
		})
		h.must(err)
		_, err = a.catalog.EnsureSubscription(h.project.ID, ep.ID)
		h.must(err)
		h.endpoints = append(h.endpoints, a.catalog.Snapshot().Endpoint(ep.ID))
	}
	return h
}

func (h *hotPath) must(err error) {
	h.tb.Helper()
	if err != nil {
		h.tb.Fatal(err)
	}
}

// payload is the data of every event, of 1 KiB.
var payload = []byte(`{"order":"01HF8Z6Q3V7K2","pad":"` + strings.Repeat("0123456789abcdef", 61) + `12345678901234"}`)

// eventTo is the JSON of one event.
func eventTo(ep *catalog.Endpoint) string {
	return `{"endpoint_id":"` + ep.ID.String() + `","event_type":"order.created","data":` + string(payload) + `}`
}

// connect opens so many connections to the API, each of which posts requests of so
// many events.
func (h *hotPath) connect(conns, events int) {
	h.tb.Helper()
	for n := range conns {
		c, err := net.Dial("tcp", h.app.Addr())
		h.must(err)
		h.tb.Cleanup(func() { _ = c.Close() })
		path, media, body := "events", "application/json", eventTo(h.endpoints[n%len(h.endpoints)])
		if events > 1 {
			var lines strings.Builder
			for i := range events {
				lines.WriteString(eventTo(h.endpoints[i%len(h.endpoints)]) + "\n")
			}
			path, media, body = "events/batch", "application/x-ndjson", lines.String()
		}
		h.producers = append(h.producers, &producer{conn: c, answer: make([]byte, 64<<10), request: fmt.Appendf(nil,
			"POST /api/v1/projects/%s/%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
			h.project.ID, path, h.key, media, len(body), body)})
	}
}

// post sends n requests, shared out among the connections, and returns when all are
// answered.
func (h *hotPath) post(n int) {
	if len(h.producers) == 1 {
		h.check(h.producers[0].post(n))
		return
	}
	var wg sync.WaitGroup
	for i, p := range h.producers {
		share := (n + i) / len(h.producers)
		wg.Go(func() { h.check(p.post(share)) })
	}
	wg.Wait()
}

func (h *hotPath) check(err error) {
	if err != nil {
		h.tb.Error(err)
	}
}

// await returns when so many outcomes have been written altogether.
func (h *hotPath) await(settlements uint64) {
	h.tb.Helper()
	for end := time.Now().Add(time.Minute); h.app.m.settlements.Get() < settlements; time.Sleep(100 * time.Microsecond) {
		if time.Now().After(end) {
			h.tb.Fatalf("%d outcomes are written, want %d", h.app.m.settlements.Get(), settlements)
		}
	}
}

// producer posts one request after the other on a connection.
type producer struct {
	conn            net.Conn
	request, answer []byte
}

func (p *producer) post(n int) error {
	for range n {
		if _, err := p.conn.Write(p.request); err != nil {
			return err
		}
		answer, err := readMessage(p.conn, p.answer)
		if err != nil {
			return err
		}
		if !bytes.HasPrefix(answer, []byte("HTTP/1.1 201 ")) {
			return fmt.Errorf("answered %q", answer)
		}
	}
	return nil
}

// frugalReceiver answers every request with 200 and allocates nothing for it.
func frugalReceiver(tb testing.TB) (url string) {
	tb.Helper()
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
			wg.Go(func() { answerAll(c) })
		}
	})
	tb.Cleanup(func() { _ = ln.Close(); wg.Wait() })
	return "http://" + ln.Addr().String() + "/hook"
}

func answerAll(c net.Conn) {
	defer c.Close()
	buf, answer := make([]byte, 32<<10), []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok")
	for {
		if _, err := readMessage(c, buf); err != nil {
			return
		}
		if _, err := c.Write(answer); err != nil {
			return
		}
	}
}

// readMessage reads a request or an answer with a Content-Length into buf. The peer sends
// nothing more before it has an answer.
func readMessage(r io.Reader, buf []byte) ([]byte, error) {
	for n := 0; n < len(buf); {
		got, err := r.Read(buf[n:])
		if err != nil {
			return nil, err
		}
		n += got
		if length := messageLength(buf[:n]); length >= 0 && n >= length {
			return buf[:n], nil
		}
	}
	return nil, fmt.Errorf("more than %d bytes", len(buf))
}

// messageLength is the length of the message that starts with b; negative while its head
// is not whole.
func messageLength(b []byte) int {
	head, _, whole := bytes.Cut(b, []byte("\r\n\r\n"))
	if !whole {
		return -1
	}
	_, rest, _ := bytes.Cut(head, []byte("Content-Length: "))
	length := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		length = 10*length + int(c-'0')
	}
	return len(head) + 4 + length
}
