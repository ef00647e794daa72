package sender

import (
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// Attempt makes one attempt to deliver ev to ep and fills a with what was sent
// and what came of it. It returns when the attempt has ended, at the latest when
// ep.Timeout is over. Any goroutine may call it, with an a that is its own. The
// caller has set a.Number, a.Manual, a.DeliveryID and a.EndpointID; the capacity
// of a's byte slices is used again.
//
// Success is an answer of 200 to 299, see event.Attempt.Succeeded; redirects are
// not followed. StatusCode is 0 unless an answer was read. An answer counts once
// its head and as much of its body as is recorded are there. Its headers are
// recorded up to 8 KiB, cut between lines. RetryAfter is set from an answer of 429
// or 503.
//
// Credentials that cannot be had, an access token or a client certificate that is
// good, end the attempt as event.ClassAuth, and nothing is sent. Waiting for a token
// takes part of the attempt's time.
//
// Values of ep or p that are older than those of an attempt before are replaced
// by the newer ones, so that a change is never undone by an attempt that was
// waiting.
func (s *Sender) Attempt(p *catalog.Project, ep *catalog.Endpoint, d *event.Delivery, ev *event.Event, a *event.Attempt) {
	begin(a, ep.URL)
	if s.stopped.Load() {
		a.Class, a.Error = event.ClassCancelled, errAborted.Error()
		return
	}
	c := s.clients.get(p, ep, a.StartedAt)
	x := acquireExchange(a, c.endpoint.Timeout(), s.options.MaxResponseBodyBytes)
	err := s.exchange(x, c, d, ev)
	a.Duration = x.ended.Sub(a.StartedAt)
	s.conclude(x, c, err)
	releaseExchange(x)
}

// exchange sends the request and reads the answer.
func (s *Sender) exchange(x *exchange, c *client, d *event.Delivery, ev *event.Event) (err error) {
	if c.refused != nil {
		return x.end(c.refused)
	}
	x.attempt.URL = c.endpoint.URL
	if err = s.prepare(x, c, ev); err != nil {
		return x.end(err)
	}
	x.writeHead(c, d, ev)
	stale, err := c.target.do(x)
	if stale > 0 {
		s.staleSeen.Add(uint64(stale))
	}
	if err == nil && c.oauth != nil {
		s.heedToken(x, c)
	}
	return x.end(err)
}

// prepare gets what the request is made of: body and credentials.
func (s *Sender) prepare(x *exchange, c *client, ev *event.Event) (err error) {
	if x.body, err = c.body(ev); err != nil {
		return err
	}
	if err = c.target.check(x.begun); err != nil {
		return err
	}
	if c.oauth != nil {
		return s.getToken(x, c)
	}
	return nil
}

// conclude says how the attempt ended. The error decides, never the status: an
// attempt that failed has none.
func (s *Sender) conclude(x *exchange, c *client, err error) {
	a := x.attempt
	switch {
	case err == nil && a.StatusCode >= 200 && a.StatusCode <= 299:
		a.Class = event.ClassNone
	case err == nil:
		a.Class = event.ClassStatus
		x.heedRetryAfter()
	case s.cancelled.Load() || c.target.isCut():
		a.StatusCode, a.Class, a.Error = 0, event.ClassCancelled, errAborted.Error()
	default:
		a.StatusCode = 0
		x.classify(err)
	}
}

// begin clears what the last attempt left in a, but for its buffers and for what
// the caller has set.
func begin(a *event.Attempt, url string) {
	*a = event.Attempt{
		DeliveryID:      a.DeliveryID,
		EndpointID:      a.EndpointID,
		Number:          a.Number,
		Manual:          a.Manual,
		URL:             url,
		StartedAt:       time.Now(),
		RequestHeaders:  a.RequestHeaders[:0],
		ResponseHeaders: a.ResponseHeaders[:0],
		ResponseBody:    a.ResponseBody[:0],
	}
}
