package lifecycle

import (
	"context"
	"fmt"
)

// once makes a pair of plain functions, up and down, keep the contract of
// Service: it runs each at most once to its end, never both at the same time.
type once struct {
	turn     chan struct{}      // holds a token while somebody is in up or down
	stopping context.Context    // ended by the first Stop; makes up give up
	stop     context.CancelFunc // ends stopping

	// Guarded by turn.
	state state
	err   error // of up in failed, of down in gone
}

type state uint8

const (
	fresh   state = iota // neither up nor down has run
	running              // up succeeded
	failed               // up failed
	gone                 // down has run, or never needs to
)

func newOnce() once {
	o := once{turn: make(chan struct{}, 1)}
	o.stopping, o.stop = context.WithCancel(context.Background())
	return o
}

// take waits for the turn; a free one is had even with a ctx that has ended. The
// caller gives it back by receiving from turn.
func (o *once) take(ctx context.Context) error {
	select {
	case o.turn <- struct{}{}:
		return nil
	default:
	}
	select {
	case o.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for another Start or Stop to end: %w", context.Cause(ctx))
	}
}

// start runs up, unless it has run before or Stop has been called.
func (o *once) start(ctx context.Context, up func(context.Context) error) error {
	if err := o.take(ctx); err != nil {
		return err
	}
	defer func() { <-o.turn }()
	switch {
	case o.stopping.Err() != nil:
		return ErrStopped
	case o.state == running:
		return nil
	case o.state == failed:
		return o.err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(o.stopping, func() { cancel(ErrStopped) })()
	o.state, o.err = running, up(ctx)
	stopped := o.stopping.Err() != nil
	switch {
	case o.err != nil && stopped:
		o.state, o.err = failed, fmt.Errorf("%w while starting: %w", ErrStopped, o.err)
	case o.err != nil:
		o.state = failed
	case stopped:
		return ErrStopped // up did not notice; the Stop that waits takes it down
	}
	return o.err
}

// halt runs down, which copes with an up that never ran or failed. A down that
// is unfinished runs again at the next call.
func (o *once) halt(ctx context.Context, down func(context.Context) error) error {
	o.stop()
	if err := o.take(ctx); err != nil {
		return err
	}
	defer func() { <-o.turn }()
	if o.state == gone {
		return o.err
	}
	err := down(ctx)
	if endedBy(ctx, err) {
		return err
	}
	o.state, o.err = gone, err
	return err
}
