package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"posthaste/event"
)

// replayWait is how long a batch replay is waited for before it is left to itself.
const replayWait = 10 * time.Second

// replayEvent routes one event again. Of a duplicate it is the first one that is
// replayed, which is the one that receivers know.
func (a *API) replayEvent(c *call) (reply, error) {
	e, err := a.event(c)
	if err != nil {
		return reply{}, err
	}
	id := e.ID
	if e.Origin == event.Duplicate {
		id = e.Of
	}
	// Not the request's own context: that one ends when the server begins to stop, and
	// nobody could tell then whether the event was replayed.
	if err := a.o.Work.Replay(context.Background(), c.project.ID, id); err != nil {
		return reply{}, err
	}
	c.did("event.replay", "event", id, e.Type)
	return a.showEvent(c, e, "Endpoint event replayed successfully")
}

// batchReplay starts a job that replays the events which the query selects, as GET
// would list them, and waits a little for its end.
func (a *API) batchReplay(c *call) (reply, error) {
	if err := refuseUnknownParams(c.r.URL.Query()); err != nil {
		return reply{}, err
	}
	q, filter, err := parseEventQuery(c.r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	nowhere := span{lastID, lastID}.rangeOf(false, 1)
	if _, _, err := a.o.Reader.Events(c.project.ID, nowhere, filter); err != nil {
		return reply{}, err // the filter is one that the log does not take
	}
	job, err := a.submit(c, event.JobReplay, q, event.JobFilter{Events: filter})
	if err != nil {
		return reply{}, err
	}
	ctx, cancel := context.WithTimeout(c.r.Context(), replayWait)
	defer cancel()
	ended, err := a.o.Jobs.Wait(ctx, c.project.ID, job.ID)
	if err != nil || ended.State == event.JobRunning {
		// The job goes on, whatever keeps its end from being seen: an error here would
		// make clients start another.
		return accepted("Batch replay processing", job)
	}
	if ended.State == event.JobFailed {
		return reply{}, &httpError{http.StatusInternalServerError, fmt.Sprintf("the replay ended early: %s; it is job %s: %s",
			countsMessage(ended.Done, ended.Failed), ended.ID, ended.Error)}
	}
	return accepted(countsMessage(ended.Done, ended.Failed), ended)
}

// countBatchReplay says how many events batchReplay would take up: neither duplicates nor
// tests.
func (a *API) countBatchReplay(c *call) (reply, error) {
	if err := refuseUnknownParams(c.r.URL.Query()); err != nil {
		return reply{}, err
	}
	q, filter, err := parseEventQuery(c.r.URL.Query())
	if err != nil {
		return reply{}, err
	}
	n, err := a.eventListing(c, filter).count(c.r.Context(), q.within, func(e *event.Event) bool { return e.Origin.Replayable() })
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Events counted successfully", n)
}
