package engine

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// neighbourhood is a few endpoints that are well, to each of which an event comes once in
// a while.
type neighbourhood struct {
	w    *world
	eps  []*catalog.Endpoint
	stop chan struct{}
	done sync.WaitGroup

	posted map[event.ID]time.Time // by delivery; of the goroutine, then of leave
}

// quickAnswer is how long an endpoint of a neighbourhood takes.
const quickAnswer = 20 * time.Millisecond

// neighbours posts to so many endpoints in turn, one event every so often, until they
// leave.
func (w *world) neighbours(n int, every time.Duration) *neighbourhood {
	w.t.Helper()
	h := &neighbourhood{w: w, eps: w.endpoints(n), stop: make(chan struct{}), posted: make(map[event.ID]time.Time)}
	for _, ep := range h.eps {
		w.sender.set(ep.ID, slow(quickAnswer, answers(200)))
	}
	h.done.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-h.stop:
				return
			case <-w.engine.stop: // the test has failed
				return
			case <-tick.C:
				h.post(h.eps[i%n])
			}
		}
	})
	return h
}

func (h *neighbourhood) post(ep *catalog.Endpoint) {
	subs := []event.Submission{h.w.single(ep, `{}`)}
	err := h.w.engine.Submit(h.w.t.Context(), subs)
	if errors.Is(err, event.ErrClosed) {
		return
	}
	if err != nil || subs[0].Err != nil {
		h.w.t.Errorf("a neighbour's event: %v, %v", err, subs[0].Err)
		return
	}
	h.posted[subs[0].Event.Owed[0].ID] = time.Now()
}

// leave ends the posting, and returns how long an event waited at most for its attempt,
// from the moment in which it was durable. There must have been some.
func (h *neighbourhood) leave() (longest time.Duration) {
	h.w.t.Helper()
	close(h.stop)
	h.done.Wait()
	end := time.Now()
	sent := make(map[event.ID]time.Time)
	for _, ep := range h.eps {
		for _, s := range h.w.sender.to(ep.ID) {
			if _, known := sent[s.delivery]; !known {
				sent[s.delivery] = s.at
			}
		}
	}
	for id, at := range h.posted {
		began, found := sent[id]
		if !found {
			began = end
		}
		longest = max(longest, began.Sub(at))
	}
	if len(h.posted) == 0 {
		h.w.t.Error("the neighbours got no events")
	}
	return longest
}

// wantUnaffected checks that no event of the neighbourhood waited longer than a worker
// takes to be found for it: that its shard looks at the workers every lookEvery, and takes
// one that waits for slowAfter for one that is held up.
func (h *neighbourhood) wantUnaffected() {
	h.w.t.Helper()
	const most = slowAfter + 2*lookEvery
	if waited := h.leave(); waited > most {
		h.w.t.Errorf("an event of an endpoint that is well waited %s, want at most %s", waited, most)
	}
}

// gauge counts attempts on their way, and the most at once.
type gauge struct {
	mu        sync.Mutex
	now, most int
}

func (g *gauge) during(b behaviour) behaviour {
	return func(c *call) {
		g.add(1)
		defer g.add(-1)
		b(c)
	}
}

func (g *gauge) add(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now += n
	g.most = max(g.most, g.now)
}

// reset begins anew, and returns the most there were.
func (g *gauge) reset() (most int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	most, g.most = g.most, g.now
	return most
}

func timesOut(c *call) { c.a.Class = event.ClassTimeout }

// crowd is many endpoints that are down together, and come back together.
type crowd struct {
	w      *world
	eps    []*catalog.Endpoint
	back   atomic.Bool
	flying gauge
	served atomic.Int64
}

// newCrowd makes endpoints that do not answer, which takes ten seconds to find out, until
// they are back.
func (w *world) newCrowd(n int) *crowd {
	w.t.Helper()
	c := &crowd{w: w, eps: w.endpoints(n)}
	hang, serve := slow(10*time.Second, timesOut), slow(50*time.Millisecond, answers(200))
	for _, ep := range c.eps {
		w.sender.set(ep.ID, c.flying.during(func(a *call) {
			if !c.back.Load() {
				hang(a)
				return
			}
			if serve(a); a.a.Class == event.ClassNone {
				c.served.Add(1)
			}
		}))
	}
	return c
}

// postAll posts an event to each endpoint, over a while.
func (c *crowd) postAll(over time.Duration) {
	for _, ep := range c.eps {
		c.w.post(ep, 1)
		time.Sleep(over / time.Duration(len(c.eps)))
	}
}

// awaitServed waits until so many deliveries have arrived.
func (c *crowd) awaitServed(n int) {
	c.w.t.Helper()
	for begin := time.Now(); c.served.Load() < int64(n); time.Sleep(time.Second) {
		if time.Since(begin) > time.Hour {
			c.w.t.Fatalf("%d of %d were served within an hour", c.served.Load(), n)
		}
	}
}

