package event

import "time"

// Timing is where the time of an attempt went, in the order in which it did, each to the
// microsecond. What was not done took none: an attempt over a connection that was there
// already has a Wait only. What is left of Attempt.Duration is the time from the answer's
// first byte to its end. All zero: it is not known, or the attempt ended before any of it.
type Timing struct {
	Token     time.Duration // getting an access token, or waiting for one
	Lookup    time.Duration // resolving the host's name
	Connect   time.Duration // TCP, or the way through the proxy
	Handshake time.Duration // TLS
	Wait      time.Duration // all else before the answer's first byte, or the attempt's end
}

// Before is the time until the connection was there.
func (t *Timing) Before() time.Duration { return t.Token + t.Lookup + t.Connect + t.Handshake }

// Rest is what is left of an attempt that took so long: reading the answer.
func (t *Timing) Rest(duration time.Duration) time.Duration {
	return max(0, duration-t.Before()-t.Wait)
}
