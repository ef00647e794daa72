package lifecycle

import (
	"context"
	"errors"
)

// ErrStopped is what Start returns once Stop has been called, before or
// meanwhile.
var ErrStopped = errors.New("already stopped")

// Service is something that runs in the background. Its methods are safe for
// any number of goroutines.
type Service interface {
	// Start brings the service up and returns. ctx bounds the starting only: the
	// service lives on after ctx ends. If Start fails, nothing is left running.
	// A second Start waits for the first and returns its result. After Stop, and
	// when Stop arrives meanwhile, it returns ErrStopped.
	Start(ctx context.Context) error

	// Stop takes the service down and blocks until all of it is gone, or until
	// ctx ends. If ctx ends first, the error wraps ctx.Err() and the service is
	// still on its way down: call Stop again to go on waiting. Any other error
	// says what went wrong in a service that is gone. Once it is gone, Stop
	// returns what it returned then. A service that never started is gone at once.
	Stop(ctx context.Context) error
}

// endedBy reports whether err says no more than that ctx has ended. From a Stop
// with that ctx, it means that something is still running.
func endedBy(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil &&
		(errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}
