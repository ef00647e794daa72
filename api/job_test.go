package api

import (
	"fmt"
	"testing"
	"time"

	"posthaste/event"
)

func init() {
	listings["/jobs"] = func(w *world, _ int) event.ID {
		j, _ := w.jobs.Submit(event.Job{ProjectID: w.project, Kind: event.JobRetry})
		return j.ID
	}
}

func TestJobGolden(t *testing.T) {
	w := newWorld(t)
	ended := epoch.Add(90 * time.Second)
	for _, j := range []event.Job{
		{Kind: event.JobRetry, Rate: 50, State: event.JobRunning, Total: 100, Done: 40, Skipped: 2, Failed: 1, Error: "not found",
			Filter: event.JobFilter{From: firstIDOf(epoch), To: lastIDOf(epoch.Add(time.Hour)), Deliveries: event.DeliveryFilter{
				Endpoints: []event.ID{id('e', 1)}, EventID: id('f', 1), SubscriptionID: id('s', 1), EventType: "order.paid",
				Statuses: []event.Status{event.Failure, event.Discarded}}}},
		{Kind: event.JobRetry, State: event.JobRunning, Total: -1},
		{Kind: event.JobReplay, State: event.JobDone, Total: 3, Done: 3, EndedAt: &ended, Filter: event.JobFilter{Events: event.EventFilter{
			Endpoints: []event.ID{id('e', 1)}, IdempotencyKey: "key-1", OwnerID: "acme"}}},
	} {
		j.ID, j.ProjectID, j.CreatedAt, j.UpdatedAt = id('j', len(w.jobs.jobs)+1), w.project, epoch, epoch.Add(time.Second)
		w.jobs.jobs = append(w.jobs.jobs, j)
	}
	a := w.do("GET", w.in("/jobs"), "")
	w.want(a, 200, "Jobs fetched successfully")
	compareGolden(t, "jobs", []byte(a.body))
	a = w.do("GET", w.in("/jobs/%s", id('j', 3)), "")
	w.want(a, 200, "Job fetched successfully")
	if a.field("state") != "done" || a.field("done") != 3.0 || a.field("ended_at") == nil {
		t.Errorf("got %s", a.body)
	}
}

func TestCancelJob(t *testing.T) {
	for _, method := range []string{"PUT", "POST"} {
		w := newWorld(t)
		w.want(w.do("POST", w.in("/eventdeliveries/batchretry"), ""), 200, "Batch retry processing")
		a := w.do(method, w.in("/jobs/%s/cancel", id('j', 1)), `"{}"`)
		w.want(a, 200, "Job cancelled successfully")
		if a.field("state") != "cancelled" || a.field("ended_at") == nil {
			t.Errorf("got %s", a.body)
		}
	}
}

// A conflict is answered in the words that Jobs have for it.
func TestJobsConflict(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		err     error
		code    int
		message string
	}{
		{&event.StateError{Reason: "an active batch retry already exists"}, 400, "an active batch retry already exists"},
		{fmt.Errorf("the job has ended, it is done: %w", event.ErrConflict), 400, "the job has ended, it is done"},
		{worded{}, 400, "an active batch replay already exists"},
		{event.ErrConflict, 409, "it was changed by somebody else meanwhile; read it again and retry"},
		{event.Invalid("rate", "is too high"), 400, "rate: is too high"},
		{event.ErrClosed, 503, "the server is stopping; try again later"},
	} {
		w.jobs.refuse = c.err
		w.want(w.do("PUT", w.in("/jobs/%s/cancel", id('j', 1)), ""), c.code, c.message)
		w.want(w.do("POST", w.in("/eventdeliveries/batchretry"), ""), c.code, c.message)
		w.want(w.do("POST", w.in("/events/batchreplay"), ""), c.code, c.message)
	}
}

// worded is event.ErrConflict in words of its own.
type worded struct{}

func (worded) Error() string        { return "an active batch replay already exists" }
func (worded) Is(target error) bool { return target == event.ErrConflict }
