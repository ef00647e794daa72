package sender

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/event"
)

func TestPool(t *testing.T) {
	var sum atomic.Int64
	p, err := NewPool(4, func(n int) { sum.Add(int64(n)) })
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for i := 1; i <= 1000; i++ {
		switch err := p.Invoke(i); {
		case err == nil:
			taken += i
		case !errors.Is(err, ErrPoolFull):
			t.Fatal(err)
		}
	}
	if p.Running() > 4 {
		t.Errorf("%d workers", p.Running())
	}
	if err := p.Stop(time.Minute); err != nil {
		t.Fatal(err)
	}
	if sum.Load() != int64(taken) {
		t.Errorf("tasks worth %d were taken, %d done", taken, sum.Load())
	}
	if err := p.Invoke(1); !errors.Is(err, event.ErrClosed) {
		t.Errorf("Invoke after Stop: %v", err)
	}
	if err := p.Stop(time.Minute); err != nil {
		t.Errorf("second Stop: %v", err)
	}
}

func TestPoolIsBounded(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	p, err := NewPool(2, func(struct{}) { started <- struct{}{}; <-release })
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Invoke(struct{}{}); err != nil {
			t.Fatal(err)
		}
		<-started
	}
	if err := p.Invoke(struct{}{}); !errors.Is(err, ErrPoolFull) {
		t.Errorf("third task: %v", err)
	}
	// The soft stop fails, the tasks are cut short, the second stop waits for them.
	if err := p.Stop(time.Millisecond); !errors.Is(err, ErrPoolBusy) {
		t.Errorf("Stop with busy workers: %v", err)
	}
	close(release)
	if err := p.Stop(time.Minute); err != nil {
		t.Errorf("second Stop: %v", err)
	}
}

func TestPoolSurvivesPanics(t *testing.T) {
	type report struct {
		task  int
		cause any
	}
	reports := make(chan report, 100)
	done := make(chan int, 100)
	p, err := NewPool(1, func(n int) {
		if n%2 == 0 {
			panic("even")
		}
		done <- n
	}, OnPanic(func(task int, cause any, stack []byte) {
		if len(stack) == 0 {
			t.Error("no stack")
		}
		reports <- report{task, cause}
	}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		for p.Invoke(i) != nil {
			time.Sleep(time.Millisecond) // the one worker is about to be free
		}
		if i%2 == 0 {
			if r := <-reports; r.task != i || r.cause != "even" {
				t.Errorf("reported %+v", r)
			}
		} else if n := <-done; n != i {
			t.Errorf("done %d", n)
		}
	}
	if p.Panics() != 5 {
		t.Errorf("%d panics", p.Panics())
	}
	if err := p.Stop(time.Minute); err != nil {
		t.Fatal(err)
	}
}

func TestPoolRefusesSilly(t *testing.T) {
	for _, n := range []int{0, -1} {
		if _, err := NewPool(n, func(int) {}); err == nil {
			t.Errorf("size %d was taken", n)
		}
	}
}

// TestPoolStopUnderLoad: what Invoke took is done when Stop returns, never later.
func TestPoolStopUnderLoad(t *testing.T) {
	for range 50 {
		var done, taken atomic.Int64
		p, err := NewPool(3, func(int) { done.Add(1) })
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() {
				for {
					switch err := p.Invoke(1); {
					case err == nil:
						taken.Add(1)
					case errors.Is(err, event.ErrClosed):
						return
					}
				}
			})
		}
		if err := p.Stop(time.Minute); err != nil {
			t.Fatal(err)
		}
		after := done.Load()
		wg.Wait()
		if after != taken.Load() {
			t.Fatalf("%d taken, %d done", taken.Load(), after)
		}
	}
}
