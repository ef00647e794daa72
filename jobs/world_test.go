package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/event"
)

// world is a store with deliveries and events that outlives the processes (nodes)
// which work on it.
type world struct {
	*testing.T
	project event.ID
	seq     uint64

	lock       sync.Mutex
	stored     map[event.ID]event.Job
	deliveries []event.Delivery // in order of ids
	events     []*event.Event
	retried    map[event.ID]int
	replayed   map[event.ID]int
	puts       []put
	busy, most int // calls of the doer at the moment, and at most
	handed     []time.Time
}

// put is a job as it was written down.
type put struct {
	at  time.Time
	job event.Job
}

func newWorld(t *testing.T) *world {
	return &world{
		T: t, project: event.NewID(), stored: map[event.ID]event.Job{},
		retried: map[event.ID]int{}, replayed: map[event.ID]int{},
	}
}

// inBubble runs a test in a bubble, in which an hour has passed since the project
// was made.
func inBubble(t *testing.T, fn func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		time.Sleep(time.Hour)
		fn(t, w)
	})
}

// add makes n deliveries in a state, and as many events, a millisecond apart, and
// returns their ids.
func (w *world) add(n int, status event.Status) []event.ID {
	w.lock.Lock()
	defer w.lock.Unlock()
	ids := make([]event.ID, n)
	for i := range ids {
		w.seq++
		now := time.Now()
		ids[i] = event.DeliveryID(uint64(now.UnixMilli()), uint32(w.seq*2654435761), w.seq)
		w.deliveries = append(w.deliveries, event.Delivery{ID: ids[i], EventID: ids[i], ProjectID: w.project, Status: status, UpdatedAt: now})
		w.events = append(w.events, &event.Event{ID: ids[i], ProjectID: w.project})
		w.lock.Unlock()
		time.Sleep(time.Millisecond)
		w.lock.Lock()
	}
	return ids
}

func (w *world) delivery(id event.ID) *event.Delivery {
	return &w.deliveries[w.from(id)]
}

// from is where the ids from id on begin.
func (w *world) from(id event.ID) int {
	i, _ := slices.BinarySearchFunc(w.deliveries, id, func(d event.Delivery, id event.ID) int { return d.ID.Compare(id) })
	return i
}

func (w *world) job(id event.ID) event.Job {
	w.lock.Lock()
	defer w.lock.Unlock()
	return w.stored[id]
}

// times checks how often each of the ids was done.
func (w *world) times(done map[event.ID]int, ids []event.ID, least, most int) {
	w.Helper()
	w.lock.Lock()
	defer w.lock.Unlock()
	for i, id := range ids {
		if n := done[id]; n < least || n > most {
			w.Fatalf("number %d was done %d times, want %d to %d", i, n, least, most)
		}
	}
}

// node is one process: what its runner sees of the world.
type node struct {
	*world
	*Runner
	dead bool // killed: nothing it does has an effect any more
	cost time.Duration

	// Faults; nil for none. They are asked before each operation.
	putFault, listFault, readFault func() error
	doFault                        func(ctx context.Context, id event.ID) error
	ended                          []error
}

func (w *world) node(change func(*node)) *node {
	n := &node{world: w, cost: 100 * time.Microsecond}
	n.Runner = New(Options{Store: n, Lister: n, Doer: n, Ended: n.noteEnd})
	if change != nil {
		change(n)
	}
	if err := n.Start(w.Context()); err != nil {
		w.Fatal(err)
	}
	return n
}

func (n *node) noteEnd(_ event.Job, err error) {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.ended = append(n.ended, err)
}

// kill ends the process without a warning.
func (n *node) kill() {
	n.lock.Lock()
	n.dead = true
	n.lock.Unlock()
	n.stop() // its goroutines have to end for the test's sake
}

func (n *node) stop() {
	n.Helper()
	if err := n.Stop(n.Context()); err != nil {
		n.Fatal(err)
	}
}

func (n *node) submit(kind event.JobKind, rate int) event.Job {
	n.Helper()
	job, err := n.Submit(event.Job{ProjectID: n.project, Kind: kind, Rate: rate})
	if err != nil {
		n.Fatal(err)
	}
	return job
}

// finish waits for a job's end and checks its state.
func (n *node) finish(id event.ID, want event.JobState) event.Job {
	n.Helper()
	job, err := n.Wait(n.Context(), n.project, id)
	if err != nil || job.State != want || job.EndedAt == nil {
		n.Fatalf("%+v, %v, want it %s", job, err, want)
	}
	stored := n.job(id)
	if stored.EndedAt == nil || !stored.EndedAt.Equal(*job.EndedAt) {
		n.Fatalf("%+v, but stored is %+v", job, stored)
	}
	stored.EndedAt, job.EndedAt = nil, nil
	if fmt.Sprint(stored) != fmt.Sprint(job) {
		n.Fatalf("%+v, but stored is %+v", job, stored)
	}
	return job
}

// fault is what an operation of a killed process, or a faulty one, returns.
func (n *node) fault(ask func() error) error {
	if n.dead {
		return event.ErrClosed
	}
	if ask != nil {
		return ask()
	}
	return nil
}

