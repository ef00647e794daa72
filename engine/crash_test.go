package engine

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"posthaste/event"
)

// plan is what happens in one run: the same for every configuration.
type plan struct {
	seed      uint64
	endpoints []behaviour
	posts     []planned
	crashes   []time.Duration // since the start, rising
}

type planned struct {
	at       time.Duration
	endpoint int
	n        int
}

func newPlan(seed uint64) plan {
	r := rand.New(rand.NewPCG(seed, 7))
	p := plan{seed: seed}
	kinds := []behaviour{
		answers(200), failsFirst(1), failsFirst(2), answers(500), slow(time.Second, answers(204)),
		slow(2*time.Second, failsFirst(1)), slow(4*time.Second, answers(500)),
	}
	for range 2 + r.IntN(6) {
		p.endpoints = append(p.endpoints, kinds[r.IntN(len(kinds))])
	}
	at := time.Duration(0)
	for range 20 + r.IntN(20) {
		at += time.Duration(r.Int64N(2e9))
		p.posts = append(p.posts, planned{at, r.IntN(len(p.endpoints)), 1 + r.IntN(20)})
	}
	for at = time.Duration(r.Int64N(10e9)); len(p.crashes) < r.IntN(8); at += time.Duration(r.Int64N(15e9)) {
		p.crashes = append(p.crashes, at)
	}
	return p
}

func randomOptions(r *rand.Rand) Options {
	return Options{
		Shards: 1 + r.IntN(5), Window: 1 << r.IntN(8), EndpointCap: 1 + r.IntN(8), Eager: 1 + r.IntN(8),
		MaxInFlight: 20 + r.IntN(100), QueueBytes: 1 << (8 + r.IntN(12)), MarkEvery: time.Duration(20+r.IntN(3000)) * time.Millisecond,
	}
}

// run makes the plan happen, and returns how each event that was acknowledged
// ended, by its data.
func (p plan) run(t *testing.T, r *rand.Rand) (ends map[string]event.Status) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, randomOptions(r))
		defer w.end()
		eps := w.endpoints(len(p.endpoints))
		prepare := func() {
			lag := time.Duration(1 + r.Int64N(int64(500*time.Millisecond)))
			w.store.delay = func() time.Duration { return rand.N(lag) }
			for i, b := range p.endpoints {
				w.sender.set(eps[i].ID, b)
			}
		}
		w.start(nil, prepare)
		start, crashes := time.Now(), p.crashes
		until := func(at time.Duration) {
			for ; len(crashes) > 0 && crashes[0] <= at; crashes = crashes[1:] {
				time.Sleep(crashes[0] - time.Since(start))
				w.crash(r, prepare)
			}
			time.Sleep(at - time.Since(start))
		}
		for k, post := range p.posts {
			until(post.at)
			subs := make([]event.Submission, post.n)
			for i := range subs {
				subs[i] = w.single(eps[post.endpoint], fmt.Sprintf("%d of post %d", i, k))
			}
			w.submit(subs)
		}
		until(5 * time.Minute)
		w.settled(24 * time.Hour)
		ends = w.ends()
		w.wantFewAttempts(len(p.crashes))
		w.wantCaughtUp()
	})
	return ends
}

// ends is how the deliveries ended, by their events' data.
func (w *world) ends() map[string]event.Status {
	w.t.Helper()
	ends := make(map[string]event.Status)
	for _, id := range w.posted {
		d := w.store.delivery(id)
		ends[w.store.data(id)] = d.Status
	}
	return ends
}

func (w *world) wantFewAttempts(crashes int) {
	w.t.Helper()
	for _, id := range w.posted {
		d := w.store.delivery(id)
		n := w.tried[id] + w.sender.count[id]
		if n < d.Attempts || n > d.Attempts+crashes || d.Attempts > 3 {
			w.t.Errorf("%d attempts of %s, of which %d are recorded, with %d crashes", n, id, d.Attempts, crashes)
		}
	}
}

func TestCrashesChangeNothing(t *testing.T) {
	for seed := range uint64(16) {
		p := newPlan(seed)
		var first map[string]event.Status
		for config := range uint64(3) {
			ends := p.run(t, rand.New(rand.NewPCG(seed, 100+config)))
			if first == nil {
				first = ends
			}
			if !t.Failed() && !maps.Equal(ends, first) {
				t.Errorf("configuration %d ended otherwise than the first", config)
			}
			if t.Failed() {
				t.Fatalf("seed %d, configuration %d", seed, config)
			}
		}
	}
}

// Recovery finds endpoints behind that no mark names. Until one does, the
// watermark alone would give their deliveries up.
func TestASecondCrashFindsWhatTheFirstLeft(t *testing.T) {
	for _, window := range []int{4, 1000} {
		inTime(t, Options{Window: window}, func(t *testing.T, w *world) {
			stuck, other := w.endpoint(), w.endpoint()
			release := make(chan struct{})
			hang := func() { w.sender.set(stuck.ID, hangs(release)) }
			r := rand.New(rand.NewPCG(1, 2))
			hang()
			w.post(stuck, 100)
			for range 3 {
				w.crash(r, hang)
				w.post(other, 1)
				time.Sleep(1500 * time.Millisecond)
				w.post(other, 1)
			}
			close(release)
			w.settled(time.Minute)
			w.want(map[event.Status]int{event.Success: 106})
		})
	}
}

// The committer hands new deliveries to one shard after the other. A mark in
// between must not take the first shard's progress for that of all.
func TestAMarkWaitsForEveryShard(t *testing.T) {
	inTime(t, Options{Shards: 2, MarkEvery: time.Hour}, func(t *testing.T, w *world) {
		for range 100 { // some of each shard
			w.endpoint()
		}
		time.Sleep(time.Second)
		now := uint64(time.Now().UnixMilli())
		subs := []event.Submission{{Event: event.Event{ID: event.DeliveryID(now, 7, 1)}}}
		w.engine.shards[0].mu.Lock()
		w.engine.feed(w.engine.shards[0], 0, subs)
		w.engine.shards[0].mu.Unlock()
		w.must(w.engine.mark())
		w.must(w.store.Flush())
		if mark := w.store.watermark(); mark >= now {
			t.Errorf("the watermark is %d, and one shard has not seen %d", mark, now)
		}
	})
}

func TestRecoveryFindsTimersAndFirstAttempts(t *testing.T) {
	inTime(t, Options{Window: 8}, func(t *testing.T, w *world) {
		failing, stuck := w.endpoint(), w.endpoint()
		script := func() { w.sender.set(failing.ID, failsFirst(2)) }
		script()
		w.sender.set(stuck.ID, hangs(nil))
		w.post(failing, 100)
		w.post(stuck, 100)
		time.Sleep(5 * time.Second)
		w.crash(rand.New(rand.NewPCG(3, 3)), script)
		w.settled(time.Minute)
		w.want(map[event.Status]int{event.Success: 200})
		w.wantCaughtUp()
		w.restart()
		time.Sleep(time.Minute)
		if n := w.sender.total(); n != 0 {
			t.Errorf("%d attempts after a restart with nothing owed", n)
		}
	})
}
