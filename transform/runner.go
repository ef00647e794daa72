package transform

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Call is one use of a function.
type Call struct {
	Function string
	Payload  []byte    // JSON
	Now      time.Time // what Date says
	Seed     uint64    // of Math.random
}

// Result is what came of a call.
type Result struct {
	Payload []byte   // JSON; nil if the call failed
	Log     []string // of console.log, also of a call that failed, as far as it is known
}

// Runner runs functions in child processes. Its methods may be called from any
// goroutine.
type Runner struct {
	opts  Options
	slots chan struct{} // one for each child that is at work
	done  chan struct{} // closed by Close

	mu       sync.Mutex // guards what follows
	closed   bool
	idle     []*process        // the one that worked last at the end
	all      map[*process]bool // started and not yet waited for
	children sync.WaitGroup    // the goroutines that wait for them; grows under mu while not closed
}

// New makes a Runner. It starts no process; opts must be valid once their
// defaults are filled in.
func New(opts Options) *Runner {
	opts.EnsureDefaults()
	return &Runner{
		opts:  opts,
		slots: make(chan struct{}, opts.Workers),
		done:  make(chan struct{}),
		all:   map[*process]bool{},
	}
}

// Run calls a function. It waits for a free child until ctx ends; if ctx ends
// during the call, the call is cut short. The error is an *Error if the function
// failed. ErrClosed, ctx's error and all others say nothing of the function.
func (r *Runner) Run(ctx context.Context, c Call) (Result, error) {
	if len(c.Payload) > r.opts.MaxPayloadBytes {
		return Result{}, fail(KindMemory, "the payload has %d bytes, more than %d", len(c.Payload), r.opts.MaxPayloadBytes)
	}
	a, payload, err := r.call(ctx, &request{Function: c.Function, NowNanos: c.Now.UnixNano(), Seed: c.Seed}, c.Payload)
	if err != nil {
		return Result{}, err
	}
	if err := a.err(); err != nil {
		return Result{Log: a.Log}, err
	}
	return Result{Payload: payload, Log: a.Log}, nil
}

// Check reports whether a source compiles and declares a function transform, as
// far as can be told without running it. The error is as Run's.
func (r *Runner) Check(function string) error {
	a, _, err := r.call(context.Background(), &request{Function: function, CheckOnly: true}, nil)
	if err != nil {
		return err
	}
	return a.err()
}

func (r *Runner) call(ctx context.Context, req *request, payload []byte) (*answer, []byte, error) {
	if len(req.Function) > r.opts.MaxFunctionBytes {
		return nil, nil, fail(KindSyntax, "has %d bytes, more than %d", len(req.Function), r.opts.MaxFunctionBytes)
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	case <-r.done:
		return nil, nil, ErrClosed
	}
	for {
		p, fresh, err := r.take()
		if err != nil {
			return nil, nil, err
		}
		a, result, again, err := p.do(ctx, req, payload, r.opts.Timeout, r.opts.MaxPayloadBytes)
		r.release(p, again)
		if errors.Is(err, errUnused) && !fresh {
			continue // it ended while it was idle; there are fewer of these each time
		}
		if err != nil && r.isClosed() {
			err = ErrClosed
		}
		return a, result, err
	}
}

// take hands out the idle child that worked last, or a fresh one.
func (r *Runner) take() (p *process, fresh bool, err error) {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, false, ErrClosed
	}
	for len(r.idle) > 0 && p == nil {
		p = r.idle[len(r.idle)-1]
		r.idle = r.idle[:len(r.idle)-1]
		if p.idle.Stop(); !p.alive() {
			p.close()
			p = nil
		}
	}
	if p == nil {
		r.children.Add(1)
	}
	r.mu.Unlock()
	if p != nil {
		return p, false, nil
	}
	p, err = r.start()
	return p, true, err
}

// start starts a child, which take has counted.
func (r *Runner) start() (*process, error) {
	p, err := startProcess(r.opts.Command, limits{
		TimeoutNanos: int64(r.opts.Timeout), MemoryBytes: r.opts.MemoryBytes, BodyBytes: r.opts.MaxPayloadBytes,
	})
	if err != nil {
		r.children.Done()
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all[p] = true; r.closed {
		p.kill()
	}
	go r.attend(p)
	return p, nil
}

// attend waits for a child's end.
func (r *Runner) attend(p *process) {
	defer r.children.Done()
	p.wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.all, p)
}

// release takes a child back after its call, or ends one that is of no use.
func (r *Runner) release(p *process, good bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !good || r.closed {
		p.kill()
		p.close()
		return
	}
	r.idle = append(r.idle, p)
	p.idle = time.AfterFunc(r.opts.IdleTimeout, func() { r.retire(p) })
}

// retire ends a child that is still idle.
func (r *Runner) retire(p *process) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.idle, p); i >= 0 {
		r.idle = slices.Delete(r.idle, i, i+1)
		p.close() // the end of its input
	}
}

func (r *Runner) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// Close ends all children, also those at work, whose calls return ErrClosed, and
// waits for them. Calls after it return ErrClosed. It may be called twice.
func (r *Runner) Close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.done)
		for _, p := range r.idle {
			p.idle.Stop()
			p.close()
		}
		r.idle = nil
		for p := range r.all {
			p.kill()
		}
	}
	r.mu.Unlock()
	r.children.Wait()
}
