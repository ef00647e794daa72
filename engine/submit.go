package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	matching "posthaste/match"
)

// Submit works out where each event is owed, and makes it durable. It returns
// when every accepted submission is on disk, with the events' ids set; refusals
// are in the submissions. An error means that nothing was accepted:
// event.ErrClosed, event.ErrOverloaded, that of Refuse, or the log's failure. Any
// goroutine.
//
// While this machine is the bottleneck, Submit returns a little later, at most
// a second, see pace.
func (e *Engine) Submit(ctx context.Context, subs []event.Submission) error {
	err := e.accept(ctx, subs)
	if err == nil {
		e.pace.hold()
	}
	return err
}

func (e *Engine) accept(ctx context.Context, subs []event.Submission) error {
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		return event.ErrClosed
	}
	if err := e.full.refused(); err != nil {
		return err
	}
	snap := e.o.Catalog.Snapshot()
	owed, in := 0, newInput()
	for i := range subs {
		if subs[i].Err == nil {
			subs[i].Err = e.routeWithin(snap, &subs[i], in, &owed)
		}
	}
	putInput(in)
	err := e.o.Store.Append(ctx, subs)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &event.OverloadError{What: "the log takes no more at the moment", After: time.Second}
	}
	return err
}

// routeWithin is route, and keeps what a request owes within one batch of the log.
func (e *Engine) routeWithin(snap *catalog.Snapshot, s *event.Submission, in *matching.Input, owed *int) error {
	if err := e.route(snap, s, in); err != nil {
		return err
	}
	if *owed+len(s.Event.Owed) > event.MaxOwedPerRequest {
		s.Event.Owed = nil
		return event.Invalid("", "the events of this request are owed to more than %d endpoints together: send this one in another request", event.MaxOwedPerRequest)
	}
	*owed += len(s.Event.Owed)
	return nil
}

// inputs are kept for the next request; filters may have parsed an event into them.
var inputs = sync.Pool{New: func() any { return new(matching.Input) }}

func newInput() *matching.Input { return inputs.Get().(*matching.Input) }

func putInput(in *matching.Input) {
	in.Reset(nil)
	inputs.Put(in)
}
