package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestKillLoop kills the server at random moments under load (KILLS times, or 5) and
// starts it again. Every event that was acknowledged must be stored and be delivered,
// whole, at least once; every delivery must be of an event that is stored; events and
// deliveries keep their ids; and what had ended has ended.
func TestKillLoop(t *testing.T) {
	kills := countOf(t, "KILLS", 5)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))

	tr := newTrial(t)
	tr.begin(6)
	var restarts []time.Duration
	ended := make(map[string]int) // deliveries that had ended, and how many attempts of them had come
	for range kills {
		time.Sleep(time.Duration(20+rng.IntN(900)) * time.Millisecond) // the moment of the kill is what is random
		maps.Copy(ended, tr.ended())
		tr.s.kill()
		restarts = append(restarts, tr.s.start())
	}
	tr.finish(kills, restarts, func() { tr.checkEnded(ended) })
}

// ended is some deliveries that have ended, durably, and how many attempts of each have
// come.
func (tr *trial) ended() map[string]int {
	tr.t.Helper()
	var page struct{ Content []struct{ UID string } }
	tr.s.must(tr.load.key, "GET", tr.load.project+"/eventdeliveries?status=Success&perPage=50", nil, &page)
	// What is acknowledged later is committed later, and all that came before with it.
	if !tr.load.batch() {
		tr.t.Fatal("a batch was not acknowledged")
	}
	tries, ended := tr.seen.tries(), make(map[string]int)
	for _, d := range page.Content {
		ended[d.UID] = tries[d.UID]
	}
	return ended
}

// checkEnded: nothing has come of the deliveries that had ended.
func (tr *trial) checkEnded(ended map[string]int) {
	tr.t.Helper()
	if len(ended) == 0 {
		tr.t.Error("no delivery had ended before any of the kills")
	}
	tries := tr.seen.tries()
	for uid, before := range ended {
		var d struct{ Status string }
		tr.s.must(tr.load.key, "GET", tr.load.project+"/eventdeliveries/"+uid, nil, &d)
		if d.Status != "Success" || tries[uid] != before || before == 0 {
			tr.t.Errorf("delivery %s had succeeded with attempt %d; now it is %s, and %d attempts have come", uid, before, d.Status, tries[uid])
		}
	}
}

// flaky is how the receivers answer.
func flaky(n int, r *http.Request) int {
	if strings.HasPrefix(r.URL.Path, "/flaky") && n%7 == 0 {
		return http.StatusServiceUnavailable
	}
	return http.StatusOK
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
	stop         chan struct{}
	workers      sync.WaitGroup
	ending       sync.Once
	pause        time.Duration // between two requests of a producer
	next         atomic.Int64
	rest         atomic.Bool // nothing is posted for the moment

	epoch atomic.Int64 // counts what must not be outlived
	late  atomic.Int64 // requests that began in a later epoch than the first, and were acknowledged

	mu    sync.Mutex
	acked map[int64]int    // event to how many deliveries it owes
	uids  map[string]int64 // its id to the event
}

// end stops the load's workers, once, and waits for their last answers.
func (l *load) end() {
	l.ending.Do(func() { close(l.stop) })
	l.workers.Wait()
}

// acknowledged is the events that were acknowledged, by their id.
func (l *load) acknowledged() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.uids)
}

func (l *load) run(worker int) {
	for {
		select {
		case <-l.stop:
			return
		default:
		}
		if l.rest.Load() {
			time.Sleep(5 * time.Millisecond)
			continue
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
	epoch := l.epoch.Load()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var a answer
	if resp.StatusCode != http.StatusCreated || json.NewDecoder(resp.Body).Decode(&a) != nil {
		return false
	}
	l.late.Add(min(epoch, 1))
	l.note(ns, a.Data, owed)
	return true
}

// note notes that events were acknowledged with an answer's data.
func (l *load) note(ns []int64, data []byte, owed int) {
	type made struct{ UID string }
	var one made
	var many []made
	if json.Unmarshal(data, &many) != nil && json.Unmarshal(data, &one) == nil {
		many = []made{one}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.acked == nil {
		l.acked, l.uids = make(map[int64]int), make(map[string]int64)
	}
	for i, n := range ns {
		l.acked[n] = owed
		if i < len(many) {
			l.uids[many[i].UID] = n
		}
	}
}

// everyone makes the endpoints that the load's events go to, at these paths of a receiver.
func (l *load) everyone(url string, paths ...string) {
	for _, path := range paths {
		l.endpoints = append(l.endpoints, l.s.endpoint(l.project, l.key, url+path, object{"owner_id": "everyone"}))
	}
}

// begin starts the load's workers.
func (l *load) begin(workers int) {
	l.stop, l.ending = make(chan struct{}), sync.Once{}
	for i := range workers {
		l.workers.Go(func() { l.run(i) })
	}
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
// is owed; something of it has to arrive in every minute and a half.
func waitDelivered(t *testing.T, recv *receiver, l *load) {
	t.Helper()
	const still = 90 * time.Second
	least, deadline := len(l.acked)+1, time.NewTimer(still)
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
		if missing < least {
			least = missing
			deadline.Reset(still)
		}
		select {
		case <-recv.changed:
			time.Sleep(100 * time.Millisecond) // looking is not free
		case <-deadline.C:
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
