package api

import (
	"context"
	"net/http"

	"posthaste/event"
)

// Worker does over again what was done: the engine. Any goroutine may call it.
type Worker interface {
	// Retry asks for another attempt of each delivery. It is durable when it returns:
	// one error each, nil for done. An error is event.ErrNotFound, or an
	// event.InvalidError or event.StateError that the client reads, or a failure of
	// the server's. force: for those that succeeded, and only for them. ctx ends only
	// the wait for attempts that are already on their way.
	Retry(ctx context.Context, project event.ID, deliveries []event.ID, force bool) []error
	// Replay routes an event again, to new deliveries. It is durable when it returns,
	// and its errors are those of Retry.
	Replay(ctx context.Context, project, ev event.ID) error
}

// Jobs runs work over many deliveries or events in the background. Any goroutine
// may call it. A job of another project is event.ErrNotFound.
type Jobs interface {
	// Submit starts a job: its project, kind, filter and rate are the caller's. It is
	// durable when Submit returns it with its id. The job keeps the filter's texts.
	Submit(event.Job) (event.Job, error)
	// Cancel ends a job that goes on, and changes none that has ended.
	Cancel(project, id event.ID) (event.Job, error)
	Get(project, id event.ID) (event.Job, error)
	// List returns the jobs of the range in the range's order, and fewer than
	// Range.Limit only when there are no more.
	List(project event.ID, r event.Range) ([]event.Job, error)
	// Wait returns a job once it has ended; an error if ctx ends first.
	Wait(ctx context.Context, project, id event.ID) (event.Job, error)
}

// errIdle refuses what needs a Worker or Jobs, in an API that has none.
var errIdle = &httpError{http.StatusNotImplemented, "this server only shows what was delivered; ask one that delivers"}

// idle is a Worker and Jobs that refuses everything.
type idle struct{}

func (idle) Retry(_ context.Context, _ event.ID, deliveries []event.ID, _ bool) []error {
	errs := make([]error, len(deliveries))
	for i := range errs {
		errs[i] = errIdle
	}
	return errs
}

func (idle) Replay(context.Context, event.ID, event.ID) error { return errIdle }
func (idle) Submit(event.Job) (event.Job, error)              { return event.Job{}, errIdle }
func (idle) Cancel(event.ID, event.ID) (event.Job, error)     { return event.Job{}, errIdle }
func (idle) Get(event.ID, event.ID) (event.Job, error)        { return event.Job{}, errIdle }
func (idle) List(event.ID, event.Range) ([]event.Job, error)  { return nil, errIdle }
func (idle) Wait(context.Context, event.ID, event.ID) (event.Job, error) {
	return event.Job{}, errIdle
}
