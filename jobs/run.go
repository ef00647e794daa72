package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"posthaste/event"
	"posthaste/search"
)

// run is a job that runs. Its goroutine, in main, is the only one that changes the
// job; others ask it to stop and read snapshots.
type run struct {
	r       *Runner
	id      event.ID
	project event.ID
	kind    event.JobKind

	ctx       context.Context // between pages; its cause is why it ended
	interrupt context.CancelCauseFunc
	work      context.Context // in a page
	giveUp    context.CancelFunc
	done      chan struct{} // closed when the job has left
	err       error         // why its end is not written down; set before done is closed

	// Owned by main.
	scan  *scan
	query *search.Query // nil: all that the filter selects
	pace  pace
	saved struct {
		at     time.Time
		items  int // Done, Skipped and Failed together
		cursor event.ID
	}

	mu  sync.Mutex
	job event.Job // guarded by mu for others than main; changed by main under mu
}

func newRun(r *Runner, job event.Job) *run {
	u := &run{
		r: r, id: job.ID, project: job.ProjectID, kind: job.Kind,
		done: make(chan struct{}),
		scan: newScan(&job), pace: pace{rate: job.Rate}, job: job,
	}
	u.work, u.giveUp = context.WithCancel(r.work)
	u.ctx, u.interrupt = context.WithCancelCause(u.work)
	return u
}

// cancel asks the job to end, and its page to end soon.
func (u *run) cancel() {
	u.interrupt(errCancelled)
	u.giveUp()
}

func (u *run) snapshot() event.Job {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.job
}

// shown is the job as it was a moment ago, when it was in the books: it runs until its
// end is written down and it has left them.
func (u *run) shown() event.Job {
	job := u.snapshot()
	job.State, job.EndedAt = event.JobRunning, nil
	return job
}

// change changes the job.
func (u *run) change(fn func(*event.Job)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	fn(&u.job)
}

// main is the job's goroutine.
func (u *run) main() {
	u.markSaved()
	u.end(u.body())
}

// body goes through the pages. It returns nil at the end of the last, and otherwise
// why it cannot go on, or was interrupted.
func (u *run) body() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("BUG: panic: %v", p)
		}
	}()
	if err := check(&u.job); err != nil {
		return err // written by another version
	}
	if text := u.job.Filter.Search; text != "" {
		if u.query, err = search.Parse(text); err != nil {
			return err
		}
	}
	if err := u.count(); err != nil {
		return err
	}
	for !u.scan.ended {
		if err := u.wait(u.pace.wait(time.Now())); err != nil {
			return err
		}
		if err := u.inTurn(u.page); err != nil {
			return err
		}
		if err := u.saveIfDue(0); err != nil {
			return err
		}
	}
	return nil
}

// inTurn calls fn when it is the job's turn.
func (u *run) inTurn(fn func() error) error {
	if u.r.turns.Acquire(u.ctx, 1) != nil {
		return context.Cause(u.ctx)
	}
	defer u.r.turns.Release(1)
	return fn()
}

// wait lets the job wait for its rate. What it did before that is written down, if
// it would be due by the end of it.
func (u *run) wait(d time.Duration) error {
	if d <= 0 {
		return nil
	}
	if err := u.saveIfDue(d); err != nil {
		return err
	}
	return sleep(u.ctx, d)
}

// sleep waits, or returns the cause of ctx's end.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end writes the job down as body left it.
func (u *run) end(err error) {
	interrupted := false
	u.change(func(job *event.Job) {
		switch {
		case err == nil:
			job.State = event.JobDone
		case errors.Is(context.Cause(u.ctx), errCancelled):
			job.State = event.JobCancelled
		case u.ctx.Err() != nil, errors.Is(err, event.ErrClosed):
			interrupted = true
			return
		default:
			job.State, job.Error = event.JobFailed, cut(err.Error())
		}
		job.EndedAt = stamp(job, u.r.o.Now())
	})
	err = u.save(u.work)
	if err == nil && interrupted {
		err = event.ErrClosed
	}
	u.r.o.Ended(u.snapshot(), err)
	u.leave(err)
}

// leave takes the job out of the books. Whoever waited for that may submit the next.
func (u *run) leave(err error) {
	u.err = err
	u.giveUp()
	u.r.remove(u)
	close(u.done)
	u.r.jobs.Done()
}

// stamp sets a job's time of change and returns it.
func stamp(job *event.Job, now time.Time) *time.Time {
	now = now.UTC()
	job.UpdatedAt = now
	return &now
}

// cut bounds an error's text.
func cut(text string) string {
	const most = 500
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
