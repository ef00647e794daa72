package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"posthaste/event"
)

const (
	leastRest = 100 * time.Millisecond // before what was too much is asked for again
	mostRest  = 10 * time.Second
)

var errNoResult = errors.New("BUG: no result")

// do does a page. It returns a result for each of the first ids, in their order, and
// with an error if those are not all: why the job has to stop before the next one.
func (u *run) do(ids []event.ID) ([]error, error) {
	results := make([]error, len(ids))
	open := make([]int, len(ids)) // what there is still to do
	for i := range open {
		open[i] = i
	}
	for len(open) > 0 {
		rest, err := u.doSome(ids, results, &open)
		if err == nil && rest > 0 {
			err = sleep(u.ctx, rest)
		}
		if err != nil {
			return results[:open[0]], err
		}
	}
	return results, nil
}

// doSome does the open ones and leaves in open what was not done. rest is how long to
// leave the engine alone before that is asked for again.
func (u *run) doSome(ids []event.ID, results []error, open *[]int) (rest time.Duration, err error) {
	asked := make([]event.ID, len(*open))
	for i, at := range *open {
		asked[i] = ids[at]
	}
	answers := u.ask(asked)
	var left []int
	for i, at := range *open {
		answer := errNoResult
		if i < len(answers) {
			answer = answers[i]
		}
		switch {
		case errors.Is(answer, event.ErrOverloaded):
			left, rest = append(left, at), max(rest, restOf(answer))
		case u.stopped(answer):
			left, err = append(left, at), event.ErrClosed
		default:
			results[at] = answer
		}
	}
	*open = left
	return rest, err
}

// stopped reports whether an answer says that there is no more work to be done.
func (u *run) stopped(answer error) bool {
	return errors.Is(answer, event.ErrClosed) || u.work.Err() != nil && errors.Is(answer, context.Canceled)
}

func restOf(err error) time.Duration {
	var overload *event.OverloadError
	if !errors.As(err, &overload) {
		return time.Second
	}
	return min(max(overload.After, leastRest), mostRest)
}

// ask has the engine do the work.
func (u *run) ask(ids []event.ID) []error {
	if u.kind == event.JobRetry {
		return u.r.o.Doer.Retry(u.work, u.project, ids)
	}
	// At once, so that they share the log's groups.
	results := make([]error, len(ids))
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() { results[i] = u.replay(ids[i]) })
	}
	all.Wait()
	return results
}

func (u *run) replay(id event.ID) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("BUG: panic: %v", p)
		}
	}()
	return u.r.o.Doer.Replay(u.work, u.project, id)
}
