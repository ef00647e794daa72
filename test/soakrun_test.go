package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func unmarshal(raw []byte, into any) error { return json.Unmarshal(raw, into) }

// rest is what a server holds that has nothing to do.
type rest struct {
	goroutines, descriptors            int
	heap                               int // live, in bytes
	projects, endpoints, subscriptions int
}

func (r rest) String() string {
	return fmt.Sprintf("%d goroutines, %.1f MiB live heap, %d file descriptors, %d projects, %d endpoints, %d subscriptions",
		r.goroutines, float64(r.heap)/(1<<20), r.descriptors, r.projects, r.endpoints, r.subscriptions)
}

// resting waits until nothing is on its way, then for so long, and looks.
func (p *project) resting(t *testing.T, pause time.Duration) (r rest) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	within(t, 10*time.Minute, "nothing is on its way", func() bool {
		return p.metric("posthaste_inflight") == 0 && p.metric("posthaste_deliveries_queued") == 0 && p.metric("posthaste_endpoints_behind") == 0
	})
	http.DefaultClient.CloseIdleConnections()
	time.Sleep(pause)
	r.heap = int(p.heap())
	for range 2 { // what a finalizer or a pool lets go of, goes with the next collection
		r.heap = min(r.heap, int(p.heap()))
	}
	r.goroutines = int(p.metric("go_goroutines"))
	r.projects, r.endpoints, r.subscriptions = int(p.metric("posthaste_projects")), int(p.metric("posthaste_endpoints")), int(p.metric("posthaste_subscriptions"))
	r.descriptors = p.descriptors(t)
	return r
}

// descriptors is how many files the server has open, but for those of its store, of which it has
// more the more it holds.
func (s *server) descriptors(t *testing.T) (n int) {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		target, err := os.Readlink(dir + "/" + e.Name())
		if err == nil && !strings.HasPrefix(target, s.dir) {
			n++
		}
	}
	return n
}

// stream posts the soak's events, and keeps what was accepted.
type stream struct {
	p         *project
	endpoints map[string]string // path to id
	mu        sync.Mutex
	next      int
	accepted  []string // path and number
	refused   int
}

// run posts on, one event and then ten at once, until stop is closed.
func (s *stream) run(stop <-chan struct{}) {
	paths := slices.Sorted(maps.Keys(manners))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for turn := 0; ; turn++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		count := 1
		if turn%2 == 1 {
			count = 10
		}
		var whats []string
		var body strings.Builder
		for range count {
			s.mu.Lock()
			s.next++
			n := s.next
			s.mu.Unlock()
			path := paths[n%len(paths)]
			if path == "/hang" && n%400 > len(paths) { // each costs a second of a slot
				path = "/good"
			}
			whats = append(whats, fmt.Sprint(path, " ", n))
			fmt.Fprintf(&body, `{"endpoint_id":%q,"event_type":"t","data":{"n":%d}}`+"\n", s.endpoints[path], n)
		}
		route := "/events"
		if count > 1 {
			route = "/events/batch"
		}
		ok := s.post(route, body.String())
		s.mu.Lock()
		if ok {
			s.accepted = append(s.accepted, whats...)
		} else {
			s.refused += count
		}
		s.mu.Unlock()
	}
}

