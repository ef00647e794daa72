package lifecycle

import (
	"context"
	"fmt"
	"runtime/pprof"
)

// Loop is a Service that is one goroutine.
type Loop struct {
	name string
	run  func(context.Context) error
	once *Func

	quit context.CancelFunc // ends the ctx of run; set by begin
	done chan struct{}      // closed when run has returned
	err  error              // what run returned; readable after done
}

var _ Service = (*Loop)(nil)

// NewLoop makes a Service of run, which goes on until its ctx ends. Start calls
// it in a goroutine of its own, labelled with the name in profiles. Stop ends
// its ctx, waits for it and returns its error, except that of the ended ctx.
func NewLoop(name string, run func(ctx context.Context) error) *Loop {
	l := &Loop{name: name, run: run, done: make(chan struct{})}
	l.once = NewFunc(l.begin, l.end)
	return l
}

// Start starts the goroutine, as Service says.
func (l *Loop) Start(ctx context.Context) error { return l.once.Start(ctx) }

// Stop ends the goroutine and waits for it, as Service says.
func (l *Loop) Stop(ctx context.Context) error { return l.once.Stop(ctx) }

// Done is closed when run has returned, asked or not. It stays open if the loop
// is never started.
func (l *Loop) Done() <-chan struct{} { return l.done }

func (l *Loop) begin(context.Context) error {
	ctx, quit := context.WithCancel(context.Background())
	l.quit = quit
	go func() {
		defer close(l.done)
		pprof.Do(ctx, pprof.Labels("loop", l.name), l.work)
	}()
	return nil
}

func (l *Loop) work(ctx context.Context) {
	if err := l.run(ctx); !endedBy(ctx, err) {
		l.err = err
	}
}

func (l *Loop) end(ctx context.Context) error {
	l.quit()
	select {
	case <-l.done:
		return l.err
	default:
	}
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return fmt.Errorf("wait for the goroutine of %s to end: %w", l.name, context.Cause(ctx))
	}
}
