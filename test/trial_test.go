package test

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// countOf is a count from the environment, or the one for a short run.
func countOf(t *testing.T, variable string, short int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q: want a count", variable, text)
	}
	return n
}

// trial is a server, a receiver that fails now and then, and a load.
type trial struct {
	t    *testing.T
	s    *server
	recv *receiver
	seen *witness
	load *load
}

func newTrial(t *testing.T, args ...string) *trial {
	t.Helper()
	tr := &trial{t: t, recv: newReceiver(t), seen: newWitness()}
	tr.recv.expect, tr.recv.witness = intact, tr.seen
	tr.recv.answer = flaky
	tr.s = newServer(t, args...)
	tr.load = &load{s: tr.s, stop: make(chan struct{})}
	return tr
}

// begin starts the server and so many producers.
func (tr *trial) begin(producers int) {
	tr.t.Helper()
	s, l := tr.s, tr.load
	s.start()
	l.project, l.key = s.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1000}, "add_event_id_trace_headers": true})
	for _, path := range []string{"/a", "/b", "/flaky"} {
		l.endpoints = append(l.endpoints, s.endpoint(l.project, l.key, tr.recv.URL+path, object{"owner_id": "everyone"}))
	}
	for i := range producers {
		l.workers.Go(func() { l.run(i) })
	}
	tr.t.Cleanup(l.end)
}

// lost is how many events were acknowledged, and how many of them are not stored as
// they were posted. The load rests meanwhile: else each look has more to look at than the
// one before.
func (tr *trial) lost() (lost, of int) {
	tr.t.Helper()
	tr.load.rest.Store(true)
	defer tr.load.rest.Store(false)
	uids := tr.load.acknowledged()
	next := make(chan string, len(uids))
	for uid := range uids {
		next <- uid
	}
	close(next)
	var missing atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for uid := range next {
				if !tr.stored(uid, uids[uid]) {
					missing.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return int(missing.Load()), len(uids)
}

// stored reports whether the event n is stored as it was posted.
func (tr *trial) stored(uid string, n int64) bool {
	req, err := http.NewRequest("GET", "http://"+tr.s.api+tr.load.project+"/events/"+uid, nil)
	if err != nil {
		tr.t.Error(err)
		return false
	}
	req.Header.Set("Authorization", "Bearer "+tr.load.key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		tr.t.Error(err)
		return false
	}
	defer resp.Body.Close()
	var got struct {
		Data struct{ Data json.RawMessage }
	}
	err = json.NewDecoder(resp.Body).Decode(&got)
	var body struct{ N int64 }
	return err == nil && resp.StatusCode == http.StatusOK && intact("", got.Data.Data) == "" && json.Unmarshal(got.Data.Data, &body) == nil && body.N == n
}

// finish ends the load, waits until all is delivered, checks what arrived, and stops the
// server.
func (tr *trial) finish(crashes int, restarts []time.Duration, checks ...func()) {
	tr.t.Helper()
	tr.load.end()
	waitDelivered(tr.t, tr.recv, tr.load)
	if lost, n := tr.lost(); lost > 0 {
		tr.t.Errorf("%d of %d acknowledged events are not stored", lost, n)
	}
	for uid, n := range tr.seen.events() {
		if !tr.stored(uid, n) {
			tr.t.Errorf("event %s was delivered, and is not stored", uid)
		}
	}
	for uid, n := range tr.load.acknowledged() {
		if got := tr.seen.eventOf(n); got != uid {
			tr.t.Errorf("event %d was acknowledged as %s and delivered as %s", n, uid, got)
		}
	}
	if bad := tr.recv.wrong(); len(bad) > 0 {
		tr.t.Fatalf("%d deliveries were not what they should be, the first: %s", len(bad), bad[0])
	}
	for _, check := range checks {
		check()
	}
	report(tr.t, crashes, restarts, tr.recv, tr.load)
	tr.s.stop()
}
