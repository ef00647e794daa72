package engine

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

	"pgregory.net/rapid"

	"posthaste/catalog"
	"posthaste/event"
)

// TestHandoversChangeNothing sends the same traffic through engines of random sizes, with
// random partitions that change hands between two engines over one log, and with
// crashes; it always ends as through one engine that is left alone. SOAK, a duration,
// makes it go on for so long.
func TestHandoversChangeNothing(t *testing.T) {
	checkFor(t, 120, func(rt *rapid.T) {
		p := drawTraffic(rt)
		plain := p.run(t, rt, arrangement{})
		for range 2 {
			ends := p.run(t, rt, p.drawArrangement(rt))
			if !maps.Equal(ends, plain) {
				rt.Fatalf("deliveries ended otherwise: %v", differences(ends, plain))
			}
		}
	})
}

// checkFor checks a property so many times, half as often with -short, and again for as
// long as SOAK says. What fails is made smaller and printed, with the seed that leads to
// it.
func checkFor(t *testing.T, times int, property func(rt *rapid.T)) {
	t.Helper()
	var end time.Time
	if text := os.Getenv("SOAK"); text != "" {
		soak, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("SOAK=%q: want a duration, such as 10m: %v", text, err)
		}
		end = time.Now().Add(soak)
	}
	if testing.Short() {
		times = times * 5 / 2 // of which rapid makes a fifth
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
			property(rt)
		})
	}
	t.Logf("%d cases", cases)
}

func differences(got, want map[string]event.Status) (list []string) {
	for data, status := range want {
		if got[data] != status {
			list = append(list, fmt.Sprintf("%q is %s, want %s", data, got[data], status))
		}
	}
	return list[:min(len(list), 5)]
}

// traffic is what happens whatever the arrangement.
type traffic struct {
	kinds []int // of endpoints, see receiverKinds
	posts []planned
	last  time.Duration
}

// receiverKinds are the behaviours of endpoints. How a delivery ends depends on these
// alone.
var receiverKinds = []behaviour{
	answers(200), failsFirst(1), failsFirst(2), answers(500), slow(time.Second, answers(204)),
	slow(2*time.Second, failsFirst(1)), slow(3*time.Second, answers(500)), slow(300*time.Millisecond, failsFirst(2)),
}

func drawTraffic(rt *rapid.T) *traffic {
	p := &traffic{kinds: rapid.SliceOfN(rapid.IntRange(0, len(receiverKinds)-1), 1, 8).Draw(rt, "kinds")}
	for i := range rapid.IntRange(1, 30).Draw(rt, "posts") {
		p.last += drawTime(rt, 2*time.Second, fmt.Sprint("before post ", i))
		p.posts = append(p.posts, planned{p.last, rapid.IntRange(0, len(p.kinds)-1).Draw(rt, "to"), rapid.IntRange(1, 12).Draw(rt, "events")})
	}
	return p
}

func drawTime(rt *rapid.T, most time.Duration, label string) time.Duration {
	return time.Duration(rapid.IntRange(0, int(most/time.Millisecond)).Draw(rt, label)) * time.Millisecond
}

// arrangement is what must make no difference. The zero one is a single engine that is
// left alone.
type arrangement struct {
	partitions int
	placed     []uint16   // the partition of each endpoint
	options    [2]Options // of the engines
	holders    [][]int    // at each start: which engine holds a partition, -1 for none
	moves      []move
	crashes    []time.Duration
	lag        time.Duration // at most so long from readable to durable
	seed       uint64
}

// move is a handover of some partitions.
type move struct {
	at   time.Duration
	mask uint64        // of the partitions, those that are not held pass over a release
	to   int           // who takes them; -1: nobody, until another move or the end
	time time.Duration // that attempts in flight have; 0: as long as they take
	away time.Duration // between the release and the taking
}

