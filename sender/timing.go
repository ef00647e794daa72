package sender

import (
	"errors"
	"time"

	"posthaste/event"
)

// noteMade notes what it took to make the connection that the attempt is the first on.
func (x *exchange) noteMade(made *event.Timing) {
	t := &x.attempt.Timing
	t.Lookup, t.Connect, t.Handshake = made.Lookup, made.Connect, made.Handshake
}

// noteDial notes how far a connection came.
func (x *exchange) noteDial(err error) {
	var dial *dialError
	if errors.As(err, &dial) {
		x.noteMade(&dial.made)
	}
}

// noteFirstByte notes that the answer begins, when it first does.
func (x *exchange) noteFirstByte() {
	if x.attempt.Timing.Wait == 0 {
		x.noteWait(time.Now())
	}
}

// noteWait notes that the answer begins, or that none does.
func (x *exchange) noteWait(now time.Time) {
	t := &x.attempt.Timing
	t.Wait = max(0, now.Sub(x.attempt.StartedAt)-t.Before())
}
