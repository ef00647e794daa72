package wal_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
	"posthaste/engine"
	"posthaste/event"
	"posthaste/wal"
)

// TestHandoversOverALog is the engine's TestHandoversChangeNothing on a real log: the same
// traffic, through one engine that is left alone and through two between which
// partitions change hands while the power fails, ends the same. It stands here because
// only this package may have a disk in memory. SOAK, a duration, makes it go on for so
// long.
func TestHandoversOverALog(t *testing.T) {
	var end time.Time
	if text := os.Getenv("SOAK"); text != "" {
		soak, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("SOAK=%q: want a duration, such as 10m: %v", text, err)
		}
		end = time.Now().Add(soak)
	}
	times := 30
	if testing.Short() {
		times = 75 // of which rapid makes a fifth
	}
	before := flag.Lookup("rapid.checks").Value.String()
	defer func() { _ = flag.Set("rapid.checks", before) }()
	if err := flag.Set("rapid.checks", strconv.Itoa(times)); err != nil {
		t.Fatal(err)
	}
	cases := 0
	for first := true; first || time.Now().Before(end); first = false {
		rapid.Check(t, func(rt *rapid.T) {
			cases++
			s := drawScript(rt)
			plain := s.run(t, rt, false)
			if moved := s.run(t, rt, true); !maps.Equal(moved, plain) {
				rt.Fatalf("deliveries ended as %v\nwant %v", moved, plain)
			}
		})
	}
	t.Logf("%d cases", cases)
}

// script is the traffic and what is done to those who deliver it.
type script struct {
	kinds      []kind
	partitions int
	placed     []uint16 // the partition of each endpoint
	steps      []step
	engines    [2]engine.Options
	log        wal.Options
	chance     uint64
}

// kind is how an endpoint behaves: it answers after a while, 500 to the first attempts
// of each delivery and then 200.
type kind struct {
	takes time.Duration
	fails int
}

// step is a post of some events, a handover or a power cut.
type step struct {
	after    time.Duration
	what     string
	endpoint int           // post
	events   int           // post
	mask     uint64        // handover: the partitions
	to       int           // handover: who takes them
	time     time.Duration // handover: of attempts in flight
	percent  int           // cut: how much of what was not synced survives
}

func drawScript(rt *rapid.T) *script {
	n := func(least, most int, label string) int { return rapid.IntRange(least, most).Draw(rt, label) }
	millis := func(most int, label string) time.Duration { return time.Duration(n(0, most, label)) * time.Millisecond }
	s := &script{partitions: n(1, 6, "partitions"), chance: rapid.Uint64().Draw(rt, "chance")}
	for range n(1, 5, "endpoints") {
		s.kinds = append(s.kinds, kind{millis(3000, "takes"), n(0, 3, "fails")})
		s.placed = append(s.placed, uint16(n(0, s.partitions-1, "placed")))
	}
	for range n(5, 40, "steps") {
		st := step{after: millis(1500, "after"), what: rapid.SampledFrom([]string{"post", "post", "post", "handover", "handover", "cut"}).Draw(rt, "what")}
		switch st.what {
		case "post":
			st.endpoint, st.events = n(0, len(s.kinds)-1, "to"), n(1, 20, "events")
		case "handover":
			st.mask, st.to = rapid.Uint64Range(1, 1<<s.partitions-1).Draw(rt, "mask"), n(-1, 1, "taker")
			st.time = millis(4000, "time")
		case "cut":
			st.percent = n(0, 100, "percent")
		}
		s.steps = append(s.steps, st)
	}
	for i := range s.engines {
		s.engines[i] = engine.Options{
			Shards: n(1, 4, "shards"), Window: 1 << n(0, 6, "window"), EndpointCap: n(1, 8, "cap"), Eager: n(1, 8, "eager"),
			MaxInFlight: 100, QueueBytes: int64(1) << n(8, 20, "queue bytes"), MarkEvery: time.Duration(n(20, 2000, "mark every")) * time.Millisecond,
		}
	}
	s.log = wal.Options{GroupBytes: 1 << n(10, 20, "group bytes"), SettleDelay: time.Millisecond + millis(30, "settle delay")}
	return s
}

// run makes the script happen, without handovers and cuts unless moved. It returns how
// deliveries ended, by the data of their events.
func (s *script) run(t *testing.T, rt *rapid.T, moved bool) (ends map[string]event.Status) {
	var w *pair
	synctest.Test(t, func(t *testing.T) {
		w = newPair(t, s)
		defer w.stop()
		for i, st := range s.steps {
			time.Sleep(st.after)
			switch {
			case st.what == "post":
				w.post(i, st)
			case !moved:
			case st.what == "cut":
				w.moving.Wait()
				w.cut(st.percent)
			default:
				w.moving.Wait()
				w.moving.Go(func() { w.handOver(st) })
			}
		}
		w.moving.Wait()
		w.take(0, ^uint64(0))
		ends = w.settled()
	})
	if len(w.wrong) > 0 {
		rt.Fatalf("%s\n%+v", w.wrong[0], s)
	}
	return ends
}