func (p *traffic) drawArrangement(rt *rapid.T) arrangement {
	a := arrangement{partitions: rapid.IntRange(1, 12).Draw(rt, "partitions"), seed: rapid.Uint64().Draw(rt, "chance")}
	a.placed = rapid.SliceOfN(rapid.Uint16Range(0, uint16(a.partitions-1)), len(p.kinds), len(p.kinds)).Draw(rt, "placed")
	for i := range a.options {
		a.options[i] = drawOptions(rt)
	}
	a.lag = drawTime(rt, 500*time.Millisecond, "lag")
	long := p.last + 30*time.Second
	for range rapid.IntRange(0, 12).Draw(rt, "moves") {
		a.moves = append(a.moves, move{
			at: drawTime(rt, long, "at"), mask: rapid.Uint64Range(1, 1<<a.partitions-1).Draw(rt, "mask"),
			to: rapid.IntRange(-1, 1).Draw(rt, "to"), time: drawTime(rt, 5*time.Second, "time"),
			away: drawTime(rt, 3*time.Second, "away"),
		})
	}
	for range rapid.IntRange(0, 4).Draw(rt, "crashes") {
		a.crashes = append(a.crashes, drawTime(rt, long, "crash at"))
	}
	for range len(a.crashes) + 1 {
		a.holders = append(a.holders, rapid.SliceOfN(rapid.IntRange(-1, 1), a.partitions, a.partitions).Draw(rt, "holders"))
	}
	return a
}

func drawOptions(rt *rapid.T) Options {
	n := func(least, most int, label string) int { return rapid.IntRange(least, most).Draw(rt, label) }
	return Options{
		Shards: n(1, 5, "shards"), Window: 1 << n(0, 7, "window"), EndpointCap: n(1, 8, "cap"), Eager: n(1, 8, "eager"),
		MaxInFlight: n(20, 120, "in flight"), QueueBytes: int64(1) << n(8, 20, "queue bytes"),
		MarkEvery: time.Duration(n(20, 3000, "mark every")) * time.Millisecond,
	}
}

// run makes the traffic happen, and returns how each event that was acknowledged ended,
// by its data.
func (p *traffic) run(t *testing.T, rt *rapid.T, a arrangement) (ends map[string]event.Status) {
	var said []string
	synctest.Test(t, func(t *testing.T) {
		tell := &witness{TB: t}
		defer func() { said = tell.said }()
		tell.until(func() {
			c := newCluster(tell, p, a)
			defer c.end()
			ends = c.run()
		})
	})
	if len(said) > 0 {
		rt.Fatalf("%s\n%d endpoints, arrangement %+v", said[0], len(p.kinds), a)
	}
	return ends
}

// witness notes what is wrong in a bubble, so that it can be told outside, where rapid
// looks for a smaller case. Its Fatal ends the function that until runs.
type witness struct {
	testing.TB

	mu   sync.Mutex
	said []string
}

type saidEnough struct{}

func (w *witness) until(f func()) {
	defer func() {
		if p := recover(); p != nil && p != (saidEnough{}) {
			panic(p)
		}
	}()
	f()
}

func (w *witness) Errorf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, fmt.Sprintf(format, args...))
}

func (w *witness) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	panic(saidEnough{})
}

func (w *witness) Error(args ...any) { w.Errorf("%s", fmt.Sprint(args...)) }
func (w *witness) Fatal(args ...any) { w.Fatalf("%s", fmt.Sprint(args...)) }

func (w *witness) Failed() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.said) > 0
}

// node is one engine of a cluster.
type node struct {
	engine *Engine
	sender *fakeSender
}

// cluster is two engines over one log.
type cluster struct {
	*world
	p     *traffic
	a     arrangement
	r     *rand.Rand
	eps   []*catalog.Endpoint
	nodes [2]node
	zero  time.Time
	cuts  int // how often attempts may have been cancelled

	// moving runs moves, one after the other, until endMoves.
	moving   sync.WaitGroup
	moves    chan move
	endMoves func()
	crashed  chan struct{} // closed by a crash

	mu     sync.Mutex
	holder []int               // by partition; -1: none
	tried  map[event.ID]int    // attempts of each delivery
	sent   map[event.ID]string // the data that it came with
	flying map[event.ID]int    // attempts in flight, by endpoint
}

func newCluster(t testing.TB, p *traffic, a arrangement) *cluster {
	if a.partitions == 0 { // one engine, left alone
		a.partitions, a.placed, a.holders = 1, make([]uint16, len(p.kinds)), [][]int{{0}}
	}
	c := &cluster{
		world: newWorld(t, Options{}), p: p, a: a, r: rand.New(rand.NewPCG(a.seed, 1)), zero: time.Now(),
		tried: make(map[event.ID]int), sent: make(map[event.ID]string),
	}
	for _, partition := range a.placed {
		ep := c.endpoint()
		for event.Partition(ep.Hash(), a.partitions) != partition {
			ep = c.endpoint()
		}
		c.eps = append(c.eps, ep)
	}
	c.begin(nil)
	return c
}

