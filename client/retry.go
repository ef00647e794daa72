package client

import (
	"errors"
	"net/http"
	"time"
)

// firstPause is the wait before the second try where the answer names none; it doubles
// from try to try.
const firstPause = time.Second

// again reports whether a request that ended with err is to be sent again, and when.
func (c *Client) again(r Request, err error, try int) (time.Duration, bool) {
	var refused *Error
	if !r.Again || try >= c.o.Tries || !errors.As(err, &refused) || !refused.Busy() {
		return 0, false
	}
	pause := refused.RetryAfter
	if pause == 0 {
		pause = min(firstPause<<min(try-1, 10), c.o.MaxWait)
	}
	return pause, pause <= c.o.MaxWait
}

// Busy reports whether the server would take the same request later: it is limited
// (429) or overloaded (503).
func (e *Error) Busy() bool {
	return e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable
}
