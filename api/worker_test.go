package api

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"posthaste/event"
)

// fakeWorker is a Worker that makes deliveries Scheduled and counts replays. What it
// refuses is for the test to say.
type fakeWorker struct {
	log    *memory
	refuse func(id event.ID) error // of a delivery or event; nil: nothing is refused

	calls []workCall
}

// workCall is one call: of Retry, or of Replay with one id and force false.
type workCall struct {
	project event.ID
	ids     []event.ID
	force   bool
	replay  bool
}

func (f *fakeWorker) Retry(ctx context.Context, project event.ID, ids []event.ID, force bool) []error {
	f.calls = append(f.calls, workCall{project: project, ids: slices.Clone(ids), force: force})
	errs := make([]error, len(ids))
	for i, id := range ids {
		errs[i] = ctx.Err()
		if f.refuse != nil && errs[i] == nil {
			errs[i] = f.refuse(id)
		}
		if errs[i] == nil {
			errs[i] = f.log.schedule(project, id)
		}
	}
	return errs
}

func (f *fakeWorker) Replay(ctx context.Context, project, id event.ID) error {
	f.calls = append(f.calls, workCall{project: project, ids: []event.ID{id}, replay: true})
	if f.refuse != nil {
		return f.refuse(id)
	}
	return ctx.Err()
}

// schedule makes a delivery Scheduled.
func (m *memory) schedule(project, id event.ID) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.deliveries {
		if d := &m.deliveries[i]; d.ID == id && d.ProjectID == project {
			d.Status = event.Scheduled
			return nil
		}
	}
	return event.ErrNotFound
}

// fakeJobs is Jobs whose jobs never do anything by themselves.
type fakeJobs struct {
	refuse error            // of every method
	run    func(*event.Job) // makes of a job what Wait returns; nil: it goes on

	mu   sync.Mutex
	jobs []event.Job // in id order
}

func newFakeJobs() *fakeJobs { return &fakeJobs{} }

func (f *fakeJobs) Submit(j event.Job) (event.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	j.ID, j.State, j.Total = id('j', len(f.jobs)+1), event.JobRunning, -1
	j.CreatedAt, j.UpdatedAt = epoch, epoch
	if f.refuse == nil {
		f.jobs = append(f.jobs, j)
	}
	return j, f.refuse
}

func (f *fakeJobs) Get(project, id event.ID) (event.Job, error) {
	return f.change(project, id, func(*event.Job) {})
}

func (f *fakeJobs) Cancel(project, id event.ID) (event.Job, error) {
	return f.change(project, id, func(j *event.Job) {
		ended := epoch.Add(time.Minute)
		j.State, j.EndedAt = event.JobCancelled, &ended
	})
}

func (f *fakeJobs) change(project, id event.ID, change func(*event.Job)) (event.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.jobs {
		if j := &f.jobs[i]; j.ID == id && j.ProjectID == project && f.refuse == nil {
			change(j)
			return *j, nil
		}
	}
	if f.refuse != nil {
		return event.Job{}, f.refuse
	}
	return event.Job{}, event.ErrNotFound
}

func (f *fakeJobs) List(project event.ID, r event.Range) ([]event.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rows, _ := within(f.jobs, r, func(j event.Job) event.ID { return j.ID },
		func(j event.Job) bool { return j.ProjectID == project })
	return rows, f.refuse
}

func (f *fakeJobs) Wait(ctx context.Context, project, id event.ID) (event.Job, error) {
	if f.run == nil {
		<-ctx.Done()
		return event.Job{}, ctx.Err()
	}
	return f.change(project, id, f.run)
}

var (
	_ Worker = (*fakeWorker)(nil)
	_ Jobs   = (*fakeJobs)(nil)
)

