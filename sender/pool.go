package sender

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/panjf2000/ants/v2"

	"posthaste/event"
)

// What Pool's methods answer.
var (
	// ErrPoolFull: every worker is busy. The caller keeps the task.
	ErrPoolFull = errors.New("every worker is busy")
	// ErrPoolBusy: workers were still running when Stop's time was over.
	ErrPoolBusy = errors.New("workers are still running")
)

// idleWorker is how long a worker without a task keeps its goroutine.
const idleWorker = 10 * time.Second

// Pool runs tasks on at most so many goroutines as it was made for, which exist
// only while there is work. A task that panics ends, and nothing else does.
type Pool[T any] struct {
	run     func(T)
	onPanic func(task T, cause any, stack []byte)
	panics  atomic.Uint64
	workers *ants.PoolWithFuncGeneric[T]

	// gate is held for reading around each Invoke, and for writing to close, so
	// that no task starts behind Stop's back.
	gate struct {
		sync.RWMutex
		closed bool
	}
	stopped chan struct{} // closed when the last worker has ended
}

// PoolOption changes a Pool that is being made.
type PoolOption[T any] func(*Pool[T])

// OnPanic has f told of each task that panics, in the goroutine of its worker.
// f must not panic.
func OnPanic[T any](f func(task T, cause any, stack []byte)) PoolOption[T] {
	return func(p *Pool[T]) { p.onPanic = f }
}

// NewPool makes a pool of at most size workers, each calling run for one task
// after the other. Stop ends its goroutines.
func NewPool[T any](size int, run func(T), options ...PoolOption[T]) (*Pool[T], error) {
	if size <= 0 {
		return nil, fmt.Errorf("pool size %d: must be positive", size)
	}
	p := &Pool[T]{run: run, onPanic: func(T, any, []byte) {}, stopped: make(chan struct{})}
	for _, o := range options {
		o(p)
	}
	var err error
	p.workers, err = ants.NewPoolWithFuncGeneric(size, p.call, ants.WithNonblocking(true), ants.WithExpiryDuration(idleWorker))
	if err != nil {
		return nil, fmt.Errorf("pool of %d workers: %w", size, err)
	}
	return p, nil
}

// Invoke hands a task to a worker. It never waits. ErrPoolFull means that no
// worker is free, event.ErrClosed that Stop was called; the task was not taken.
func (p *Pool[T]) Invoke(task T) error {
	p.gate.RLock()
	defer p.gate.RUnlock()
	if p.gate.closed {
		return event.ErrClosed
	}
	if err := p.workers.Invoke(task); err != nil {
		return invokeError(err)
	}
	return nil
}

func invokeError(err error) error {
	if errors.Is(err, ants.ErrPoolOverload) {
		return ErrPoolFull
	}
	return err
}

// Running is how many workers there are, those that wait for a task included.
func (p *Pool[T]) Running() int { return p.workers.Running() }

// Panics is how many tasks have panicked.
func (p *Pool[T]) Panics() uint64 { return p.panics.Load() }

// Stop refuses new tasks and waits until those that were taken have ended, but
// no longer than timeout; then it returns ErrPoolBusy. It may be called again,
// after a hard stop say, to wait for the rest.
func (p *Pool[T]) Stop(timeout time.Duration) error {
	if p.close() {
		go p.release()
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.stopped:
		return nil
	case <-timer.C:
		return fmt.Errorf("%w: %d", ErrPoolBusy, p.Running())
	}
}

// close reports whether it was this call that closed the pool.
func (p *Pool[T]) close() bool {
	p.gate.Lock()
	defer p.gate.Unlock()
	first := !p.gate.closed
	p.gate.closed = true
	return first
}

// release ends with the last worker. It is a goroutine because ants waits only
// once, and Stop may have to wait again.
func (p *Pool[T]) release() {
	defer close(p.stopped)
	_ = p.workers.ReleaseContext(context.Background())
}

func (p *Pool[T]) call(task T) {
	defer func() {
		if cause := recover(); cause != nil {
			p.panics.Add(1)
			p.onPanic(task, cause, debug.Stack())
		}
	}()
	p.run(task)
}