func (n *node) PutJob(job event.Job) error {
	n.lock.Lock()
	defer n.lock.Unlock()
	if err := n.fault(n.putFault); err != nil {
		return err
	}
	n.stored[job.ID] = job
	n.puts = append(n.puts, put{time.Now(), job})
	return nil
}

func (n *node) Job(project, id event.ID) (event.Job, error) {
	n.lock.Lock()
	defer n.lock.Unlock()
	job, ok := n.stored[id]
	if !ok || job.ProjectID != project {
		return event.Job{}, event.ErrNotFound
	}
	return job, n.fault(nil)
}

func (n *node) RunningJobs() ([]event.Job, error) {
	n.lock.Lock()
	defer n.lock.Unlock()
	var running []event.Job
	for _, job := range n.stored {
		if job.State == event.JobRunning {
			running = append(running, job)
		}
	}
	return running, n.fault(n.listFault)
}

// inRange is for ids from r.From on.
func inRange(id event.ID, r event.Range) bool {
	return r.To == event.ID{} || id.Compare(r.To) <= 0
}

func (n *node) Deliveries(project event.ID, r event.Range, f event.DeliveryFilter) ([]event.Delivery, event.Scan, error) {
	n.lock.Lock()
	defer n.lock.Unlock()
	if err := n.fault(n.listFault); err != nil {
		return nil, event.Scan{}, err
	}
	var rows []event.Delivery
	looked := 0
	for _, d := range n.deliveries[n.from(r.From):] {
		if len(rows) == r.Limit || !inRange(d.ID, r) {
			break
		}
		if d.ProjectID != project {
			continue
		}
		if looked++; looked > min(r.Budget, 150) { // less than a page
			return rows, event.Scan{Looked: looked - 1, Next: d.ID}, nil
		}
		if slices.Contains(f.Statuses, d.Status) {
			rows = append(rows, d)
		}
	}
	return rows, event.Scan{}, nil
}

// Event has the number of its delivery as its data's member n.
func (n *node) Event(_, id event.ID) (*event.Event, error) {
	n.lock.Lock()
	defer n.lock.Unlock()
	if err := n.fault(n.readFault); err != nil {
		return nil, err
	}
	return &event.Event{ID: id, Data: fmt.Appendf(nil, `{"n":%d}`, n.from(id))}, nil
}

func (n *node) Attempts(_, id event.ID) ([]event.Attempt, error) {
	return make([]event.Attempt, n.retried[id]), nil
}

func (n *node) Events(project event.ID, r event.Range, _ event.EventFilter) ([]*event.Event, event.Scan, error) {
	n.lock.Lock()
	defer n.lock.Unlock()
	if err := n.fault(n.listFault); err != nil {
		return nil, event.Scan{}, err
	}
	var rows []*event.Event
	for i, ev := range n.events[n.from(r.From):] {
		if len(rows) == r.Limit || !inRange(ev.ID, r) {
			break
		}
		if i == min(r.Budget, 15) {
			return rows, event.Scan{Looked: i, Next: ev.ID}, nil
		}
		if ev.ProjectID == project {
			rows = append(rows, ev)
		}
	}
	return rows, event.Scan{}, nil
}

// begin and end count the calls of the doer.
func (n *node) begin() {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.busy++
	n.most = max(n.most, n.busy)
}

func (n *node) end() {
	n.lock.Lock()
	defer n.lock.Unlock()
	n.busy--
}

// Retry takes some time for each delivery. One that is retried fails at once, so
// that only its time tells it from one that was not. Who is killed learns nothing of
// what was done.
func (n *node) Retry(ctx context.Context, project event.ID, ids []event.ID) []error {
	n.begin()
	defer n.end()
	results := make([]error, len(ids))
	for i, id := range ids {
		results[i] = n.once(ctx, id, n.retry)
	}
	n.lock.Lock()
	defer n.lock.Unlock()
	for i := range results {
		if n.dead {
			results[i] = event.ErrClosed
		}
	}
	return results
}

func (n *node) once(ctx context.Context, id event.ID, do func(id event.ID) error) error {
	time.Sleep(n.cost)
	if n.doFault != nil {
		if err := n.doFault(ctx, id); err != nil {
			return err
		}
	}
	n.lock.Lock()
	defer n.lock.Unlock()
	if n.dead {
		return event.ErrClosed
	}
	n.handed = append(n.handed, time.Now())
	return do(id)
}

func (n *node) retry(id event.ID) error {
	d := n.delivery(id)
	if d.Status != event.Failure && d.Status != event.Discarded {
		return fmt.Errorf("%s: %w", d.Status, event.ErrConflict)
	}
	n.retried[id]++
	d.Status, d.UpdatedAt = event.Failure, time.Now()
	return nil
}

func (n *node) Replay(ctx context.Context, project, id event.ID) error {
	n.begin()
	defer n.end()
	return n.once(ctx, id, func(id event.ID) error { n.replayed[id]++; return nil })
}

var errBoom = errors.New("boom")
