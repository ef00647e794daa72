package wal

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

func job(project, id uint64, state event.JobState) event.Job {
	at := time.UnixMilli(1_700_000_000_123).UTC()
	return event.Job{
		ID: idOf(id), ProjectID: idOf(project), Kind: event.JobReplay, State: state, Cursor: idOf(77), Total: -1, Rate: 5, Done: 3, Error: "x",
		Filter:    event.JobFilter{From: idOf(3), Deliveries: event.DeliveryFilter{Endpoints: []event.ID{idOf(4)}, Statuses: []event.Status{event.Failure}}},
		CreatedAt: at, UpdatedAt: at, EndedAt: &at,
	}
}

func TestJobs(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	for i := uint64(1); i <= 4; i++ {
		must(t, l.PutJob(job(1, i, event.JobRunning)))
	}
	must(t, l.PutJob(job(2, 9, event.JobRunning)))
	must(t, l.PutJob(job(1, 2, event.JobDone)))
	l = reopen(t, l, o)

	got, err := l.Job(idOf(1), idOf(2))
	if want := job(1, 2, event.JobDone); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	if _, err := l.Job(idOf(2), idOf(2)); !errors.Is(err, event.ErrNotFound) {
		t.Errorf("another project's: %v", err)
	}
	for name, c := range map[string]struct {
		r    event.Range
		want []event.ID
	}{
		"all":          {event.Range{Limit: 10}, []event.ID{idOf(1), idOf(2), idOf(3), idOf(4)}},
		"newest first": {event.Range{Limit: 2, Descending: true}, []event.ID{idOf(4), idOf(3)}},
		"a range":      {event.Range{Limit: 10, From: idOf(2), To: idOf(3)}, []event.ID{idOf(2), idOf(3)}},
		"down a range": {event.Range{Limit: 10, From: idOf(2), To: idOf(3), Descending: true}, []event.ID{idOf(3), idOf(2)}},
	} {
		jobs, err := l.Jobs(idOf(1), c.r)
		must(t, err)
		sameIDs(t, name, jobIDs(jobs), c.want)
	}
	running, err := l.RunningJobs()
	must(t, err)
	sameIDs(t, "running", jobIDs(running), []event.ID{idOf(1), idOf(3), idOf(4), idOf(9)})

	must(t, l.Close())
	if err := l.PutJob(job(1, 1, event.JobDone)); !errors.Is(err, event.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// TestForgetJobs: what ended goes with its project's history, what runs stays however old it
// is, and so does what is kept for ever.
func TestForgetJobs(t *testing.T) {
	l := openLog(t, testOptions(vfs.NewMem()))
	now := time.UnixMilli(1_800_000_000_000).UTC()
	put := func(project uint64, n byte, began, ended time.Duration) event.ID {
		j := job(project, 0, event.JobRunning)
		must(t, j.ID.SetTime(uint64(now.Add(-began).UnixMilli())))
		j.ID[15], j.EndedAt = n, nil
		if ended > 0 {
			at := now.Add(-ended)
			j.State, j.EndedAt = event.JobDone, &at
		}
		must(t, l.PutJob(j))
		return j.ID
	}
	const day = 24 * time.Hour
	put(1, 1, 9*day, 8*day)
	runs := put(1, 2, 9*day, 0)
	put(1, 3, 8*day, 7*day)
	late := put(1, 4, 8*day, 6*day)
	young := put(1, 5, day, day)
	longer := put(2, 6, 9*day, 8*day)
	put(2, 7, 40*day, 31*day)
	ever := put(3, 8, 400*day, 399*day)
	put(4, 9, 8*day, 8*day)
	p := Policy{Now: now, Default: Keep{History: 7 * day}, Except: map[event.ID]Keep{idOf(2): {History: 30 * day}, idOf(3): {}}}
	if n, err := l.ForgetJobs(p); err != nil || n != 4 {
		t.Errorf("%d jobs went, %v; want 4", n, err)
	}
	for project, want := range map[uint64][]event.ID{1: {runs, late, young}, 2: {longer}, 3: {ever}, 4: {}} {
		jobs, err := l.Jobs(idOf(project), event.Range{Limit: 10})
		must(t, err)
		sameIDs(t, fmt.Sprint("of project ", project), jobIDs(jobs), want)
	}
	if n, err := l.ForgetJobs(p); err != nil || n != 0 {
		t.Errorf("again: %d, %v", n, err)
	}
}

// TestForgetJobsByAndBy: one call removes so many, and the next the rest, whatever stays
// before them.
func TestForgetJobsByAndBy(t *testing.T) {
	l := openLog(t, testOptions(vfs.NewMem()))
	now := time.UnixMilli(1_800_000_000_000).UTC()
	for n := range uint64(maxForgotten + 5) {
		must(t, l.PutJob(job(2, n+1, event.JobDone)))
	}
	must(t, l.PutJob(job(1, 1, event.JobRunning)))
	p := Policy{Now: now, Default: Keep{History: time.Hour}, Except: map[event.ID]Keep{idOf(1): {}}}
	for _, want := range []int{maxForgotten, 5, 0} {
		if n, err := l.ForgetJobs(p); err != nil || n != want {
			t.Errorf("%d jobs went, %v; want %d", n, err, want)
		}
	}
}

func jobIDs(jobs []event.Job) []event.ID {
	ids := make([]event.ID, len(jobs))
	for i := range jobs {
		ids[i] = jobs[i].ID
	}
	return ids
}

// TestHealth is told at recovery as the last mark left it; who is well is forgotten.
func TestHealth(t *testing.T) {
	o := testOptions(vfs.NewMem())
	l := openLog(t, o)
	ill := event.Health{Endpoint: idOf(2), Failures: 7, Since: 1_700_000_000_000, Trips: 2, Until: 1_700_000_009_000}
	paused := event.Health{Endpoint: idOf(4), Until: 5}
	must(t, l.SetMark(event.Mark{Health: []event.Health{ill, {Endpoint: idOf(3), Failures: 1}, paused}}))
	must(t, l.SetMark(event.Mark{Health: []event.Health{{Endpoint: idOf(3)}, {Endpoint: idOf(9)}}}))
	must(t, l.Flush())
	l = reopen(t, l, o)
	got := recoverAll(t, l)
	if want := map[event.ID]event.Health{idOf(2): ill, idOf(4): paused}; !reflect.DeepEqual(got.health, want) {
		t.Errorf("got %+v, want %+v", got.health, want)
	}
	p := event.Partition(event.EndpointHash(idOf(2)), l.partitions)
	var told []event.Health
	must(t, l.Recover(func(q uint16) bool { return q == p }, func(event.Behind) {}, func(event.Timer) {}, func(h event.Health) { told = append(told, h) }))
	if len(told) != 1 || told[0] != ill {
		t.Errorf("of one partition: %+v", told)
	}
}
