package sender

import (
	"bufio"
	"errors"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

const (
	// joinBytes: a body up to this long is copied behind the head, so that both
	// leave in one write. BenchmarkAttempt: the copy costs less than the call.
	joinBytes = 16 << 10
	// smallReadBytes is what an answer is read with at first. Many thousand
	// attempts may wait for answers, nearly all of which have small heads.
	smallReadBytes = 4 << 10
	// maxHeadBytes bounds the head of an answer, its interim answers and its trailers.
	maxHeadBytes = 16 << 10
)

// exchange is the working memory of one attempt.
type exchange struct {
	attempt  *event.Attempt
	begun    time.Time // when there is nothing left to wait for but the network
	deadline time.Time
	ended    time.Time
	keep     int // bytes of the answer's body that are recorded

	token string // the Authorization header's value, if it is a token
	body  []byte // the request's body, never changed
	out   []byte // the request's head, and behind it a small body

	small *bufio.Reader
	in    *bufio.Reader // small, or a larger one for a large head
	head  fasthttp.ResponseHeader
}

var exchanges = sync.Pool{New: func() any {
	return &exchange{small: bufio.NewReaderSize(nil, smallReadBytes)}
}}

func acquireExchange(a *event.Attempt, timeout time.Duration, keep int) *exchange {
	x := exchanges.Get().(*exchange)
	if timeout <= 0 {
		timeout = event.DefaultHTTPTimeout * time.Second
	}
	x.attempt, x.begun, x.deadline, x.keep = a, a.StartedAt, a.StartedAt.Add(timeout), keep
	return x
}

// releaseExchange takes x back. What is left in it refers to nothing of the attempt.
func releaseExchange(x *exchange) {
	x.small.Reset(nil)
	x.head.Reset()
	out := x.out[:0]
	if cap(out) > 4*joinBytes {
		out = nil
	}
	x.attempt, x.body, x.in, x.out, x.token = nil, nil, nil, out, ""
	x.begun, x.deadline, x.ended = time.Time{}, time.Time{}, time.Time{}
	exchanges.Put(x)
}

// end notes the time, unless run has.
func (x *exchange) end(err error) error {
	if x.ended.IsZero() {
		x.ended = time.Now()
	}
	return err
}

// run makes the exchange on c. keep says that c can carry another one.
func (x *exchange) run(c *conn) (keep bool, err error) {
	x.attempt.Address = c.address
	if c.rested.IsZero() {
		x.noteMade(&c.made)
	}
	if err := c.tcp.SetDeadline(x.deadline); err != nil {
		return false, &writeError{err}
	}
	sendErr := x.send(c)
	if sendErr != nil && timedOut(sendErr) {
		return false, &writeError{sendErr}
	}
	// A receiver may answer, with 413 say, and hang up before all is sent.
	x.in = x.small
	x.in.Reset(c)
	keep, err = x.readAnswer(c)
	x.ended = time.Now()
	if x.attempt.Timing.Wait == 0 {
		x.noteWait(x.ended)
	}
	if err != nil && sendErr != nil {
		err = &writeError{sendErr}
	}
	return keep && err == nil && sendErr == nil, err
}

func (x *exchange) send(c *conn) error {
	if len(x.body) <= joinBytes {
		x.out = append(x.out, x.body...)
		_, err := c.Write(x.out)
		return err
	}
	if _, err := c.Write(x.out); err != nil {
		return err
	}
	_, err := c.Write(x.body)
	return err
}

// writeError is about the sending of the request.
type writeError struct{ err error }

func (e *writeError) Error() string { return "send the request: " + e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

func timedOut(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}