// pair is two engines over one log.
type pair struct {
	t       *testing.T
	s       *script
	r       *rand.Rand
	catalog *catalog.Catalog
	eps     []*catalog.Endpoint
	fs      *vfs.MemFS
	log     *wal.Log
	nodes   [2]*node
	posted  []event.ID
	cuts    int            // how often attempts may have been cancelled
	moving  sync.WaitGroup // the handover that is under way

	mu     sync.Mutex
	holder []int // by partition; -1: none
	tried  map[event.ID]int
	wrong  []string
}

func newPair(t *testing.T, s *script) *pair {
	w := &pair{t: t, s: s, r: rand.New(rand.NewPCG(s.chance, 1)), catalog: catalogtest.Open(t), fs: vfs.NewCrashableMem(), tried: make(map[event.ID]int)}
	config := event.DefaultProjectConfig()
	config.Strategy = event.Strategy{Type: event.StrategyLinear, Duration: 5, RetryCount: 3}
	p, _, _, err := w.catalog.CreateProject(event.Project{Name: "shop", Config: config})
	w.must(err)
	for _, partition := range s.placed {
		w.eps = append(w.eps, w.endpointIn(p.ID, partition))
	}
	w.holder = make([]int, s.partitions)
	w.start()
	return w
}

func (w *pair) endpointIn(project event.ID, partition uint16) *catalog.Endpoint {
	for {
		ep, err := w.catalog.CreateEndpoint(event.Endpoint{ProjectID: project, Name: "e", URL: "https://example.com/"})
		w.must(err)
		if event.Partition(ep.Hash(), w.s.partitions) == partition {
			return ep
		}
	}
}

func (w *pair) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *pair) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

// start opens the log on what the disk holds, and starts both engines.
func (w *pair) start() {
	o := w.s.log
	o.Dir, o.FS, o.Partitions, o.Sink = "log", plainReuse{w.fs}, w.s.partitions, w
	o.CacheBytes, o.MemTableBytes = 1<<20, 256<<10
	o.OnFatal = func(err error) { panic(err) }
	var err error
	w.log, err = wal.Open(o)
	w.must(err)
	for k := range w.nodes {
		w.nodes[k] = w.newNode(k)
	}
	for k := range w.nodes {
		w.must(w.nodes[k].engine.Start(w.t.Context()))
	}
}

// stop stops the engines and closes the log.
func (w *pair) stop() {
	for _, n := range w.nodes {
		if err := n.engine.Stop(context.Background()); err != nil {
			w.complain("Stop: %v", err)
		}
	}
	if err := w.log.Close(); err != nil {
		w.complain("Close: %v", err)
	}
}

// cut cuts the power: nothing reaches an endpoint any more, the disk is left as it is,
// and both engines start again on it.
func (w *pair) cut(percent int) {
	for _, n := range w.nodes {
		n.Cancel()
	}
	w.cuts++
	fs := w.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(w.r.Uint64(), 3))})
	w.stop()
	w.fs = fs
	w.start()
}

// Committed and Waiting hand on to both engines.
func (w *pair) Committed(groups [][]event.Submission) {
	for _, n := range w.nodes {
		n.engine.Committed(groups)
	}
}

func (w *pair) Waiting(timers []event.Timer) {
	for _, n := range w.nodes {
		n.engine.Waiting(timers)
	}
}

func (w *pair) post(i int, st step) {
	ep := w.eps[st.endpoint]
	subs := make([]event.Submission, st.events)
	for k := range subs {
		subs[k] = event.Submission{EndpointID: ep.ID, Event: event.Event{
			ProjectID: ep.ProjectID, Type: "paid", Data: fmt.Appendf(nil, "%d of step %d", k, i), ReceivedAt: time.Now(),
		}}
	}
	w.must(w.nodes[i%2].engine.Submit(w.t.Context(), subs))
	for k := range subs {
		w.must(subs[k].Err)
		w.posted = append(w.posted, subs[k].Event.Owed[0].ID)
	}
}

func (w *pair) heldBy(k int, mask uint64) (list []uint16) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p, holder := range w.holder {
		if holder == k && mask>>p&1 == 1 {
			list = append(list, uint16(p))
		}
	}
	return list
}

func (w *pair) setHolder(partitions []uint16, k int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range partitions {
		w.holder[p] = k
	}
}

// handOver has partitions given up by whoever holds them, and taken.
func (w *pair) handOver(st step) {
	w.cuts++
	for k, n := range w.nodes {
		held := w.heldBy(k, st.mask)
		ctx, cancel := context.WithTimeout(context.Background(), st.time)
		if err := n.engine.Release(ctx, held...); err != nil {
			w.complain("Release: %v", err)
		}
		cancel()
		w.setHolder(held, -1)
	}
	if st.to >= 0 {
		w.take(st.to, st.mask)
	}
}

func (w *pair) take(k int, mask uint64) {
	free := w.heldBy(-1, mask)
	w.setHolder(free, k) // it may begin before Take returns
	if err := w.nodes[k].engine.Take(context.Background(), free...); err != nil {
		w.complain("Take: %v", err)
	}
}

