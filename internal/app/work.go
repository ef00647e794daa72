package app

import (
	"context"

	"posthaste/engine"
	"posthaste/event"
	"posthaste/jobs"
	"posthaste/wal"
)

// doer is the engine as jobs ask it.
type doer struct{ *engine.Engine }

func (d doer) Retry(ctx context.Context, project event.ID, deliveries []event.ID) []error {
	return d.Engine.Retry(ctx, project, deliveries, false)
}

// batches are the jobs as the API asks them.
type batches struct {
	*jobs.Runner
	log *wal.Log
}

func (b batches) Cancel(project, id event.ID) (event.Job, error) {
	if err := b.Runner.Cancel(project, id); err != nil {
		return event.Job{}, err
	}
	return b.Get(project, id)
}

func (b batches) List(project event.ID, r event.Range) ([]event.Job, error) {
	return b.log.Jobs(project, r)
}

// startWork starts what goes on beside deliveries: batch jobs and retention.
func (a *App) startWork(ctx context.Context) error {
	a.jobs = jobs.New(jobs.Options{Store: a.wal, Lister: a.wal, Doer: doer{a.engine}, MaxRunning: a.o.MaxJobs, Now: a.wal.Now, Ended: a.jobEnded})
	return a.jobs.Start(ctx)
}

func (a *App) stopWork(ctx context.Context) error { return a.jobs.Stop(ctx) }

func (a *App) jobEnded(job event.Job, err error) {
	line := a.log.Info()
	if err != nil {
		line = a.log.Warn().Err(err)
	}
	line.Str("job", job.ID.String()).Str("kind", string(job.Kind)).Str("state", string(job.State)).
		Int("done", job.Done).Int("skipped", job.Skipped).Int("failed", job.Failed).Msg("a batch job ended")
}
