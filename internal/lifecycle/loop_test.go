package lifecycle

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestLoopRunsUntilStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ticks := 0
		l := NewLoop("ticker", func(ctx context.Context) error {
			for {
				select {
				case <-time.After(time.Second):
					ticks++
				case <-ctx.Done():
					return ctx.Err()
				}
			}
		})
		starting, cancel := context.WithCancel(t.Context())
		if err := l.Start(starting); err != nil {
			t.Fatal(err)
		}
		cancel() // bounds the starting, not the life
		time.Sleep(10*time.Second + 1)
		if err := l.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if ticks != 10 {
			t.Fatalf("%d ticks in 10 s", ticks)
		}
		<-l.Done()
	})
}

func TestLoopThatEndsByItself(t *testing.T) {
	l := NewLoop("short", func(context.Context) error { return errBoom })
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-l.Done()
	if err := l.Stop(t.Context()); !errors.Is(err, errBoom) {
		t.Fatalf("Stop = %v", err)
	}
}

func TestLoopThatIsSlowToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLoop("slow", func(ctx context.Context) error { <-ctx.Done(); time.Sleep(time.Minute); return nil })
		if err := l.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.Stop(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Stop = %v", err)
		}
		if err := l.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		select {
		case <-l.Done():
		default:
			t.Fatal("Stop returned before the goroutine ended")
		}
	})
}
