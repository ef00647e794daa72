package jobs

import (
	"context"
	"time"

	"posthaste/event"
	"posthaste/search"
)

// Store keeps jobs. Its methods may be called from any goroutine. An error that is
// event.ErrClosed is final, others are tried again.
type Store interface {
	// PutJob writes a job in place of the one with its id; durable when it returns.
	PutJob(event.Job) error
	// Job is event.ErrNotFound if the project has no such job.
	Job(project, id event.ID) (event.Job, error)
	// RunningJobs are those of all projects in the state event.JobRunning.
	RunningJobs() ([]event.Job, error)
}

// Lister lists what jobs work on, in ascending order of ids, and reads what a search asks
// of it. Its methods may be called from any goroutine.
type Lister interface {
	search.Reader
	Deliveries(project event.ID, r event.Range, f event.DeliveryFilter) ([]event.Delivery, event.Scan, error)
	Events(project event.ID, r event.Range, f event.EventFilter) ([]*event.Event, event.Scan, error)
}

// Doer does the work. Its methods may be called from any goroutine, and return soon
// after ctx has ended. Of their errors, event.ErrClosed means that the work was not
// done and the job has to stop, event.ErrOverloaded that it was not done and is to
// be asked for again later, event.ErrConflict and event.ErrNotFound that there was
// nothing to be done, and any other that it failed.
type Doer interface {
	// Retry has each of the deliveries attempted again: one result for each, nil once
	// that is durable.
	Retry(ctx context.Context, project event.ID, deliveries []event.ID) []error
	// Replay routes an event again, to new deliveries; nil once they are durable.
	Replay(ctx context.Context, project, eventID event.ID) error
}

// Options set up a Runner.
type Options struct {
	Store  Store  // required
	Lister Lister // required
	Doer   Doer   // required

	// MaxRunning is how many jobs may be at work at once, of all projects; 4 by
	// default. Others wait for their turn between two pages.
	MaxRunning int

	// Now is the clock by which the store dates what changes; time.Now by default. Any
	// goroutine calls it.
	Now func() time.Time

	// Ended is told of each job that ends, and of each that is interrupted (err is
	// event.ErrClosed) or whose end could not be written down. It is called by the job's
	// goroutine and must not block. nil: nobody is told.
	Ended func(job event.Job, err error)
}

func (o *Options) ensureDefaults() {
	if o.MaxRunning <= 0 {
		o.MaxRunning = 4
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Ended == nil {
		o.Ended = func(event.Job, error) {}
	}
}
