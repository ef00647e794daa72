package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

// world is an engine between fakes.
type world struct {
	t       testing.TB
	options Options
	catalog *catalog.Catalog
	project *catalog.Project
	store   *fakeStore
	sender  *fakeSender
	pool    *fakePool
	engine  *Engine
	posted  []event.ID       // deliveries that were acknowledged
	tried   map[event.ID]int // attempts of each delivery, by engines that are gone
}

// inTime runs a test under virtual time, in a world that is stopped at its end.
func inTime(t *testing.T, o Options, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, o)
		w.start(nil)
		defer w.end()
		test(t, w)
	})
}

func newWorld(t testing.TB, o Options) *world {
	t.Helper()
	w := &world{t: t, options: o, catalog: catalogtest.Open(t), tried: make(map[event.ID]int)}
	w.project = w.newProject(event.Strategy{Type: event.StrategyLinear, Duration: 10, RetryCount: 3})
	return w
}

func (w *world) newProject(s event.Strategy) *catalog.Project {
	w.t.Helper()
	config := event.DefaultProjectConfig()
	config.Strategy = s
	config.MultipleEndpointSubscriptions = true
	p, _, _, err := w.catalog.CreateProject(event.Project{Name: "shop", Config: config})
	w.must(err)
	return p
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// start starts an engine on what a log holds. prepare may change the store and
// the sender before anything happens.
func (w *world) start(journal []*group, prepare ...func()) {
	w.t.Helper()
	w.store, w.sender = newStore(journal), newSender()
	for _, f := range prepare {
		f()
	}
	o := w.options
	o.Store, o.Catalog, o.Sender = w.store, w.catalog, w.sender
	o.NewPool = func(size int, run func(*Shard)) (Pool, error) {
		w.pool = &fakePool{size: size, run: run}
		return w.pool, nil
	}
	var err error
	w.engine, err = New(o)
	w.must(err)
	w.store.sink = w.engine
	w.must(w.engine.Start(w.t.Context()))
}

// end stops everything at the end of a test, whatever hangs where that failed.
func (w *world) end() {
	w.t.Helper()
	if w.t.Failed() {
		w.sender.Cancel()
	}
	w.stop()
}

// stop stops the engine and its log, and checks that no promise was broken.
func (w *world) stop() {
	w.t.Helper()
	if err := w.engine.Stop(context.Background()); err != nil {
		w.t.Errorf("Stop: %v", err)
	}
	w.store.close()
	w.check()
}

func (w *world) check() {
	w.t.Helper()
	for i, c := range w.store.complaints() {
		if i == 5 {
			w.t.Errorf("and %d more", len(w.store.complaints())-i)
			break
		}
		w.t.Error(c)
	}
}

// crash ends engine and log in the middle of what they do, and starts another
// engine on what the log holds.
func (w *world) crash(r *rand.Rand, prepare ...func()) {
	w.t.Helper()
	w.sender.Cancel() // from here on nothing reaches an endpoint
	journal := w.store.crash(r)
	_ = w.engine.Stop(context.Background())
	w.store.close()
	w.check()
	w.again(journal, prepare...)
}

// restart stops the engine as a whole and starts another on the same log.
func (w *world) restart(prepare ...func()) {
	w.t.Helper()
	w.stop()
	w.again(w.store.journal, prepare...)
}

func (w *world) again(journal []*group, prepare ...func()) {
	w.t.Helper()
	for id, n := range w.sender.count {
		w.tried[id] += n
	}
	w.start(journal, prepare...)
}

func (w *world) endpoint(change ...func(*event.Endpoint)) *catalog.Endpoint {
	w.t.Helper()
	e := event.Endpoint{ProjectID: w.project.ID, Name: "e", URL: "https://example.com/"}
	for _, f := range change {
		f(&e)
	}
	ep, err := w.catalog.CreateEndpoint(e)
	w.must(err)
	return ep
}

func (w *world) endpoints(n int) []*catalog.Endpoint {
	w.t.Helper()
	eps := make([]*catalog.Endpoint, n)
	for i := range eps {
		eps[i] = w.endpoint()
	}
	return eps
}

// endpointsOf makes n endpoints of one shard.
func (w *world) endpointsOf(s *Shard, n int) []*catalog.Endpoint {
	w.t.Helper()
	var eps []*catalog.Endpoint
	for len(eps) < n {
		if ep := w.endpoint(); w.engine.shardOf(ep.Hash()) == s {
			eps = append(eps, ep)
		}
	}
	return eps
}

func (w *world) single(ep *catalog.Endpoint, data string) event.Submission {
	return event.Submission{
		EndpointID: ep.ID,
		Event:      event.Event{ProjectID: ep.ProjectID, Type: "paid", Data: []byte(data), ReceivedAt: time.Now()},
	}
}

// post submits n events to an endpoint in one request.
func (w *world) post(ep *catalog.Endpoint, n int) {
	w.t.Helper()
	subs := make([]event.Submission, n)
	for i := range subs {
		subs[i] = w.single(ep, fmt.Sprintf(`{"n":%d}`, i))
	}
	w.submit(subs)
}

func (w *world) submit(subs []event.Submission) {
	w.t.Helper()
	w.must(w.engine.Submit(w.t.Context(), subs))
	for i := range subs {
		w.must(subs[i].Err)
		for j := range subs[i].Event.Owed {
			w.posted = append(w.posted, subs[i].Event.Owed[j].ID)
		}
	}
}

// settled waits until no delivery is owed any more, for at most a while.
func (w *world) settled(within time.Duration) {
	w.t.Helper()
	step := max(time.Millisecond, within/1000)
	for end := time.Now().Add(within); w.store.owing() > 0; {
		if time.Now().After(end) {
			w.t.Fatalf("after %s: %v; the engine holds %+v", within, w.store.counts(), w.engine.Stats())
		}
		time.Sleep(step)
	}
}

// want checks how many deliveries ended in each state.
func (w *world) want(want map[event.Status]int) {
	w.t.Helper()
	got := w.store.counts()
	for status, n := range want {
		if got[status] != n {
			w.t.Errorf("%d deliveries are %s, want %d; all: %v", got[status], status, n, got)
		}
	}
}
