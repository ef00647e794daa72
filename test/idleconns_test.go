package test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestIdleConnections opens many thousand connections to the API and leaves them idle. The server keeps
// as many as it is told to, within some KiB each, answers the others 503, serves who was there
// before, keeps its health and metrics open, and closes the idle ones, whose places others take.
func TestIdleConnections(t *testing.T) {
	const reserve = 1500 // of descriptors
	want := soaking(t, 4000, 50_000)
	n := min(want, moreDescriptors(t, want+2*reserve)-2*reserve)
	bound := n * 4 / 5
	speakers := n / 2

	recv := newReceiver(t)
	p := newProject(t, nil, "--max-connections", strconv.Itoa(bound), "--idle-timeout", soaking(t, "12s", "60s"), "--max-in-flight", "200")
	ep := p.add(recv.URL, nil)
	if strings.Contains(p.log.String(), "fewer files than") {
		t.Fatalf("the server has too few descriptors for %d connections:\n%s", bound, p.log)
	}
	post := func(c *http.Client) error {
		req, err := http.NewRequest("POST", "http://"+p.api+p.path+"/events", strings.NewReader(fmt.Sprintf(`{"endpoint_id":%q,"event_type":"t","data":{}}`, ep)))
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+p.key)
		req.Header.Set("Content-Type", "application/json")
		resp, err := c.Do(req)
		if err != nil {
			return err
		}
		defer drain(resp)
		if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "" {
			return errFull
		}
		if resp.StatusCode != http.StatusCreated {
			return fmt.Errorf("answered %s", resp.Status)
		}
		return nil
	}
	before := statusBytes(t, p.cmd.Process.Pid, "VmRSS")

	old := &http.Client{Transport: &http.Transport{}}
	if err := post(old); err != nil {
		t.Fatal(err)
	}
	posted, stop := 1, make(chan struct{})
	var producer sync.WaitGroup
	producer.Go(func() {
		for {
			if err := post(old); err != nil {
				t.Errorf("a producer that was there before: %v", err)
				return
			}
			posted++
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	d := newDriver(t, p.api, n, speakers)
	open, refused, failed := d.read()
	within(t, time.Minute, "those beyond the bound are refused", func() bool { // they waited to be accepted
		open, refused, failed = d.look()
		return open <= bound
	})
	full := statusBytes(t, p.cmd.Process.Pid, "VmRSS")
	kept := open
	each := (full - before) / max(kept, 1)
	if open > bound || open < bound*9/10 || refused < n-bound-n/20 || failed > 0 {
		t.Errorf("of %d connections %d are open, %d were refused and %d failed; the bound is %d", n, open, refused, failed, bound)
	}
	if each > 48<<10 {
		t.Errorf("an idle connection takes %d KiB", each>>10)
	}
	admin := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/readyz", "/metrics"} {
		resp, err := admin.Get("http://" + p.admin + path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s answers %s", path, resp.Status)
		}
	}
	if said := p.greeting(); said.StatusCode != http.StatusServiceUnavailable || said.Header.Get("Retry-After") == "" {
		t.Errorf("one connection more: %s %v, want 503 with Retry-After", said.Status, said.Header)
	}
	// Those that had spoken have waited for long enough, and others may come.
	within(t, time.Minute, "the idle ones are closed", func() bool { open, _, _ = d.look(); return open <= bound-speakers })
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	within(t, patience, "one more is let in", func() bool { return post(fresh) == nil })
	if soak(t) > 0 {
		within(t, 2*time.Minute, "those that never spoke are closed", func() bool { open, _, _ = d.look(); return open == 0 })
	}
	close(stop)
	producer.Wait()
	eventually(t, "all that was posted arrives", func() bool { return recv.total() == posted+1 })
	old.CloseIdleConnections()
	p.heap() // a collection
	t.Logf("%d connections: %d kept, %d refused; RSS %d MiB before, %d MiB with them, %.1f KiB each, %d MiB after", n, kept, refused, before>>20, full>>20, float64(each)/1024, statusBytes(t, p.cmd.Process.Pid, "VmRSS")>>20)
	p.stop()
}

// greeting is what the API says to a connection that has said nothing.
func (p *project) greeting() *http.Response {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.api)
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	said, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return said
}

var errFull = errors.New("answered 503 with Retry-After")