// begin starts both engines on what a log holds.
func (c *cluster) begin(journal []*group) {
	c.store = newStoreOf(journal, c.a.partitions)
	lag, seed := c.a.lag, c.r.Uint64()
	chance := rand.New(rand.NewPCG(seed, 2)) // of the log's one goroutine
	c.store.delay = func() time.Duration { return time.Duration(chance.Int64N(int64(lag) + 1)) }
	c.holder, c.a.holders = append([]int(nil), c.a.holders[0]...), c.a.holders[1:]
	c.flying = make(map[event.ID]int)
	for k := range c.nodes {
		c.nodes[k] = c.newNode(k)
	}
	c.store.sink = c
	for k := range c.nodes {
		c.must(c.nodes[k].engine.Start(c.t.Context()))
	}
	moves := make(chan move, len(c.a.moves)+1)
	c.moves, c.endMoves, c.crashed = moves, sync.OnceFunc(func() { close(moves) }), make(chan struct{})
	c.moving.Go(c.moveLoop)
}

func (c *cluster) newNode(k int) node {
	n := node{sender: newSender()}
	for i, kind := range c.p.kinds {
		n.sender.set(c.eps[i].ID, c.watched(k, receiverKinds[kind]))
	}
	o := c.a.options[k]
	o.Store, o.Catalog, o.Sender = c.store, c.catalog, n.sender
	o.NewPool = func(size int, run func(*Shard)) (Pool, error) { return &fakePool{size: size, run: run}, nil }
	start := append([]int(nil), c.holder...)
	o.Holds = func(p uint16) bool { return start[p] == k }
	var err error
	n.engine, err = New(o)
	c.must(err)
	return n
}

// Committed and Waiting hand on to both engines, as to one each on its own machine.
func (c *cluster) Committed(groups [][]event.Submission) {
	for k := range c.nodes {
		c.nodes[k].engine.Committed(groups)
	}
}

func (c *cluster) Waiting(timers []event.Timer) {
	for k := range c.nodes {
		c.nodes[k].engine.Waiting(timers)
	}
}

// watched is a behaviour whose attempts are looked at: only the holder of an endpoint's
// partition makes any, with the same ids and data each time, and not too many at once.
func (c *cluster) watched(k int, b behaviour) behaviour {
	most := c.a.options[k].EndpointCap
	if most == 0 {
		most = 32
	}
	return func(call *call) {
		c.note(k, most, call)
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.flying[call.d.EndpointID]--
		}()
		b(call)
	}
}

func (c *cluster) note(k, most int, call *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := call.d
	if holder := c.holder[event.Partition(event.DeliveryEndpointHash(d.ID), c.a.partitions)]; holder != k {
		c.t.Errorf("engine %d made an attempt of %s, whose partition is held by %d", k, d.ID, holder)
	}
	c.tried[d.ID]++
	before, known := c.sent[d.ID]
	if c.sent[d.ID] = string(call.ev.Data); known && before != string(call.ev.Data) || d.EventID != call.ev.ID {
		c.t.Errorf("%s came as %q of %s, and before as %q", d.ID, call.ev.Data, call.ev.ID, before)
	}
	if c.flying[d.EndpointID]++; c.flying[d.EndpointID] > most {
		c.t.Errorf("%d attempts at once to %s, which may have %d", c.flying[d.EndpointID], d.EndpointID, most)
	}
}

// moveLoop makes one handover after the other.
func (c *cluster) moveLoop() {
	for m := range c.moves {
		for k := range c.nodes {
			c.give(k, m)
		}
		select {
		case <-time.After(m.away):
		case <-c.crashed:
			continue
		}
		if m.to >= 0 {
			c.takeFree(m.to, m.mask)
		}
	}
}

