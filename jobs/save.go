package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posthaste/event"
)

const (
	saveEvery = time.Second
	saveItems = 1000

	tries     = 5 // of an operation of the store
	firstWait = 100 * time.Millisecond
	waitGrows = 4 // times, from one try to the next: 8.5 s in all
)

// saveIfDue writes the job down if there is something new that will be a second old
// in so long, or a thousand items. A replay is written down after each page.
func (u *run) saveIfDue(in time.Duration) error {
	items := itemsOf(&u.job)
	switch {
	case items == u.saved.items && u.job.Cursor == u.saved.cursor:
		return nil
	case u.kind == event.JobReplay && items != u.saved.items:
	case items-u.saved.items+u.limit() > saveItems: // the next page may bring it there
	case time.Since(u.saved.at)+in >= saveEvery:
	default:
		return nil
	}
	return u.save(u.ctx)
}

// save writes the job down as it is. ctx ends the waiting between its tries.
func (u *run) save(ctx context.Context) error {
	u.change(func(job *event.Job) { stamp(job, u.r.o.Now()) })
	err := try(ctx, "write the job down", func() error { return u.r.o.Store.PutJob(u.job) })
	if err == nil {
		u.markSaved()
	}
	return err
}

func (u *run) markSaved() {
	u.saved.at, u.saved.items, u.saved.cursor = time.Now(), itemsOf(&u.job), u.job.Cursor
}

func itemsOf(job *event.Job) int { return job.Done + job.Skipped + job.Failed }

// try calls fn until it succeeds, a few times, with growing waits. event.ErrClosed is
// not tried again.
func try(ctx context.Context, what string, fn func() error) error {
	wait := firstWait
	for i := 1; ; i++ {
		err := fn()
		if err == nil || errors.Is(err, event.ErrClosed) {
			return err
		}
		if i == tries {
			return fmt.Errorf("%s, %d times: %w", what, tries, err)
		}
		if sleep(ctx, wait) != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		wait *= waitGrows
	}
}
