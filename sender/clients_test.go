package sender

import (
	"net"
	"sync"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

func (w *world) update(ep *catalog.Endpoint, change func(*event.Endpoint)) *catalog.Endpoint {
	w.t.Helper()
	ep, err := w.catalog.UpdateEndpoint(w.project.ID, ep.ID, func(e *event.Endpoint) error { change(e); return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return ep
}

func TestChangedURL(t *testing.T) {
	w := newWorld(t, Options{})
	before, after := newReceiver(t, say(answerOK)), newReceiver(t, say(answerOK))
	old := w.endpoint(before.url)
	expect(t, w.attempt(old, newEvent("{}")), event.ClassNone, 200)
	ep := w.update(old, func(e *event.Endpoint) { e.URL = after.url })
	if a := w.attempt(ep, newEvent("{}")); a.URL != after.url || a.Address != after.addr {
		t.Errorf("called %s at %s", a.URL, a.Address)
	}
	<-before.ended // its connection was closed

	// An attempt that still has the old value goes where the endpoint is now.
	if a := w.attempt(old, newEvent("{}")); a.URL != after.url || a.Address != after.addr {
		t.Errorf("called %s at %s", a.URL, a.Address)
	}
	if n := before.conns.Load(); n != 1 {
		t.Errorf("%d connections to the old URL", n)
	}
}

func TestOtherChangesKeepTheConnection(t *testing.T) {
	w := newWorld(t, Options{})
	r := newRecorder(t)
	ep := w.endpoint(r.url)
	r.send(w, ep, newEvent("1"))
	ep = w.update(ep, func(e *event.Endpoint) {
		e.URL = "http://" + r.addr + "/elsewhere"
		e.Authentication = &event.Authentication{Type: "api_key", APIKey: &event.APIKeyAuth{HeaderName: "X-Key", HeaderValue: "v"}}
	})
	q, _ := r.send(w, ep, newEvent("1"))
	compare(t, golden(r, q.head), "POST /elsewhere HTTP/1.1\nHost: HOST\nUser-Agent: posthaste/1.2.3\nContent-Type: application/json\n"+
		"X-Key: v\nContent-Length: 1\nX-Convoy-Signature: SIGNATURE\nConvoy-Timestamp: NOW\n\n")
	w.configure(func(c *event.ProjectConfig) { c.Signature.Header = "X-New" })
	q, _ = r.send(w, ep, newEvent("1"))
	compare(t, golden(r, q.head), "POST /elsewhere HTTP/1.1\nHost: HOST\nUser-Agent: posthaste/1.2.3\nContent-Type: application/json\n"+
		"X-Key: v\nContent-Length: 1\nX-New: SIGNATURE\nConvoy-Timestamp: NOW\n\n")
	if n := r.conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

func TestRestingEndpointsAreForgotten(t *testing.T) {
	w := newWorld(t, Options{IdleConn: time.Hour, IdleClient: 2 * time.Hour})
	r := newReceiver(t, say(answerOK))
	ep := w.endpoint(r.url)
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassNone, 200)
	f := func(after time.Duration, clients, conns int) {
		t.Helper()
		w.sender.clients.sweep(time.Now().Add(after))
		if s := w.sender.Stats(); s.Clients != clients || s.Conns != conns {
			t.Errorf("after %s: %+v", after, s)
		}
	}
	f(59*time.Minute, 1, 1)
	f(61*time.Minute, 1, 0)
	<-r.ended
	f(119*time.Minute, 1, 0)
	f(121*time.Minute, 0, 0)
	expect(t, w.attempt(ep, newEvent("{}")), event.ClassNone, 200)
	f(121*time.Minute, 0, 0)
	<-r.ended
}

func TestSweepRuns(t *testing.T) {
	w := newWorld(t, Options{IdleConn: time.Millisecond, IdleClient: time.Millisecond})
	r := newReceiver(t, say(answerOK))
	expect(t, w.attempt(w.endpoint(r.url), newEvent("{}")), event.ClassNone, 200)
	<-r.ended
}

// TestForgottenInFlight: an endpoint is forgotten while an attempt is under way.
// The attempt ends well, and its connection does not stay behind.
func TestForgottenInFlight(t *testing.T) {
	w := newWorld(t, Options{})
	h := newHold(t)
	done := make(chan *event.Attempt)
	ep := w.endpoint(h.url)
	go func() { done <- w.attempt(ep, newEvent("{}")) }()
	<-h.arrived
	w.sender.clients.sweep(time.Now().Add(time.Hour))
	h.answer <- struct{}{}
	expect(t, <-done, event.ClassNone, 200)
	<-h.ended
	if s := w.sender.Stats(); s.Conns != 0 || s.Clients != 0 {
		t.Errorf("%+v", s)
	}
}

func TestMaxClients(t *testing.T) {
	w := newWorld(t, Options{MaxClients: 2 * clientShards})
	r := newReceiver(t, say(answerOK))
	const endpoints = 400
	for range endpoints {
		expect(t, w.attempt(w.endpoint(r.url), newEvent("{}")), event.ClassNone, 200)
	}
	s := w.sender.Stats()
	if s.Clients > 2*clientShards || s.Clients < clientShards/2 || s.Conns != s.Clients {
		t.Errorf("%+v", s)
	}
	for range endpoints - s.Conns {
		<-r.ended
	}
}

// TestChangesUnderLoad: endpoints change, rest and are forgotten while attempts
// run; every attempt succeeds and nothing stays open behind them.
func TestChangesUnderLoad(t *testing.T) {
	w := newWorld(t, Options{MaxClients: 1})
	one, two := newReceiver(t, say(answerOK)), newReceiver(t, say(answerOK))
	ep := w.endpoint(one.url)
	stop := make(chan struct{})
	var changing, attempting sync.WaitGroup
	changing.Go(func() {
		urls := []string{two.url, one.url}
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := w.catalog.UpdateEndpoint(w.project.ID, ep.ID, func(e *event.Endpoint) error { e.URL = urls[i%2]; return nil }); err != nil {
				t.Error(err)
				return
			}
			w.sender.clients.sweep(time.Now().Add(time.Hour * time.Duration(i%2)))
		}
	})
	for range 4 {
		attempting.Go(func() {
			for range 200 {
				expect(t, w.attempt(w.catalog.Snapshot().Endpoint(ep.ID), newEvent("{}")), event.ClassNone, 200)
			}
		})
	}
	attempting.Wait()
	close(stop)
	changing.Wait()
	w.sender.Close()
	if s := w.sender.Stats(); s.Conns != 0 || s.Clients != 0 {
		t.Errorf("%+v", s)
	}
}

// TestMaxConcurrency: an endpoint that may have more attempts at once than others
// has the connections for them, and not fewer than others otherwise.
func TestMaxConcurrency(t *testing.T) {
	w := newWorld(t, Options{MaxConnsPerEndpoint: 2})
	arrived, answer := make(chan struct{}, 10), make(chan struct{})
	r := newReceiver(t, func(c net.Conn, q request, n int) bool {
		arrived <- struct{}{}
		<-answer
		return say(answerOK)(c, q, n)
	})
	f := func(ep *catalog.Endpoint, conns int) {
		t.Helper()
		var wg sync.WaitGroup
		for range conns {
			wg.Go(func() { expect(t, w.attempt(ep, newEvent("1")), event.ClassNone, 200) })
		}
		for range conns {
			<-arrived
		}
		expect(t, w.attempt(ep, newEvent("1")), event.ClassLocal, 0)
		for range conns {
			answer <- struct{}{}
		}
		wg.Wait()
	}
	ep := w.endpoint(r.url)
	f(ep, 2)
	ep = w.update(ep, func(e *event.Endpoint) { e.MaxConcurrency = 5 })
	f(ep, 5)
	ep = w.update(ep, func(e *event.Endpoint) { e.MaxConcurrency = 1 })
	f(ep, 2)
}
