package engine

import "sync/atomic"

// full is what the engine refuses and leaves alone while the disk is full.
type full struct {
	refuse atomic.Pointer[error] // of Submit, Replay and Retry; nil: they are taken
	held   atomic.Bool           // no attempt begins
}

// Refuse makes Submit, Replay and Retry return err from now on, or take what comes again
// if it is nil. What the engine writes by itself it goes on to write. Any goroutine.
func (e *Engine) Refuse(err error) {
	if err == nil {
		e.full.refuse.Store(nil)
		return
	}
	e.full.refuse.Store(&err)
}

// Hold keeps attempts from beginning, or lets them go on. Those on their way end, and
// their outcomes are written. It may be called before Start, and from any goroutine.
func (e *Engine) Hold(on bool) {
	if e.full.held.Swap(on) == on || on {
		return
	}
	for _, s := range e.shards {
		s.mu.Lock()
		s.start()
		s.mu.Unlock()
		s.wake()
	}
}

// refused is why nothing new is taken at the moment; nil if it is.
func (f *full) refused() error {
	if err := f.refuse.Load(); err != nil {
		return *err
	}
	return nil
}