// give has an engine give up the partitions of a move that it holds.
func (c *cluster) give(k int, m move) {
	patience := time.Hour
	if m.time > 0 {
		c.cuts++
		patience = m.time
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var all []uint16
	for p := range c.holder {
		if m.mask>>p&1 == 1 {
			all = append(all, uint16(p))
		}
	}
	held := c.heldBy(k, m.mask)
	if err := c.nodes[k].engine.Release(ctx, all...); err != nil {
		c.wantCrash("Release", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range held {
		c.holder[p] = -1
	}
	for _, ep := range c.eps {
		if p := event.Partition(ep.Hash(), c.a.partitions); c.holder[p] == -1 && c.flying[ep.ID] != 0 {
			c.t.Errorf("%d attempts to %s are on their way after its partition was given up", c.flying[ep.ID], ep.ID)
		}
	}
}

// takeFree has an engine take those of the partitions that nobody holds.
func (c *cluster) takeFree(k int, mask uint64) {
	free := c.heldBy(-1, mask)
	c.mu.Lock()
	for _, p := range free { // it may begin before Take returns
		c.holder[p] = k
	}
	c.mu.Unlock()
	if err := c.nodes[k].engine.Take(context.Background(), free...); err != nil {
		c.wantCrash("Take", err)
	}
}

// heldBy lists the partitions of a mask that an engine holds, -1 for none.
func (c *cluster) heldBy(k int, mask uint64) (list []uint16) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for p, holder := range c.holder {
		if holder == k && mask>>p&1 == 1 {
			list = append(list, uint16(p))
		}
	}
	return list
}

func (c *cluster) wantCrash(what string, err error) {
	select {
	case <-c.crashed:
	default:
		c.t.Errorf("%s: %v", what, err)
	}
}

// run makes the posts, handovers and crashes happen.
func (c *cluster) run() map[string]event.Status {
	moves, crashes := c.a.moves, c.a.crashes
	next := func() (at time.Duration, crash bool, i int) { // the first of both
		at, i = 1<<62, -1
		for k, m := range moves {
			if m.at < at {
				at, i = m.at, k
			}
		}
		for k, d := range crashes {
			if d < at {
				at, crash, i = d, true, k
			}
		}
		return at, crash, i
	}
	until := func(until time.Duration) {
		for at, crash, i := next(); i >= 0 && at <= until; at, crash, i = next() {
			time.Sleep(at - time.Since(c.zero))
			if crash {
				crashes = append(crashes[:i:i], crashes[i+1:]...)
				c.crashAll()
			} else {
				c.moves <- moves[i]
				moves = append(moves[:i:i], moves[i+1:]...)
			}
		}
		time.Sleep(until - time.Since(c.zero))
	}
	for k, post := range c.p.posts {
		until(post.at)
		subs := make([]event.Submission, post.n)
		for i := range subs {
			subs[i] = c.single(c.eps[post.endpoint], fmt.Sprintf("%d of post %d", i, k))
		}
		c.engine = c.nodes[k%len(c.nodes)].engine // whoever holds the partition
		c.submit(subs)
	}
	until(c.p.last + time.Minute)
	c.endMoves()
	c.moving.Wait()
	c.takeFree(c.r.IntN(len(c.nodes)), 1<<c.a.partitions-1)
	c.settled(3 * time.Hour)
	return c.wantAllWell()
}

// crashAll ends both engines and the log in the middle of what they do.
func (c *cluster) crashAll() {
	close(c.crashed)
	for k := range c.nodes {
		c.nodes[k].sender.Cancel()
	}
	journal := c.store.crash(c.r)
	c.stopAll()
	c.begin(journal)
}

// stopAll waits until nothing of the cluster is left.
func (c *cluster) stopAll() {
	for k := range c.nodes {
		_ = c.nodes[k].engine.Stop(context.Background())
	}
	c.endMoves()
	c.moving.Wait()
	c.store.close()
	c.check()
}

func (c *cluster) end() {
	if c.t.Failed() {
		for k := range c.nodes {
			c.nodes[k].sender.Cancel()
		}
	}
	c.stopAll()
}

// wantAllWell checks what every run must come to, and returns how deliveries ended.
func (c *cluster) wantAllWell() map[string]event.Status {
	for _, id := range c.posted {
		d := c.store.delivery(id)
		n, most := c.triedOf(id), d.Attempts+len(c.a.crashes)+c.cuts
		if n < d.Attempts || n > most || d.Attempts > 3 {
			c.t.Errorf("%d attempts of %s, of which %d are recorded, with %d crashes and %d handovers that cancel", n, id, d.Attempts, len(c.a.crashes), c.cuts)
		}
		if !d.Status.Owed() && c.sent[id] != c.store.data(id) {
			c.t.Errorf("%s came as %q, and is %q", id, c.sent[id], c.store.data(id))
		}
	}
	time.Sleep(10 * time.Second) // some marks
	c.must(c.store.Flush())
	for k := range c.nodes {
		if st := c.nodes[k].engine.Stats(); st != (Stats{}) {
			c.t.Errorf("engine %d holds %+v", k, st)
		}
		if n := c.nodes[k].engine.pace.runnable.Load(); n != 0 {
			c.t.Errorf("engine %d counts %d deliveries as ready", k, n)
		}
	}
	if n := c.store.placesBehind(); n != 0 {
		c.t.Errorf("%d places in the log", n)
	}
	return c.ends()
}

func (c *cluster) triedOf(id event.ID) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tried[id]
}
