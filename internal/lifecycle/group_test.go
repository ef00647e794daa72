package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// journal is a group that writes down its steps.
type journal struct {
	*Group
	steps []string
}

func newJournal() *journal {
	j := &journal{}
	j.Group = NewGroup(func(s Step) {
		line := s.Verb + " " + s.Stage
		if s.Err != nil {
			line += " failed"
		}
		j.steps = append(j.steps, line)
	})
	return j
}

func (j *journal) want(t *testing.T, steps ...string) {
	t.Helper()
	if !slices.Equal(j.steps, steps) {
		t.Fatalf("steps: %s\nwant:  %s", strings.Join(j.steps, ", "), strings.Join(steps, ", "))
	}
}

func fails(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

func TestGroupStartsInOrderAndStopsInReverse(t *testing.T) {
	j := newJournal()
	for _, name := range []string{"log", "engine", "door"} {
		j.Add(name, NewFunc(nil, nil))
	}
	for range 2 {
		if err := j.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := j.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	j.want(t, "start log", "start engine", "start door", "stop door", "stop engine", "stop log")
}

func TestGroupStartFailureStopsWhatHadStarted(t *testing.T) {
	errFlush := errors.New("flush")
	j := newJournal()
	j.Add("log", NewFunc(nil, fails(errFlush)))
	j.Add("engine", NewFunc(nil, nil))
	j.Add("door", NewFunc(fails(errBoom), nil))
	j.Add("never", NewFunc(nil, nil))
	err := j.Start(t.Context())
	if !errors.Is(err, errBoom) || !errors.Is(err, errFlush) {
		t.Fatalf("Start = %v, want both errors", err)
	}
	if want := "start door: boom\nstop log: flush"; err.Error() != want {
		t.Fatalf("Start = %q, want %q", err, want)
	}
	if err := j.Stop(t.Context()); !errors.Is(err, errFlush) {
		t.Fatalf("Stop = %v", err)
	}
	j.want(t, "start log", "start engine", "start door failed", "stop engine", "stop log failed")
}

func TestGroupCleansUpAlthoughTheStartCtxHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	j := newJournal()
	j.Add("log", NewFunc(nil, func(ctx context.Context) error { return ctx.Err() }))
	j.Add("engine", NewFunc(func(context.Context) error { cancel(); return nil }, nil))
	j.Add("never", NewFunc(nil, nil))
	if err := j.Start(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "start never") {
		t.Fatalf("Start = %v", err)
	}
	j.want(t, "start log", "start engine", "stop engine", "stop log")
}

func TestGroupStopCollectsErrors(t *testing.T) {
	j := newJournal()
	j.Add("log", NewFunc(nil, fails(errors.New("one"))))
	j.Add("engine", NewFunc(nil, nil))
	j.Add("door", NewFunc(nil, fails(errors.New("two"))))
	if err := j.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := j.Stop(t.Context())
		if want := "stop door: two\nstop log: one"; err == nil || err.Error() != want {
			t.Fatalf("Stop = %v, want %q", err, want)
		}
	}
}

func TestGroupLeavesTheStagesBelowOneThatIsStillUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		j.Add("log", NewFunc(nil, nil))
		j.Add("engine", NewLoop("engine", func(ctx context.Context) error {
			<-ctx.Done()
			time.Sleep(time.Minute)
			return errBoom
		}))
		j.Add("door", NewFunc(nil, nil))
		if err := j.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		soft, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := j.Stop(soft)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stop engine") {
			t.Fatalf("Stop = %v", err)
		}
		j.want(t, "start log", "start engine", "start door", "stop door", "stop engine failed")
		j.steps = nil
		if err := j.Stop(t.Context()); !errors.Is(err, errBoom) {
			t.Fatalf("the next Stop = %v", err)
		}
		j.want(t, "stop engine failed", "stop log")
	})
}

func TestGroupStopDuringStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		j.Add("log", NewFunc(nil, nil))
		j.Add("engine", NewFunc(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, nil))
		j.Add("never", NewFunc(nil, nil))
		started := make(chan error, 1)
		go func() { started <- j.Start(t.Context()) }()
		synctest.Wait()
		if err := j.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-started; !errors.Is(err, ErrStopped) {
			t.Fatalf("Start = %v", err)
		}
		j.want(t, "start log", "start engine failed", "stop log")
	})
}

func TestGroupOfGroups(t *testing.T) {
	inner := NewGroup(nil)
	inner.Add("left", NewFunc(nil, fails(errBoom)))
	outer := NewGroup(nil)
	outer.Add("inner", inner)
	if err := outer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := outer.Stop(t.Context())
	if want := "stop inner: stop left: boom"; err == nil || err.Error() != want {
		t.Fatalf("Stop = %v, want %q", err, want)
	}
}

// TestStartStopStress calls Start and Stop from many goroutines at once. Whatever
// the order, every stage that started stops once, and only after those above it.
func TestStartStopStress(t *testing.T) {
	for round := range 200 {
		var mu sync.Mutex
		var up []int // the stages that are up, which must stay a stack
		g := NewGroup(nil)
		for i := range 3 {
			loop := NewLoop(fmt.Sprint(i), func(ctx context.Context) error { <-ctx.Done(); return nil })
			g.Add(fmt.Sprint("mark ", i), NewFunc(
				func(context.Context) error { mu.Lock(); defer mu.Unlock(); up = append(up, i); return nil },
				func(context.Context) error {
					mu.Lock()
					defer mu.Unlock()
					if len(up) == 0 || up[len(up)-1] != i {
						t.Errorf("round %d: stage %d stops while %v are up", round, i, up)
						return nil
					}
					up = up[:len(up)-1]
					return nil
				}))
			g.Add(fmt.Sprint("loop ", i), loop)
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%4 == 3 {
					cancel()
				}
				if i%2 == round%2 {
					_ = g.Start(ctx)
				} else {
					_ = g.Stop(ctx)
				}
			})
		}
		wg.Wait()
		if err := g.Stop(t.Context()); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if len(up) != 0 {
			t.Fatalf("round %d: %v still up", round, up)
		}
	}
}
