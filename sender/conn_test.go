package sender

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"posthaste/event"
	"posthaste/internal/netguard"
)

// TestGhost: the receiver sends an answer that nobody asked for while the
// connection rests. It must not become the answer of the next attempt.
func TestGhost(t *testing.T) {
	w := newWorld(t, Options{})
	haunt, haunted := make(chan struct{}), make(chan struct{})
	var requests atomic.Int32
	r := newReceiver(t, func(c net.Conn, q request, n int) bool {
		if requests.Add(1) > 1 {
			return say(answer503)(c, q, n)
		}
		defer close(haunted)
		_ = say(answer500)(c, q, n)
		<-haunt
		return say(ghost)(c, q, n)
	})
	ep := w.endpoint(r.url)
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassStatus, 500)
	close(haunt)
	<-haunted
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassStatus, 503)
	if s := w.sender.Stats(); s.Stale != 1 || r.conns.Load() != 2 {
		t.Errorf("%d stale, %d connections", s.Stale, r.conns.Load())
	}
}

// TestIdleClose: the receiver hangs up after each answer without saying so. No
// attempt is lost for it.
func TestIdleClose(t *testing.T) {
	w := newWorld(t, Options{})
	closed := make(chan struct{}, 1)
	r := newReceiver(t, func(c net.Conn, q request, n int) bool {
		_ = say(answerOK)(c, q, n)
		c.Close()
		closed <- struct{}{}
		return false
	})
	ep := w.endpoint(r.url)
	for range 4 {
		expect(t, w.attempt(ep, newEvent("{}")), event.ClassNone, 200)
		<-closed
	}
	if n := r.conns.Load(); n != 4 {
		t.Errorf("%d connections", n)
	}
}

// TestManyStale: more connections than one may retry are stale at once.
func TestManyStale(t *testing.T) {
	w := newWorld(t, Options{})
	const conns = 10
	arrived := make(chan struct{}, conns)
	answer := make(chan struct{})
	r := newReceiver(t, func(c net.Conn, q request, n int) bool {
		arrived <- struct{}{}
		<-answer
		return say(answerOK)(c, q, n)
	})
	ep := w.endpoint(r.url)
	var wg sync.WaitGroup
	for range conns {
		wg.Go(func() { expect(t, w.attempt(ep, newEvent("{}")), event.ClassNone, 200) })
	}
	for range conns {
		<-arrived
	}
	close(answer)
	wg.Wait()
	r.hangUp()
	for range conns {
		<-r.ended
	}
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassNone, 200)
	if s := w.sender.Stats(); s.Stale != conns || s.Conns != 1 {
		t.Errorf("%+v", s)
	}
}

func TestOldConnectionsAreNotUsed(t *testing.T) {
	for _, o := range []Options{{MaxConnAge: 1}, {IdleConn: 1}} {
		w := newWorld(t, o)
		r := newReceiver(t, say(answerOK))
		ep := w.endpoint(r.url)
		for range 3 {
			expect(t, w.attempt(ep, newEvent("{}")), event.ClassNone, 200)
		}
		if n := r.conns.Load(); n != 3 {
			t.Errorf("%+v: %d connections", o, n)
		}
	}
}

// TestConcurrency: K attempts at concurrency C open at most C connections.
func TestConcurrency(t *testing.T) {
	w := newWorld(t, Options{})
	r := newReceiver(t, say(answerOK))
	ep := w.endpoint(r.url)
	const workers, each = 8, 100
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				expect(t, w.attempt(ep, newEvent("{}")), event.ClassNone, 200)
			}
		})
	}
	wg.Wait()
	if n := r.conns.Load(); n > workers {
		t.Errorf("%d connections for %d workers", n, workers)
	}
}

// hold is a receiver that has taken a request and does not answer.
type hold struct {
	*receiver
	arrived, answer chan struct{}
}

func newHold(t testing.TB) *hold {
	h := &hold{arrived: make(chan struct{}, 100), answer: make(chan struct{})}
	h.receiver = newReceiver(t, func(c net.Conn, q request, n int) bool {
		h.arrived <- struct{}{}
		<-h.answer
		return say(answerOK)(c, q, n)
	})
	t.Cleanup(sync.OnceFunc(func() { close(h.answer) }))
	return h
}

func TestTooManyConnections(t *testing.T) {
	w := newWorld(t, Options{MaxConnsPerEndpoint: 2})
	h := newHold(t)
	ep := w.endpoint(h.url, func(e *event.Endpoint) { e.HTTPTimeout = 60 })
	var wg sync.WaitGroup
	results := make(chan *event.Attempt, 2)
	for range 2 {
		wg.Go(func() { results <- w.attempt(ep, newEvent("{}")) })
		<-h.arrived
	}
	a := w.attempt(ep, newEvent("{}"))
	expect(t, a, event.ClassLocal, 0)
	if a.Class.Charged() {
		t.Error("it counts against the endpoint")
	}
	for range 2 {
		h.answer <- struct{}{}
	}
	wg.Wait()
	expect(t, <-results, event.ClassNone, 200)
	expect(t, <-results, event.ClassNone, 200)
}

func TestCancel(t *testing.T) {
	w := newWorld(t, Options{})
	h := newHold(t)
	ep := w.endpoint(h.url)
	const n = 10
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			a := w.attempt(ep, newEvent("{}"))
			expect(t, a, event.ClassCancelled, 0)
			if a.Class.Charged() {
				t.Error("it counts against the endpoint")
			}
		})
	}
	for range n {
		<-h.arrived
	}
	w.sender.Cancel()
	w.sender.Cancel()
	wg.Wait()
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassCancelled, 0)
	if n := w.sender.Stats().Conns; n != 0 {
		t.Errorf("%d connections are open", n)
	}
}

func TestCancelDuringHandshake(t *testing.T) {
	w := newWorld(t, Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	done := make(chan *event.Attempt)
	ep := w.endpoint("https://" + ln.Addr().String())
	go func() { done <- w.attempt(ep, newEvent("{}")) }()
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); err != nil { // the handshake has begun
		t.Fatal(err)
	}
	w.sender.Cancel()
	expect(t, <-done, event.ClassCancelled, 0)
}

func TestCancelDuringLookup(t *testing.T) {
	asked := make(chan struct{})
	w := newWorld(t, Options{Dial: netguard.DialerOptions{Lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
		close(asked)
		<-ctx.Done()
		return nil, &net.DNSError{Err: "gave up", Name: host}
	}}})
	done := make(chan *event.Attempt)
	ep := w.endpoint("http://slow.example")
	go func() { done <- w.attempt(ep, newEvent("{}")) }()
	<-asked
	w.sender.Cancel()
	expect(t, <-done, event.ClassCancelled, 0)
}

func TestClose(t *testing.T) {
	w := newWorld(t, Options{})
	r := newReceiver(t, say(answerOK))
	h := newHold(t)
	resting, busy := w.endpoint(r.url), w.endpoint(h.url)
	expect(t, w.attempt(resting, newEvent("{}")), event.ClassNone, 200)
	done := make(chan *event.Attempt)
	go func() { done <- w.attempt(busy, newEvent("{}")) }()
	<-h.arrived
	w.sender.Close()
	w.sender.Close()
	<-r.ended // the connection that rested was closed
	expect(t, w.attempt(resting, newEvent("{}")), event.ClassCancelled, 0)
	h.answer <- struct{}{}
	expect(t, <-done, event.ClassNone, 200) // what was in flight finished,
	<-h.ended                               // and closed its connection behind it
	if s := w.sender.Stats(); s.Conns != 0 || s.Clients != 0 {
		t.Errorf("%+v", s)
	}
}