// An API without a Worker and Jobs shows everything and does nothing over again.
func TestWithoutAWorker(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Work, o.Jobs = nil, nil })
	furnish(w)
	for _, c := range [][3]string{
		{"PUT", "/eventdeliveries/" + id('d', 1).String() + "/resend"},
		{"POST", "/eventdeliveries/forceresend", `{"ids":["` + id('d', 1).String() + `"]}`},
		{"POST", "/eventdeliveries/batchretry"},
		{"PUT", "/events/" + id('f', 1).String() + "/replay"},
		{"POST", "/events/batchreplay"},
		{"GET", "/jobs"},
		{"GET", "/jobs/" + id('j', 1).String()},
		{"PUT", "/jobs/" + id('j', 1).String() + "/cancel"},
	} {
		w.want(w.do(c[0], w.in("%s", c[1]), c[2]), 501, errIdle.message)
	}
	if (idle{}).Replay(t.Context(), id('p', 1), id('f', 1)) != errIdle {
		t.Error("idle replays")
	}
	if _, err := (idle{}).Wait(t.Context(), id('p', 1), id('j', 1)); err != errIdle {
		t.Errorf("idle waits: %v", err)
	}
	if w.do("GET", w.in("/eventdeliveries/countbatchretryevents"), "").Code != 200 {
		t.Error("it does not count either")
	}
}

// What is done over again needs the project's key or the instance's, and reaches
// only what is the project's.
func TestWorkOfAnotherProjectIsNotFound(t *testing.T) {
	w := newWorld(t)
	other, otherKey := w.addProject(2)
	furnish(w)
	job, err := w.jobs.Submit(event.Job{ProjectID: w.project, Kind: event.JobRetry})
	if err != nil {
		t.Fatal(err)
	}
	meta := w.addMetaEvent(1, event.Success)
	base := "/api/v1/projects/" + other.String()
	for _, c := range [][2]string{
		{"PUT", "/eventdeliveries/" + id('d', 1).String() + "/resend"},
		{"PUT", "/events/" + id('f', 1).String() + "/replay"},
		{"GET", "/jobs/" + job.ID.String()},
		{"PUT", "/jobs/" + job.ID.String() + "/cancel"},
		{"POST", "/jobs/" + job.ID.String() + "/cancel"},
		{"GET", "/meta-events/" + meta.String()},
		{"PUT", "/meta-events/" + meta.String() + "/resend"},
		{"GET", "/jobs/1"}, {"PUT", "/jobs/1/cancel"}, {"GET", "/meta-events/1"}, {"PUT", "/events/1/replay"},
	} {
		w.want(w.do(c[0], base+c[1], "", "Authorization", "Bearer "+otherKey), 404, "Resource not found")
	}
	for _, list := range []string{"/jobs", "/meta-events"} {
		if got := w.rows(base + list); len(got.Content) != 0 {
			t.Errorf("%s shows %d rows of another project", list, len(got.Content))
		}
	}
	if len(w.work.calls) != 0 {
		t.Errorf("the worker was called: %v", w.work.calls)
	}
	// The meta project is no project that can be asked for.
	w.want(w.do("GET", "/api/v1/projects/"+event.MetaProject(w.project).String()+"/events", ""), 404, "Resource not found")
}

// A failure of what the API reads from is a failure of the request.
func TestWorkWhenReadingFails(t *testing.T) {
	w := newWorld(t)
	furnish(w)
	w.addMetaEvent(1, event.Success)
	w.log.fail, w.jobs.refuse = event.ErrClosed, event.ErrClosed
	for _, c := range [][2]string{
		{"PUT", "/eventdeliveries/" + id('d', 1).String() + "/resend"},
		{"PUT", "/events/" + id('f', 1).String() + "/replay"},
		{"POST", "/eventdeliveries/batchretry"},
		{"GET", "/jobs"},
		{"GET", "/jobs/" + id('j', 1).String()},
		{"GET", "/meta-events"},
		{"GET", "/meta-events/" + id('m', 1).String()},
		{"PUT", "/meta-events/" + id('m', 1).String() + "/resend"},
	} {
		w.want(w.do(c[0], w.in("%s", c[1]), ""), 503, "the server is stopping; try again later")
	}
	if len(w.work.calls) != 0 {
		t.Errorf("the worker was called: %v", w.work.calls)
	}
}