// settled waits until nothing is owed any more, and returns how deliveries ended.
func (w *pair) settled() map[string]event.Status {
	ends := make(map[string]event.Status)
	for until := time.Now().Add(time.Hour); ; time.Sleep(5 * time.Second) {
		owed := 0
		clear(ends)
		for _, id := range w.posted {
			d, err := w.log.Delivery(w.eps[0].ProjectID, id)
			w.must(err)
			if d.Status.Owed() {
				owed++
			}
			ev, err := w.log.Event(d.ProjectID, d.EventID)
			w.must(err)
			ends[string(ev.Data)] = d.Status
			w.checkAttempts(&d)
		}
		if owed == 0 {
			return ends
		}
		if time.Now().After(until) {
			w.complain("%d deliveries are still owed; the engines hold %+v and %+v", owed, w.nodes[0].engine.Stats(), w.nodes[1].engine.Stats())
			return ends
		}
	}
}

// checkAttempts checks how many attempts were made of a delivery that has ended.
func (w *pair) checkAttempts(d *event.Delivery) {
	w.mu.Lock()
	n := w.tried[d.ID]
	w.mu.Unlock()
	if !d.Status.Owed() && (d.Attempts > 3 || n < d.Attempts || n > d.Attempts+w.cuts) {
		w.complain("%d attempts of %s, of which %d are recorded, with %d cuts and handovers", n, d.ID, d.Attempts, w.cuts)
	}
}

// node is an engine and what it sends with.
type node struct {
	w      *pair
	k      int
	engine *engine.Engine

	workers sync.WaitGroup
	run     func(*engine.Shard)

	mu    sync.Mutex
	ended bool
	cuts  map[event.ID]chan struct{} // by endpoint: closed when its attempts are cancelled
}

func (w *pair) newNode(k int) *node {
	n := &node{w: w, k: k, cuts: make(map[event.ID]chan struct{})}
	o := w.s.engines[k]
	o.Store, o.Catalog, o.Sender = w.log, w.catalog, n
	o.NewPool = func(_ int, run func(*engine.Shard)) (engine.Pool, error) {
		n.run = run
		return n, nil
	}
	held := make(map[uint16]bool)
	for _, p := range w.heldBy(k, ^uint64(0)) {
		held[p] = true
	}
	o.Holds = func(p uint16) bool { return held[p] }
	var err error
	n.engine, err = engine.New(o)
	w.must(err)
	return n
}

// Invoke implements engine.Pool.
func (n *node) Invoke(s *engine.Shard) error {
	n.workers.Go(func() { n.run(s) })
	return nil
}

// Stop implements engine.Pool.
func (n *node) Stop(time.Duration) error {
	n.workers.Wait()
	return nil
}

// Attempt implements engine.Sender.
func (n *node) Attempt(_ *catalog.Project, ep *catalog.Endpoint, d *event.Delivery, ev *event.Event, a *event.Attempt) {
	cut := n.cutOf(ep.ID)
	if cut == nil {
		a.Class = event.ClassCancelled
		return
	}
	n.w.note(n.k, d, ev)
	var k kind
	for i := range n.w.eps {
		if n.w.eps[i].ID == ep.ID {
			k = n.w.s.kinds[i]
		}
	}
	select {
	case <-time.After(k.takes):
		a.StatusCode = 200
		if a.Number <= k.fails {
			a.StatusCode, a.Class = 500, event.ClassStatus
		}
	case <-cut:
		a.Class = event.ClassCancelled
	}
}

// note looks at an attempt that begins.
func (w *pair) note(k int, d *event.Delivery, ev *event.Event) {
	w.mu.Lock()
	holder := w.holder[event.Partition(event.DeliveryEndpointHash(d.ID), w.s.partitions)]
	w.tried[d.ID]++
	w.mu.Unlock()
	if holder != k {
		w.complain("engine %d made an attempt of %s, whose partition is held by %d", k, d.ID, holder)
	}
	if d.EventID != ev.ID {
		w.complain("%s came with the event %s", d.ID, ev.ID)
	}
}

func (n *node) cutOf(ep event.ID) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ended {
		return nil
	}
	if n.cuts[ep] == nil {
		n.cuts[ep] = make(chan struct{})
	}
	return n.cuts[ep]
}

// Cancel implements engine.Sender.
func (n *node) Cancel() {
	n.mu.Lock()
	n.ended = true
	n.mu.Unlock()
	n.CancelTo(func(event.ID) bool { return true })
}

// CancelTo implements engine.Sender.
func (n *node) CancelTo(endpoints func(event.ID) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for ep, cut := range n.cuts {
		if endpoints(ep) {
			close(cut)
			delete(n.cuts, ep)
		}
	}
}

// plainReuse reuses a file in two steps. MemFS does it under a lock that it takes
// twice, which deadlocks with a CrashClone that begins in between.
type plainReuse struct{ vfs.FS }

func (f plainReuse) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Rename(from, to); err != nil {
		return nil, err
	}
	return f.OpenReadWrite(to, c)
}
