package lifecycle

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var errBoom = errors.New("boom")

// counted is a Func with the numbers of calls that reached its functions.
type counted struct {
	*Func
	starts, stops int
}

func newCounted(startErr, stopErr error) *counted {
	c := &counted{}
	c.Func = NewFunc(
		func(context.Context) error { c.starts++; return startErr },
		func(context.Context) error { c.stops++; return stopErr },
	)
	return c
}

func (c *counted) want(t *testing.T, starts, stops int) {
	t.Helper()
	if c.starts != starts || c.stops != stops {
		t.Fatalf("%d starts and %d stops, want %d and %d", c.starts, c.stops, starts, stops)
	}
}

func TestFuncRunsEachFunctionOnce(t *testing.T) {
	ctx := t.Context()
	c := newCounted(nil, errBoom)
	for range 2 {
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := c.Stop(ctx); !errors.Is(err, errBoom) {
			t.Fatalf("Stop = %v, want its own error each time", err)
		}
	}
	if err := c.Start(ctx); !errors.Is(err, ErrStopped) {
		t.Fatalf("Start after Stop = %v", err)
	}
	c.want(t, 1, 1)
}

func TestStopBeforeStart(t *testing.T) {
	ctx := t.Context()
	c := newCounted(nil, nil)
	if err := c.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx); !errors.Is(err, ErrStopped) {
		t.Fatalf("Start = %v", err)
	}
	c.want(t, 0, 0)
}

func TestAFailedStartNeedsNoStop(t *testing.T) {
	ctx := t.Context()
	c := newCounted(errBoom, nil)
	for range 2 {
		if err := c.Start(ctx); !errors.Is(err, errBoom) {
			t.Fatalf("Start = %v", err)
		}
	}
	if err := c.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	c.want(t, 1, 0)
}

func TestNilFunctions(t *testing.T) {
	f := NewFunc(nil, nil)
	if err := errors.Join(f.Start(t.Context()), f.Stop(t.Context())); err != nil {
		t.Fatal(err)
	}
}

func TestStopCutsStartShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFunc(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, nil)
		started := make(chan error, 1)
		go func() { started <- f.Start(t.Context()) }()
		synctest.Wait()
		if err := f.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-started; !errors.Is(err, ErrStopped) {
			t.Fatalf("Start = %v", err)
		}
	})
}

func TestAStartThatIgnoresStopIsTakenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stops := 0
		f := NewFunc(
			func(context.Context) error { time.Sleep(time.Minute); return nil },
			func(context.Context) error { stops++; return nil },
		)
		started := make(chan error, 1)
		go func() { started <- f.Start(t.Context()) }()
		synctest.Wait()
		if err := f.Stop(t.Context()); err != nil || stops != 1 {
			t.Fatalf("Stop = %v after %d stops", err, stops)
		}
		if err := <-started; !errors.Is(err, ErrStopped) {
			t.Fatalf("Start = %v", err)
		}
	})
}

func TestStopWaitsForAnotherStopOrItsCtx(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFunc(nil, func(context.Context) error { time.Sleep(time.Hour); return errBoom })
		if err := f.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		first := make(chan error, 1)
		go func() { first <- f.Stop(t.Context()) }()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.Stop(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a short Stop = %v", err)
		}
		if err := f.Stop(t.Context()); !errors.Is(err, errBoom) {
			t.Fatalf("a second Stop = %v, want the first one's result", err)
		}
		<-first
	})
}

func TestStopWithAnEndedCtxStillStops(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 50 { // the ctx must never win by chance
		c := newCounted(nil, nil)
		if err := c.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Stop(ended); err != nil {
			t.Fatal(err)
		}
		c.want(t, 1, 1)
	}
}
