package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"sync"
	"time"

	"posthaste/bench"
	"posthaste/client"
)

const (
	// jobEvery is how often a running job is asked for.
	jobEvery = 500 * time.Millisecond
	// cancelTimeout bounds what is still done after a signal.
	cancelTimeout = 10 * time.Second
)

// batchFlags are the flags of what starts a job.
type batchFlags struct {
	Rate   int  `placeholder:"N" help:"At most so many a second."`
	Detach bool `help:"Do not wait for the end; posthaste job get tells."`
	yesFlag
}

// batch is a job to start and to follow.
type batch struct {
	session *session
	in      client.Scope
	kind    string
	verb    string // what it does: "retry"
	noun    string // what it does it to: "deliveries"
	query   url.Values
	count   func(context.Context, url.Values) (client.Count, error)
	start   func(context.Context, url.Values) (*client.Answer, error)
}

// run counts, asks, starts the job and follows it to its end.
func (b *batch) run(f batchFlags) error {
	s := b.session
	n, err := b.count(s.ctx, b.query)
	if err != nil {
		return err
	}
	if n.Num == 0 && !n.More {
		return s.say("There are no %s to %s.", b.noun, b.verb)
	}
	if err := s.confirm(f.Yes, "%s %s?", sentenceStart(b.verb), amount(n, b.noun)); err != nil {
		return err
	}
	if f.Rate > 0 {
		b.query.Set("rate", fmt.Sprint(f.Rate))
	}
	row, err := b.launch()
	if err != nil {
		return err
	}
	if f.Detach {
		return s.done(row.Raw, "Job %s is %s.", row.Value.ID, clean(row.Value.State))
	}
	return b.follow(row, n)
}

// amount is a count in words.
func amount(n client.Count, noun string) string {
	if n.More {
		return fmt.Sprintf("%d %s and more", n.Num, noun)
	}
	return fmt.Sprintf("%d %s", n.Num, noun)
}

// launch starts the job and returns it. The start may take some seconds to answer; the
// job is looked for meanwhile, so that it can be shown and cancelled.
func (b *batch) launch() (client.Row[client.Job], error) {
	s := b.session
	before, err := b.newest(s.ctx)
	if err != nil {
		return client.Row[client.Job]{}, err
	}
	// A signal does not cut the request off, since nobody could tell then whether there
	// is a job; knowing the job does.
	ctx, known := context.WithCancel(context.WithoutCancel(s.ctx))
	started := make(chan startedJob, 1)
	var asking sync.WaitGroup
	asking.Go(func() {
		a, err := b.start(ctx, b.query)
		started <- startedJob{a, err}
	})
	defer asking.Wait()
	defer known()
	tick := time.NewTicker(jobEvery)
	defer tick.Stop()
	for {
		select {
		case r := <-started:
			if r.err != nil {
				return client.Row[client.Job]{}, r.err
			}
			return b.located(r.answer, before)
		case <-tick.C:
			row, err := b.newest(context.WithoutCancel(s.ctx))
			if err == nil && row.Value.ID != before.Value.ID && row.Value.Kind == b.kind {
				return row, nil
			}
		}
	}
}

type startedJob struct {
	answer *client.Answer
	err    error
}

// newest is the project's newest job; one without an id if there is none.
func (b *batch) newest(ctx context.Context) (row client.Row[client.Job], err error) {
	page, err := b.in.Jobs().List(ctx, url.Values{"perPage": {"1"}})
	if err == nil && len(page.Rows) > 0 {
		row = page.Rows[0]
	}
	return row, err
}

// located is the job that an answer names, or else the newest.
func (b *batch) located(a *client.Answer, before client.Row[client.Job]) (client.Row[client.Job], error) {
	ctx := context.WithoutCancel(b.session.ctx)
	if a.Location != "" {
		return b.in.Jobs().Get(ctx, path.Base(a.Location))
	}
	row, err := b.newest(ctx)
	if err == nil && row.Value.ID == before.Value.ID {
		err = fmt.Errorf("%w: the job is not in its list; %s", client.ErrAnswer, clean(a.Message))
	}
	return row, err
}

// follow shows how far the job is until it has ended; a signal cancels it.
func (b *batch) follow(row client.Row[client.Job], n client.Count) error {
	s := b.session
	out := s.stderr
	if s.remote.JSON {
		out = io.Discard
	}
	progress := bench.NewProgress(out)
	task := progress.Start(b.verb, n.Num)
	for row.Value.State == client.JobRunning {
		task.Set(row.Value.Done + row.Value.Skipped + row.Value.Failed)
		if pause(s.ctx, jobEvery) != nil {
			task.Finish("")
			progress.Close()
			return b.cancel(row.Value.ID)
		}
		next, err := b.in.Jobs().Get(s.ctx, row.Value.ID)
		if err != nil && s.ctx.Err() == nil {
			task.Finish("")
			progress.Close()
			return fmt.Errorf("job %s goes on, but cannot be followed: %w", row.Value.ID, err)
		}
		if err == nil {
			row = next
		}
	}
	task.Set(row.Value.Done + row.Value.Skipped + row.Value.Failed)
	task.Finish(row.Value.State)
	progress.Close()
	return b.ended(row)
}

// ended prints what a job led to.
func (b *batch) ended(row client.Row[client.Job]) error {
	j := row.Value
	if err := b.session.done(row.Raw, "Job %s is %s: %s.", j.ID, clean(j.State), jobCounts(j)); err != nil {
		return err
	}
	switch {
	case j.State != client.JobDone && j.Error != "":
		return fmt.Errorf("the job is %s: %s", clean(j.State), clean(j.Error))
	case j.State != client.JobDone:
		return fmt.Errorf("the job is %s", clean(j.State))
	case j.Failed > 0:
		return fmt.Errorf("%d failed: %s", j.Failed, clean(j.Error))
	}
	return nil
}

// cancel cancels the job after a signal, and says how far it came.
func (b *batch) cancel(id string) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(b.session.ctx), cancelTimeout)
	defer stop()
	row, err := b.in.Jobs().Change(ctx, "PUT", id, "cancel", nil)
	if err != nil {
		return errors.Join(errInterrupted, fmt.Errorf("job %s was not cancelled: %w", id, err))
	}
	if err := b.session.done(row.Raw, "Job %s is %s: %s.", id, clean(row.Value.State), jobCounts(row.Value)); err != nil {
		return err
	}
	return errInterrupted
}

// pause waits for d, or until ctx is done, and then says so.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
