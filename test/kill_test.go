package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// killCount is how often TestKillLoop kills the server: KILLS, or 5.
func killCount(t *testing.T) int {
	text := os.Getenv("KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("KILLS=%q: want a count", text)
	}
	return n
}

// TestKillLoop kills the server at random moments under load and starts it
// again. Every event that was acknowledged must be delivered, whole, at least
// once; and every delivery must be of an event that was posted.
func TestKillLoop(t *testing.T) {
	kills := killCount(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))

	recv := newReceiver(t)
	recv.expect = intact
	recv.answer = func(n int, r *http.Request) int {
		if strings.HasPrefix(r.URL.Path, "/flaky") && n%7 == 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	}
	s := newServer(t)
	s.start()
	project, key := s.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1000}})
	endpoints := []string{
		s.endpoint(project, key, recv.URL+"/a", object{"owner_id": "everyone"}),
		s.endpoint(project, key, recv.URL+"/b", object{"owner_id": "everyone"}),
		s.endpoint(project, key, recv.URL+"/flaky", object{"owner_id": "everyone"}),
	}
	load := &load{s: s, project: project, key: key, endpoints: endpoints, stop: make(chan struct{})}
	for i := range 6 {
		load.workers.Go(func() { load.run(i) })
	}

	var restarts []time.Duration
	for range kills {
		time.Sleep(time.Duration(20+rng.IntN(900)) * time.Millisecond) // the moment of the kill is what is random
		s.kill()
		restarts = append(restarts, s.start())
	}
	close(load.stop)
	load.workers.Wait()
	waitDelivered(t, recv, load)

	if bad := recv.wrong(); len(bad) > 0 {
		t.Fatalf("%d deliveries were not what was posted, the first: %s", len(bad), bad[0])
	}
	report(t, kills, restarts, recv, load)
	s.stop()
}

// intact checks that a body is one that the load posts, whole.
func intact(_ string, body []byte) string {
	var b struct {
		N   int64
		Pad string
		Sum int64
	}
	if err := json.Unmarshal(body, &b); err != nil || b.Sum != b.N*31 || b.Pad != strings.Repeat("x", int(b.N%1500)) {
		return fmt.Sprintf("torn body %.80q", body)
	}
	return ""
}

func loadBody(n int64) []byte {
	return fmt.Appendf(nil, `{"N":%d, "Pad":"%s", "Sum":%d}`, n, strings.Repeat("x", int(n%1500)), n*31)
}

// load posts events: single, fan-out and batches, and keeps what was acknowledged.
type load struct {
	s            *server
	project, key string
	endpoints    []string
	pause        time.Duration // between two requests of a worker
	stop         chan struct{}
	workers      sync.WaitGroup
	next         atomic.Int64

	mu    sync.Mutex
	acked map[int64]int // event to how many deliveries it owes
}

func (l *load) run(worker int) {
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		var ok bool
		switch worker % 3 {
		case 0:
			n := l.next.Add(1)
			ep := l.endpoints[n%int64(len(l.endpoints))]
			ok = l.post("", fmt.Appendf(nil, `{"endpoint_id":%q,"event_type":"t","data":%s}`, ep, loadBody(n)), []int64{n}, 1)
		case 1:
			n := l.next.Add(1)
			ok = l.post("/fanout", fmt.Appendf(nil, `{"owner_id":"everyone","event_type":"t","data":%s}`, loadBody(n)), []int64{n}, len(l.endpoints))
		case 2:
			ok = l.batch()
		}
		if !ok {
			time.Sleep(5 * time.Millisecond) // the server is down
		}
		time.Sleep(l.pause)
	}
}

func (l *load) batch() bool {
	var body bytes.Buffer
	var ns []int64
	for range 20 {
		n := l.next.Add(1)
		ns = append(ns, n)
		fmt.Fprintf(&body, `{"endpoint_id":%q,"event_type":"t","data":%s}`+"\n", l.endpoints[n%int64(len(l.endpoints))], loadBody(n))
	}
	return l.post("/batch", body.Bytes(), ns, 1)
}

// post reports whether the server acknowledged. Without an acknowledgement the
// events may or may not be stored, and nothing is promised.
func (l *load) post(route string, body []byte, ns []int64, owed int) bool {
	req, err := http.NewRequest("POST", "http://"+l.s.api+l.project+"/events"+route, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer "+l.key)
	req.Header.Set("Content-Type", "application/json")
	if route == "/batch" {
		req.Header.Set("Content-Type", "application/x-ndjson")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acked == nil {
		l.acked = make(map[int64]int)
	}
	for _, n := range ns {
		l.acked[n] = owed
	}
	return true
}

// everyone makes the endpoints that the load's events go to, at these paths of a receiver.
func (l *load) everyone(url string, paths ...string) {
	for _, path := range paths {
		l.endpoints = append(l.endpoints, l.s.endpoint(l.project, l.key, url+path, object{"owner_id": "everyone"}))
	}
}

// begin starts the load's workers.
func (l *load) begin(workers int) {
	l.stop = make(chan struct{})
	for i := range workers {
		l.workers.Go(func() { l.run(i) })
	}
}

// end stops the load's workers and waits for their last answers.
func (l *load) end() {
	close(l.stop)
	l.workers.Wait()
}

// so is how much was acknowledged so far, and how many deliveries are owed for it.
func (l *load) so() (events, owed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.acked {
		owed += n
	}
	return len(l.acked), owed
}

// waitDelivered waits until everything that was acknowledged has arrived as often as it
// is owed.
func waitDelivered(t *testing.T, recv *receiver, l *load) {
	t.Helper()
	deadline := time.After(90 * time.Second)
	for {
		missing := 0
		var first int64
		for n, owed := range l.acked {
			if recv.count(loadBody(n)) < owed {
				missing++
				first = n
			}
		}
		if missing == 0 {
			return
		}
		select {
		case <-recv.changed:
			time.Sleep(100 * time.Millisecond) // looking is not free
		case <-deadline:
			t.Fatalf("%d of %d acknowledged events were not delivered, %d among them", missing, len(l.acked), first)
		}
	}
}

func report(t *testing.T, kills int, restarts []time.Duration, recv *receiver, l *load) {
	slices.Sort(restarts)
	owed, got := 0, 0
	for _, n := range l.acked {
		owed += n
	}
	for _, n := range recv.got {
		got += n
	}
	t.Logf("%d kills, %d events acknowledged, %d deliveries owed for them, %d received (the rest: repeats, and events that were stored but not acknowledged), 0 lost, 0 torn",
		kills, len(l.acked), owed, got)
	t.Logf("restart to ready: min %v, median %v, max %v", restarts[0].Round(time.Millisecond), restarts[len(restarts)/2].Round(time.Millisecond), restarts[len(restarts)-1].Round(time.Millisecond))
}
