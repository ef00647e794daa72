package api

import (
	"context"

	"posthaste/event"
)

// portalWorker is a Worker for a portal grant.
type portalWorker struct {
	inner  Worker
	reader *portalReader
}

// Retry leaves out the deliveries that the grant does not reach: they are not found.
func (w portalWorker) Retry(ctx context.Context, project event.ID, deliveries []event.ID, force bool) []error {
	errs := make([]error, len(deliveries))
	var own []event.ID
	var at []int
	for i, id := range deliveries {
		if _, err := w.reader.Delivery(project, id); err != nil {
			errs[i] = err
			continue
		}
		own, at = append(own, id), append(at, i)
	}
	if len(own) == 0 {
		return errs
	}
	for i, err := range w.inner.Retry(ctx, project, own, force) {
		errs[at[i]] = err
	}
	return errs
}

// Replay is refused: it would reach endpoints of others.
func (portalWorker) Replay(context.Context, event.ID, event.ID) error { return event.ErrNotFound }

// portalJobs are Jobs for a portal grant. It may start one, and sees those over its own
// endpoints by their ids.
type portalJobs struct {
	inner Jobs
	reach *reach
}

// errNothingToRetry: a job without endpoints would be one over all of them.
var errNothingToRetry = &event.StateError{Reason: "there are no endpoints whose deliveries could be retried"}

// Submit starts a retry of what goes to endpoints within reach.
func (j portalJobs) Submit(job event.Job) (event.Job, error) {
	if job.Kind != event.JobRetry || job.ProjectID != j.reach.grant.ProjectID {
		return event.Job{}, event.ErrNotFound
	}
	var ok bool
	if job.Filter.Deliveries.Endpoints, ok = j.reach.among(job.Filter.Deliveries.Endpoints); !ok {
		return event.Job{}, errNothingToRetry
	}
	return j.inner.Submit(job)
}

// Cancel ends a job that Get finds.
func (j portalJobs) Cancel(project, id event.ID) (event.Job, error) {
	if _, err := j.Get(project, id); err != nil {
		return event.Job{}, err
	}
	return j.inner.Cancel(project, id)
}

// Get finds a retry over endpoints within reach only: it shows how far one is that was
// started through the portal. All others may be about what goes to others.
func (j portalJobs) Get(project, id event.ID) (event.Job, error) {
	job, err := j.inner.Get(project, id)
	if err != nil {
		return event.Job{}, err
	}
	if !j.reach.jobWithin(&job) {
		return event.Job{}, event.ErrNotFound
	}
	return job, nil
}

// List finds nothing.
func (portalJobs) List(event.ID, event.Range) ([]event.Job, error) { return nil, nil }

// Wait finds nothing.
func (portalJobs) Wait(context.Context, event.ID, event.ID) (event.Job, error) {
	return event.Job{}, event.ErrNotFound
}
