// Package jobs runs work over many deliveries or events in the background: batch
// retries and batch replays that go at a rate, survive a restart and can be cancelled.
//
// The one idea: a job is a cursor. It goes through ids in ascending order, a page at
// a time, and what is written down of it, beside counts, is the id up to which all is
// done. A job that was interrupted goes on from there.
//
// A job looks at what there was when it was submitted, and no further: at ids up to
// its own time, and, of deliveries, at those that nothing has happened to since. So
// each delivery is retried once, whatever a crash makes of the cursor, because one
// that was retried is not what it was before. An event is not changed by a replay:
// after a crash, those since the last cursor, one page at most, are replayed again.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"posthaste/event"
)

// Runner runs jobs. Its methods may be called from any goroutine. There is one
// goroutine for each job that runs, and one more for each event that is replayed at
// the moment; Stop ends them all.
type Runner struct {
	o     Options
	turns *semaphore.Weighted // jobs take turns in the order in which they ask, page by page
	stop  context.CancelFunc  // ends work that is in hand
	work  context.Context     // ended by stop
	jobs  sync.WaitGroup      // counts runs; Add only under mu, before stopping

	mu struct {
		sync.Mutex
		started, stopping bool
		byID              map[event.ID]*run
		byKind            map[kindOf]*run
	}
}

// kindOf is what there may be one running job of.
type kindOf struct {
	project event.ID
	kind    event.JobKind
}

// activeError is event.ErrConflict in Convoy's words.
type activeError struct{ kind event.JobKind }

func (e activeError) Error() string {
	if e.kind == event.JobReplay {
		return "an active batch replay already exists"
	}
	return "an active batch retry already exists"
}

func (e activeError) Is(target error) bool { return target == event.ErrConflict }

// New makes a Runner. It does nothing before Start.
func New(o Options) *Runner {
	o.ensureDefaults()
	r := &Runner{o: o, turns: semaphore.NewWeighted(int64(o.MaxRunning))}
	r.work, r.stop = context.WithCancel(context.Background())
	r.mu.byID, r.mu.byKind = map[event.ID]*run{}, map[kindOf]*run{}
	return r
}

// Start takes up the jobs that were running when the process ended, the oldest
// first, and opens for new ones. After Stop it is event.ErrClosed; a second Start
// does nothing.
func (r *Runner) Start(ctx context.Context) error {
	running, err := r.o.Store.RunningJobs()
	if err != nil {
		return fmt.Errorf("jobs: read those that are running: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	slices.SortFunc(running, func(a, b event.Job) int { return a.ID.Compare(b.ID) })
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mu.stopping {
		return event.ErrClosed
	}
	if r.mu.started {
		return nil
	}
	r.mu.started = true
	for _, job := range running {
		u := r.addLocked(job)
		go u.main()
	}
	return nil
}

// Submit writes a new job down and starts it. Of job, ProjectID, Kind, Filter and
// Rate count; the job that is returned has all the rest. It is an event.InvalidError
// if these are wrong, event.ErrConflict if the project has a running job of the kind,
// and event.ErrClosed before Start and after Stop.
func (r *Runner) Submit(job event.Job) (event.Job, error) {
	if err := check(&job); err != nil {
		return event.Job{}, err
	}
	now := r.o.Now().UTC().Truncate(time.Microsecond) // as the log keeps times of deliveries
	job = event.Job{
		ID: event.NewID(), ProjectID: job.ProjectID, Kind: job.Kind, Filter: job.Filter, Rate: job.Rate,
		State: event.JobRunning, Total: -1, CreatedAt: now, UpdatedAt: now,
	}
	u, err := r.add(job)
	if err != nil {
		return event.Job{}, err
	}
	if err := r.o.Store.PutJob(job); err != nil {
		u.leave(fmt.Errorf("jobs: write a new one down: %w", err))
		return event.Job{}, u.err
	}
	go u.main()
	return job, nil
}

func (r *Runner) add(job event.Job) (*run, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.mu.started || r.mu.stopping {
		return nil, event.ErrClosed
	}
	if r.mu.byKind[kindOf{job.ProjectID, job.Kind}] != nil {
		return nil, activeError{job.Kind}
	}
	return r.addLocked(job), nil
}

// addLocked makes a run, which is in the books until it leaves.
func (r *Runner) addLocked(job event.Job) *run {
	u := newRun(r, job)
	r.mu.byID[job.ID] = u
	r.mu.byKind[kindOf{job.ProjectID, job.Kind}] = u
	r.jobs.Add(1)
	return u
}

// remove takes a run out of the books.
func (r *Runner) remove(u *run) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.mu.byID, u.id)
	if kind := (kindOf{u.project, u.kind}); r.mu.byKind[kind] == u {
		delete(r.mu.byKind, kind)
	}
}

// find is the project's job of that id if it runs, else nil.
func (r *Runner) find(project, id event.ID) *run {
	r.mu.Lock()
	defer r.mu.Unlock()
	if u := r.mu.byID[id]; u != nil && u.project == project {
		return u
	}
	return nil
}

// Get is a job as it is at the moment, or event.ErrNotFound.
func (r *Runner) Get(project, id event.ID) (event.Job, error) {
	if u := r.find(project, id); u != nil {
		return u.snapshot(), nil
	}
	return r.o.Store.Job(project, id)
}

// Wait waits for a job's end and returns the job. It returns event.ErrClosed beside
// it if the job was interrupted, to go on after the next start, another error
// if its end could not be written down, and that of ctx if it ends first.
func (r *Runner) Wait(ctx context.Context, project, id event.ID) (event.Job, error) {
	u := r.find(project, id)
	if u == nil {
		job, err := r.o.Store.Job(project, id)
		if err == nil && job.State == event.JobRunning {
			err = event.ErrClosed
		}
		return job, err
	}
	select {
	case <-u.done:
		return u.snapshot(), u.err
	case <-ctx.Done():
		return u.snapshot(), ctx.Err()
	}
}

// Cancel ends a job, and returns when that is durable. What was done stays done. It
// does nothing for a job that was cancelled before, and is event.ErrConflict for one
// that has ended otherwise.
func (r *Runner) Cancel(project, id event.ID) error {
	if u := r.find(project, id); u != nil {
		u.cancel()
		<-u.done
	}
	job, err := r.o.Store.Job(project, id)
	if err != nil {
		return err
	}
	switch job.State {
	case event.JobCancelled:
		return nil
	case event.JobRunning: // nobody's: Start did not come yet, or its end could not be written down
		job.State, job.EndedAt = event.JobCancelled, stamp(&job, r.o.Now())
		return r.o.Store.PutJob(job)
	}
	return fmt.Errorf("the job has ended, it is %s: %w", job.State, event.ErrConflict)
}

// Stop interrupts the jobs, each between two pages, writes down how far they are,
// and returns when they are gone. If ctx ends first, the pages in hand are given up
// too. They all go on at the next start. A second Stop waits for the first.
func (r *Runner) Stop(ctx context.Context) error {
	r.mu.Lock()
	r.mu.stopping = true
	for _, u := range r.mu.byID {
		u.interrupt(event.ErrClosed)
	}
	r.mu.Unlock()
	defer r.stop()
	defer context.AfterFunc(ctx, r.stop)()
	r.jobs.Wait()
	return nil
}

var errCancelled = errors.New("cancelled")