// TestManyEndpointsComeBackAtOnce takes thousands of endpoints down for an hour, with the
// worst of failures: nothing answers. There are more of them than workers. Neither while
// they are down nor when all are back at once does it keep an event of the others
// waiting; those that are back are served by no more workers than sick endpoints may
// have, all of them, and each the oldest first.
func TestManyEndpointsComeBackAtOnce(t *testing.T) {
	const each = 3
	n, workers := 10_000, 4096
	if testing.Short() {
		n, workers = 1500, 600
	}
	o := Options{Shards: 2, MaxInFlight: workers, MarkEvery: time.Minute}
	inTime(t, o, func(t *testing.T, w *world) {
		w.config(func(p *event.ProjectConfig) {
			p.Strategy = event.Strategy{Type: event.StrategyLinear, Duration: 30, RetryCount: 1000}
		})
		crowd := w.newCrowd(n)
		calm := w.neighbours(20, 250*time.Millisecond)
		for range each {
			crowd.postAll(10 * time.Minute)
		}
		time.Sleep(30 * time.Minute)
		calm.wantUnaffected()
		if most, want := crowd.flying.reset(), workers*3/4; most > want || most < want/2 {
			t.Errorf("%d attempts at once to endpoints that are down, want up to %d", most, want)
		}

		calm = w.neighbours(20, 10*time.Millisecond)
		due := w.dueNow(crowd.eps)
		crowd.back.Store(true)
		back := time.Now()
		crowd.awaitServed(n * each)
		calm.wantUnaffected()
		if most := crowd.flying.reset(); most > workers*3/4 {
			t.Errorf("%d attempts at once to endpoints that came back, want at most %d", most, workers*3/4)
		}
		if most := w.sender.peakOfAll(); most > workers {
			t.Errorf("%d attempts at once, want at most %d", most, workers)
		}
		w.wantOldestFirst(due, back)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Failure: 0})
	})
}

// dueNow lists the deliveries of endpoints of which a retry is due and not on its way, in
// the order in which they fell due.
func (w *world) dueNow(eps []*catalog.Endpoint) (due [][]event.ID) {
	w.t.Helper()
	now := uint64(time.Now().UnixMilli())
	for _, ep := range eps {
		s := w.engine.shardOf(ep.Hash())
		s.mu.Lock()
		state := s.endpoints[ep.ID]
		w.store.mu.Lock()
		var ids []event.ID
		for _, t := range w.store.state.timers[ep.ID] {
			if t.due <= now && (state == nil || !state.finds(t.id)) {
				ids = append(ids, t.id)
			}
		}
		w.store.mu.Unlock()
		s.mu.Unlock()
		due = append(due, ids)
	}
	return due
}

// wantOldestFirst checks that deliveries that were due were attempted in this order.
func (w *world) wantOldestFirst(due [][]event.ID, since time.Time) {
	w.t.Helper()
	first := make(map[event.ID]time.Time)
	for _, s := range w.sender.log {
		if _, known := first[s.delivery]; !known && !s.at.Before(since) {
			first[s.delivery] = s.at
		}
	}
	several := 0
	for _, ids := range due {
		if len(ids) > 1 {
			several++
		}
		if !slices.IsSortedFunc(ids, func(a, b event.ID) int { return first[a].Compare(first[b]) }) {
			w.t.Errorf("deliveries that fell due in this order were attempted in another: %s", ids)
			return
		}
	}
	if several == 0 {
		w.t.Error("no endpoint had two deliveries that were due")
	}
}

// TestTheReturnOfManyIsARamp: endpoints with a circuit breaker, all of which come back at
// once, get 1 a second each at first, then 2, then 4: so all of them together get no
// more than that times their number.
func TestTheReturnOfManyIsARamp(t *testing.T) {
	const n, each, stages = 300, 100, 4
	inTime(t, Options{Shards: 2, MarkEvery: time.Minute}, func(t *testing.T, w *world) {
		w.config(func(p *event.ProjectConfig) {
			p.CircuitBreaker.Enabled, p.CircuitBreaker.ConsecutiveFailureThreshold = true, 1000
			p.Strategy = event.Strategy{Type: event.StrategyLinear, Duration: 30, RetryCount: 1000}
		})
		crowd := w.newCrowd(n)
		for _, ep := range crowd.eps {
			w.post(ep, each)
		}
		time.Sleep(time.Hour)
		calm := w.neighbours(10, 10*time.Millisecond)
		crowd.back.Store(true)
		back := time.Now()
		crowd.awaitServed(n * each)
		calm.wantUnaffected()

		all := make([]int, stages) // attempts in each ten seconds from an endpoint's first success
		for _, ep := range crowd.eps {
			var zero time.Time
			own := make([]int, stages)
			for _, s := range w.sender.to(ep.ID) {
				if s.at.Before(back) {
					continue
				}
				if zero.IsZero() { // its probe: the slow start begins when that is answered
					zero = s.at.Add(50 * time.Millisecond)
					continue
				}
				if stage := int(s.at.Sub(zero) / rampStep); stage < stages {
					own[stage]++
					all[stage]++
				}
			}
			for stage, got := range own {
				// A stage's burst is a tenth of a second's worth, and two at least.
				if most := 10<<stage + max(2, 1<<stage/10); got > most {
					t.Fatalf("%d attempts in the slow start's stage %d, want at most %d", got, stage, most)
				}
			}
		}
		t.Logf("%d endpoints got in the stages of their slow starts: %v", n, all)
		if all[0] < n*8 {
			t.Errorf("%d attempts in the first stage, want about %d", all[0], n*10)
		}
	})
}
