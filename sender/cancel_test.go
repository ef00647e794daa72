package sender

import (
	"net"
	"testing"

	"posthaste/event"
)

// only selects one endpoint.
func only(id event.ID) func(event.ID) bool { return func(other event.ID) bool { return other == id } }

func TestCancelToSomeEndpoints(t *testing.T) {
	w := newWorld(t, Options{})
	cut, other := newHold(t), newHold(t)
	cutEP, otherEP := w.endpoint(cut.url), w.endpoint(other.url)
	const n = 5
	cancelled, answered := make(chan *event.Attempt), make(chan *event.Attempt)
	for range n {
		go func() { cancelled <- w.attempt(cutEP, newEvent("{}")) }()
		go func() { answered <- w.attempt(otherEP, newEvent("{}")) }()
		<-cut.arrived
		<-other.arrived
	}
	w.sender.CancelTo(only(cutEP.ID))
	for range n {
		a := <-cancelled
		expect(t, a, event.ClassCancelled, 0)
		if a.Class.Charged() {
			t.Error("it counts against the endpoint")
		}
	}
	for range n {
		other.answer <- struct{}{}
		expect(t, <-answered, event.ClassNone, 200)
	}
	for range n { // the receiver's own ends of what was cancelled
		cut.answer <- struct{}{}
	}
	// The endpoint is called again as if nothing had been.
	go func() { answered <- w.attempt(cutEP, newEvent("{}")) }()
	<-cut.arrived
	cut.answer <- struct{}{}
	expect(t, <-answered, event.ClassNone, 200)
}

func TestCancelToDuringHandshake(t *testing.T) {
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
	w.sender.CancelTo(only(ep.ID))
	expect(t, <-done, event.ClassCancelled, 0)
}

// An attempt whose endpoint was changed since it began is cancelled too: its
// connection belongs to what the endpoint was.
func TestCancelToAnEndpointThatChanged(t *testing.T) {
	w := newWorld(t, Options{})
	old, now := newHold(t), newHold(t)
	ep := w.endpoint(old.url)
	done := make(chan *event.Attempt)
	go func() { done <- w.attempt(ep, newEvent("{}")) }()
	<-old.arrived
	moved, err := w.catalog.UpdateEndpoint(ep.ProjectID, ep.ID, func(e *event.Endpoint) error { e.URL = now.url; return nil })
	if err != nil {
		t.Fatal(err)
	}
	again := make(chan *event.Attempt)
	go func() { again <- w.attempt(moved, newEvent("{}")) }()
	<-now.arrived
	w.sender.CancelTo(only(ep.ID))
	expect(t, <-done, event.ClassCancelled, 0)
	expect(t, <-again, event.ClassCancelled, 0)
}
