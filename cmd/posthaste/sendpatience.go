package main

import (
	"context"
	"errors"
	"time"

	"posthaste/client"
)

// How long a server that is busy, or gone, is waited for.
const (
	busyTries    = 30
	goneTries    = 6
	firstBackoff = time.Second
	maxBackoff   = 30 * time.Second
	maxAskedWait = 5 * time.Minute
)

// submit posts a batch, again and again while the server says that it is busy. Where
// keys make sure that nothing is accepted twice, a lost connection is no end either.
func (f *fileSender) submit(ctx context.Context, batch []queued) ([]client.Outcome, error) {
	for try := 1; ; try++ {
		if err := f.gate.wait(ctx); err != nil {
			return nil, err
		}
		outcomes, err := f.once(ctx, batch)
		if err == nil || ctx.Err() != nil {
			return outcomes, err
		}
		wait, again := f.backoff(err, try)
		if !again {
			return nil, err
		}
		f.gate.hold(wait)
	}
}

// backoff is how long to wait after an error, if it is worth another try. A server that
// was never reached is not waited for: most likely it is not there.
func (f *fileSender) backoff(err error, try int) (time.Duration, bool) {
	wait := min(firstBackoff<<min(try-1, 10), maxBackoff)
	var refused *client.Error
	if !errors.As(err, &refused) {
		return wait, f.keyed && !errors.Is(err, client.ErrAnswer) && try < goneTries && f.outcome.any()
	}
	if !refused.Busy() {
		return 0, false
	}
	if refused.RetryAfter > 0 {
		wait = refused.RetryAfter
	}
	return wait, try < busyTries && wait <= maxAskedWait
}