func (s *stream) post(route, body string) bool {
	req, err := http.NewRequest("POST", "http://"+s.p.api+s.p.path+route, strings.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+s.p.key)
	req.Header.Set("Content-Type", "application/json")
	if route == "/events/batch" {
		req.Header.Set("Content-Type", "application/x-ndjson")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusCreated
}

func (s *stream) so() (accepted []string, refused int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted[:len(s.accepted):len(s.accepted)], s.refused
}

// TestSoak runs the server for SOAK under a steady load, beside which its configuration is made,
// used, changed and removed all the time, and some receivers hang, reset and answer garbage.
// Afterwards, at rest, it holds what it held when it first rested, and delivered is what was
// accepted.
//
// Goroutines, objects and files have to be the same, but for a few that happen to answer the test
// itself. The live heap may differ by 6 MiB: the block cache is 1 MiB here, and a memtable as much,
// of which there are up to four; they are as full as they happen to be. The rest is for what is
// remembered of an hour of events.
func TestSoak(t *testing.T) {
	length := soak(t)
	if length == 0 {
		t.Skip("a long test: set SOAK, such as SOAK=10m")
	}
	pause := min(max(length/4, 20*time.Second), 150*time.Second) // two and a half minutes let go of everything
	m, idp := newMob(t), newTokens(t)
	idp.lives = 60 // a token is forgotten when it ends
	p := newProject(t, with(linear(1, 1000), object{"circuit_breaker": object{"enabled": false}}), "--cache-bytes", "1MiB", "--memtable-bytes", "1MiB")
	s := &stream{p: p, endpoints: make(map[string]string)}
	for path := range manners {
		s.endpoints[path] = p.add(m.URL+path, object{"http_timeout": 1})
	}
	c := &churn{p: p.another(linear(1, 3)), mob: m, tokens: idp, nobody: freeAddr(t)}

	begun := time.Now()
	var table strings.Builder
	load := func(d time.Duration) {
		stop := make(chan struct{})
		var workers sync.WaitGroup
		for range 2 {
			workers.Go(func() { s.run(stop) })
			workers.Go(func() { c.run(stop) })
		}
		line := time.NewTicker(min(time.Minute, d))
		defer line.Stop()
		for end := time.After(d); ; {
			select {
			case <-line.C:
				accepted, refused := s.so()
				taken, again := m.took()
				fmt.Fprintf(&table, "%8s %9d %8d %9d %7d %7d %8d %6d %9.1f %6d %7d\n", time.Since(begun).Round(time.Second), len(accepted), refused, taken, again,
					c.rounds.Load(), c.objects.Load(), int(p.metric("go_goroutines")), p.metric("go_memstats_heap_alloc_bytes")/(1<<20), p.descriptors(t), statusBytes(t, p.cmd.Process.Pid, "VmRSS")>>20)
				continue
			case <-end:
			}
			break
		}
		close(stop)
		workers.Wait()
		if failed := c.failed.Load(); failed != nil {
			t.Fatalf("the configuration: %s\n%s", *failed, p.log)
		}
	}
	const head = "   after  accepted  refused delivered   twice  rounds  objects  gorou  heap MiB  files RSS MiB\n"
	load(length / 5)
	first := p.resting(t, pause)
	load(length - length/5)
	last := p.resting(t, pause)
	accepted, refused := s.so()
	taken, again := m.took()
	t.Logf("\n%s%sfirst rest: %s\nlast rest:  %s\n%d events accepted, %d refused, %d delivered, %d of them more than once; %d rounds of configuration with %d objects",
		head, table.String(), first, last, len(accepted), refused, taken, again, c.rounds.Load(), c.objects.Load())

	if missing := m.missing(accepted); len(missing) > 0 {
		t.Errorf("%d accepted events were not delivered, the first: %s", len(missing), missing[0])
	}
	if taken != len(accepted) {
		t.Errorf("%d events were delivered, %d accepted", taken, len(accepted))
	}
	if len(m.wrong) > 0 {
		t.Errorf("%d deliveries were not what was posted, the first: %s", len(m.wrong), m.wrong[0])
	}
	if over := last.goroutines - first.goroutines; over > 5 {
		t.Errorf("%d goroutines more than at the first rest:\n%s", over, p.admins("/debug/pprof/goroutine?debug=1"))
	}
	if over := last.heap - first.heap; over > 6<<20 {
		t.Errorf("%.1f MiB more live heap than at the first rest", float64(over)/(1<<20))
	}
	if over := last.descriptors - first.descriptors; over > 5 {
		t.Errorf("%d file descriptors more than at the first rest", over)
	}
	if last.projects != first.projects || last.endpoints != first.endpoints || last.subscriptions != first.subscriptions {
		t.Error("what was removed is still counted")
	}
	p.stop()
}
