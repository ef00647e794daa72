package lifecycle

import "context"

// Func is a Service made of two functions. It runs start at most once, and stop
// only after a start that succeeded; a stop that ends because its ctx did is
// run again by the next Stop, any other only once.
type Func struct {
	once        once
	start, stop func(context.Context) error
	up          bool // guarded by once.turn
}

var _ Service = (*Func)(nil)

// NewFunc makes a Service of start and stop. Either may be nil for nothing to do.
func NewFunc(start, stop func(context.Context) error) *Func {
	return &Func{once: newOnce(), start: start, stop: stop}
}

// Start runs the start function, as Service says.
func (f *Func) Start(ctx context.Context) error { return f.once.start(ctx, f.raise) }

// Stop runs the stop function, as Service says.
func (f *Func) Stop(ctx context.Context) error { return f.once.halt(ctx, f.lower) }

func (f *Func) raise(ctx context.Context) error {
	if f.start != nil {
		if err := f.start(ctx); err != nil {
			return err
		}
	}
	f.up = true
	return nil
}

func (f *Func) lower(ctx context.Context) error {
	if !f.up || f.stop == nil {
		return nil
	}
	return f.stop(ctx)
}
