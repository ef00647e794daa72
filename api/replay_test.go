package api

import (
	"context"
	"net/http/httptest"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

// addReplay adds a replay of the n-th event, with a delivery of its own.
func (w *world) addReplay(n int) {
	e := *w.log.events[0]
	e.ID, e.Of, e.Origin = id('r', n), id('f', n), event.Replayed
	w.log.addEvent(&e)
	w.log.addDelivery(event.Delivery{
		ID: id('d', 5), EventID: e.ID, ProjectID: w.project, EndpointID: id('e', 1), SubscriptionID: id('s', 1),
		Status: event.Success, Attempts: 1, Limit: 10, UpdatedAt: epoch.Add(9 * time.Second),
	})
}

func TestReplay(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	a := w.do("PUT", w.in("/events/%s/replay", id('f', 1)), `"{}"`)
	w.want(a, 200, "Endpoint event replayed successfully")
	if a.field("uid") != id('f', 1).String() {
		t.Errorf("got %s", a.body)
	}
	want := []workCall{{project: w.project, ids: []event.ID{id('f', 1)}, replay: true}}
	if !reflect.DeepEqual(w.work.calls, want) {
		t.Errorf("calls %v, want %v", w.work.calls, want)
	}
	w.want(w.do("PUT", w.in("/events/%s/replay", id('f', 9)), ""), 404, "Resource not found")
}

// A replay's deliveries go by the event that is replayed, which is the id that
// receivers see; the replay itself is nothing that can be asked for.
func TestReplayedDelivery(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.addReplay(1)
	a := w.do("GET", w.in("/eventdeliveries/%s", id('d', 5)), "")
	if a.field("event_id") != id('f', 1).String() || a.field("event_metadata", "uid") != id('f', 1).String() {
		t.Errorf("got %s", a.body)
	}
	if a.field("latency") != "4s" { // from the replay on, not from the event
		t.Errorf("latency %v", a.field("latency"))
	}
	w.want(w.do("GET", w.in("/events/%s", id('r', 1)), ""), 404, "Resource not found")
	w.want(w.do("PUT", w.in("/events/%s/replay", id('r', 1)), ""), 404, "Resource not found")
}

// The first one of a duplicate is replayed: receivers know no other.
func TestReplayOfADuplicate(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.addDuplicate(2, 1)
	a := w.do("PUT", w.in("/events/%s/replay", id('f', 2)), "")
	w.want(a, 200, "Endpoint event replayed successfully")
	if got := w.work.calls; len(got) != 1 || got[0].ids[0] != id('f', 1) {
		t.Errorf("calls %v", got)
	}
}

func TestBatchReplayFilter(t *testing.T) {
	w := newWorld(t)
	w.jobs.run = func(j *event.Job) { j.State, j.Done, j.Failed = event.JobDone, 7, 2 }
	query := "endpointId=" + id('e', 1).String() + "&idempotencyKey=k&ownerId=acme&sourceId=&query=&body=&rate=9&startDate=2026-01-02T03:04:05"
	a := w.do("POST", w.in("/events/batchreplay?%s", query), "{}")
	w.want(a, 200, "7 successful, 2 failed")
	want := event.JobFilter{From: firstIDOf(epoch.Truncate(time.Second)),
		Events: event.EventFilter{Endpoints: []event.ID{id('e', 1)}, IdempotencyKey: "k", OwnerID: "acme"}}
	job := w.jobs.jobs[0]
	if !reflect.DeepEqual(job.Filter, want) || job.Kind != event.JobReplay || job.Rate != 9 || job.ProjectID != w.project {
		t.Errorf("job %+v", job)
	}
	if string(a.Data) != "null" || a.header.Get("Location") != w.in("/jobs/%s", job.ID) {
		t.Errorf("data %s, header %v", a.Data, a.header)
	}
}

func TestBatchReplayAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		run     func(*event.Job)
		refuse  error
		code    int
		message string
	}{
		"done":      {run: func(j *event.Job) { j.State, j.Done = event.JobDone, 3 }, code: 200, message: "3 successful, 0 failed"},
		"cancelled": {run: func(j *event.Job) { j.State, j.Done = event.JobCancelled, 1 }, code: 200, message: "1 successful, 0 failed"},
		"goes on":   {run: func(*event.Job) {}, code: 200, message: "Batch replay processing"},
		"failed": {run: func(j *event.Job) { j.State, j.Done, j.Error = event.JobFailed, 2, "the store failed" }, code: 500,
			message: "the replay ended early: 2 successful, 0 failed; it is job " + id('j', 1).String() + ": the store failed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.jobs.run = c.run
			a := w.do("POST", w.in("/events/batchreplay"), "")
			w.want(a, c.code, c.message)
			if c.code == 200 && a.header.Get("Location") != w.in("/jobs/%s", id('j', 1)) {
				t.Errorf("Location is %q", a.header.Get("Location"))
			}
		})
	}
}

// A replay that takes long is left to itself after ten seconds.
func TestBatchReplayTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		start := time.Now()
		a := w.do("POST", w.in("/events/batchreplay"), "")
		w.want(a, 200, "Batch replay processing")
		if took := time.Since(start); took != 10*time.Second || a.header.Get("Location") == "" {
			t.Errorf("after %s, Location %q", took, a.header.Get("Location"))
		}
	})
}

// When the server begins to stop, a replay that goes on is not waited for: it goes
// on after the next start.
func TestBatchReplayWhenTheServerStops(t *testing.T) {
	w := newWorld(t)
	stopping, stop := context.WithCancel(t.Context())
	stop()
	r := httptest.NewRequestWithContext(stopping, "POST", w.in("/events/batchreplay"), nil)
	r.Header.Set("Authorization", "Bearer "+catalogtest.InstanceKey)
	rec := httptest.NewRecorder()
	w.api.ServeHTTP(rec, r)
	if want := `{"status":true,"message":"Batch replay processing","data":null}`; rec.Body.String() != want {
		t.Errorf("got %s", rec.Body)
	}
}
