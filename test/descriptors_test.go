package test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestOutOfDescriptors takes all file descriptors from the running process. What it has open goes on:
// events are accepted over connections that exist, unless the log needs its next file. What it cannot open waits: attempts are
// not made and do not count, new connections are not accepted; and all of it comes when there are
// descriptors again.
func TestOutOfDescriptors(t *testing.T) {
	rounds := soaking(t, 2, 50)
	recv := newReceiver(t)
	recv.Config.SetKeepAlivesEnabled(false) // so that each attempt needs a socket
	p := newProject(t, linear(100, 2))      // an attempt that counted would show
	ep := p.add(recv.URL, nil)
	old := http.Client{Transport: &http.Transport{MaxIdleConns: 4}}
	defer old.CloseIdleConnections()
	post := func(c *http.Client, n int) error {
		req, err := http.NewRequest("POST", "http://"+p.api+p.path+"/events", strings.NewReader(fmt.Sprintf(`{"endpoint_id":%q,"event_type":"t","data":%d}`, ep, n)))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+p.key)
		req.Header.Set("Content-Type", "application/json")
		resp, err := c.Do(req)
		if err != nil {
			return err
		}
		drain(resp)
		if resp.StatusCode != http.StatusCreated {
			return fmt.Errorf("answered %s", resp.Status)
		}
		return nil
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	sent, waited := 0, 0
	for round := range rounds {
		must(post(&old, sent)) // its connection is there
		sent++
		eventually(t, "what was sent arrives", func() bool { return recv.total() == sent })
		local, refused := p.metric("posthaste_local_faults_total"), p.metric("posthaste_accept_failures_total")

		// What is open stays open; a number below 8 is never free.
		was := setLimit(t, p.cmd.Process.Pid, syscall.RLIMIT_NOFILE, 8)
		fresh := http.Client{Transport: &http.Transport{}}
		var come sync.WaitGroup
		var meanwhile atomic.Int64
		first := sent
		sent += 23
		come.Go(func() {
			for n := range 20 {
				if err := post(&old, first+n); err != nil {
					t.Errorf("round %d: over a connection that was there: %v", round, err)
				}
				meanwhile.Add(1)
			}
		})
		for n := range 3 {
			come.Go(func() {
				if err := post(&fresh, first+20+n); err != nil {
					t.Errorf("round %d: a client that came meanwhile: %v", round, err)
				}
			})
		}
		// Where the log needs its next file just now everybody waits, which is rare.
		all := func() bool {
			return meanwhile.Load() == 20 && p.metric("posthaste_local_faults_total") >= local+2 && p.metric("posthaste_accept_failures_total") >= refused+2
		}
		end := time.Now().Add(15 * time.Second)
		for !all() && time.Now().Before(end) {
			time.Sleep(20 * time.Millisecond)
		}
		if !all() {
			waited++
		}
		setLimit(t, p.cmd.Process.Pid, syscall.RLIMIT_NOFILE, was.Cur)
		come.Wait()
		fresh.CloseIdleConnections()
		eventually(t, "all that was accepted arrives", func() bool { return recv.total() == sent })
	}
	if waited > max(rounds/4, 1) {
		t.Errorf("in %d of %d rounds the events had to wait, or nothing failed", waited, rounds)
	}
	p.endOnce(t)
	for _, d := range p.allDeliveries("") {
		if d.Status != "Success" || d.Metadata.NumTrials != 1 {
			t.Errorf("%s after %d attempts, want Success after 1", d.Status, d.Metadata.NumTrials)
		}
	}
	if !strings.Contains(p.log.String(), "for a fault of this machine") || !strings.Contains(p.log.String(), "no connection to the API can be accepted") {
		t.Errorf("the log does not tell of it:\n%s", p.log)
	}
	t.Logf("%d times without descriptors: %d events accepted, all delivered with one attempt each; %.0f attempts that did not count, %.0f failures to accept",
		rounds, sent, p.metric("posthaste_local_faults_total"), p.metric("posthaste_accept_failures_total"))
	p.stop()
}

// total is how many deliveries were taken.
func (r *receiver) total() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, times := range r.got {
		n += times
	}
	return n
}
