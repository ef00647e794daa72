package test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// freeze stops the process for a while, as a debugger or a hypervisor does.
func (s *server) freeze(d time.Duration) {
	s.t.Helper()
	if err := syscall.Kill(s.cmd.Process.Pid, syscall.SIGSTOP); err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(d)
	if err := syscall.Kill(s.cmd.Process.Pid, syscall.SIGCONT); err != nil {
		s.t.Fatal(err)
	}
}

// impatient posts events, one after the other, and gives up on each that is not answered within a
// second.
func impatient(l *load, given *atomic.Int64) {
	c := http.Client{Timeout: time.Second, Transport: &http.Transport{}}
	defer c.CloseIdleConnections()
	for n := 0; ; n++ {
		select {
		case <-l.stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
		body := fmt.Sprintf(`{"endpoint_id":%q,"event_type":"t","data":{"impatient":%d}}`, l.endpoints[0], n)
		req, err := http.NewRequest("POST", "http://"+l.s.api+l.project+"/events", strings.NewReader(body))
		if err != nil {
			panic(err)
		}
		req.Header.Set("Authorization", "Bearer "+l.key)
		req.Header.Set("Content-Type", "application/json")
		resp, err := c.Do(req)
		if err != nil {
			given.Add(1)
			continue
		}
		drain(resp)
	}
}

// drain ends an answer so that its connection can be used again.
func drain(resp *http.Response) {
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}

// TestFrozen stops the process under load for longer than any of its timeouts, and lets it go on:
// nothing is lost, attempts that were on their way have timed out and are made again, a rate
// limit makes up for nothing, clients come through again, and every delivery ends once.
func TestFrozen(t *testing.T) {
	const limit = 20 // a second
	const waiting = 8
	ice := soaking(t, 4*time.Second, time.Minute)
	limited := limit * int(ice/time.Second) * 2

	recv := newReceiver(t) // for the load
	recv.expect = func(path string, body []byte) string {
		if strings.HasPrefix(string(body), `{"impatient"`) {
			return ""
		}
		return intact(path, body)
	}
	in := newInbox(t) // for what is looked at closely
	var came sync.Map // bodies
	in.reply(func(_ http.ResponseWriter, a arrival) {
		if a.path != "/slow" {
			return
		}
		if _, again := came.LoadOrStore(a.body, true); !again {
			<-a.gone // the first attempts are not answered
		}
	})
	p := newProject(t, linear(1, 1000))
	l := &load{s: p.server, project: p.path, key: p.key, pause: 20 * time.Millisecond}
	l.everyone(recv.URL, "/a", "/b")
	slow := p.add(in.URL+"/slow", object{"http_timeout": 2, "owner_id": "slow"})
	steady := p.add(in.URL+"/limited", object{"rate_limit": limit, "rate_limit_duration": 1, "owner_id": "limited"})

	l.begin(3)
	var given atomic.Int64
	l.workers.Go(func() { impatient(l, &given) })
	p.postMany(steady, limited)
	p.postMany(slow, waiting)
	at := func(path string) (times []time.Time) {
		for _, a := range in.arrivals() {
			if a.path == path {
				times = append(times, a.at)
			}
		}
		return times
	}
	eventually(t, "attempts are on their way", func() bool { return len(at("/slow")) >= waiting })
	p.freeze(ice)
	resumed := time.Now()
	before, _ := l.so()
	eventually(t, "clients come through again", func() bool { n, _ := l.so(); return n >= before+100 })
	l.end()
	waitDelivered(t, recv, l)
	if bad := recv.wrong(); len(bad) > 0 {
		t.Errorf("%d deliveries were not what was posted, the first: %s", len(bad), bad[0])
	}
	if given.Load() == 0 {
		t.Error("no client gave up, so the process was not frozen for long")
	}

	within(t, ice*3+patience, "all that is limited arrives", func() bool { return len(at("/limited")) >= limited })
	noStorm(t, at("/limited"), resumed, limit)
	eventually(t, "what timed out is tried again", func() bool { return len(at("/slow")) >= 2*waiting })
	for _, d := range p.allDeliveries("endpointId=" + slow) {
		if d.Status != "Success" || d.Metadata.NumTrials != 2 {
			t.Errorf("a delivery that was on its way: %s after %d attempts, want Success after 2", d.Status, d.Metadata.NumTrials)
		}
	}
	p.endOnce(t)
	events, _ := l.so()
	t.Logf("frozen for %s: %d events acknowledged, %d clients gave up, %d attempts timed out and were made again, %d deliveries at %d a second without a storm, every delivery ended once",
		ice, events, given.Load(), waiting, limited, limit)
	p.stop()
}

// noStorm checks that at no time there were more arrivals since then than the rate allows, and a
// second's more: what was let go before and had not been read.
func noStorm(t *testing.T, times []time.Time, since time.Time, perSecond int) {
	t.Helper()
	n := 0
	for _, at := range times {
		if at.Before(since) {
			continue
		}
		n++
		if most := int((at.Sub(since).Seconds()+1)*float64(perSecond)) + 2; n > most {
			t.Errorf("%d arrivals within %s at %d a second", n, at.Sub(since), perSecond)
			return
		}
	}
}

// allDeliveries lists the deliveries of a query, page by page.
func (p *project) allDeliveries(query string) (all []deliveryView) {
	p.t.Helper()
	for cursor := ""; ; {
		var got page[deliveryView]
		path := "/eventdeliveries?perPage=1000&" + query
		if cursor != "" {
			path += "&next_page_cursor=" + cursor
		}
		p.do("GET", path, nil, &got)
		all = append(all, got.Content...)
		if !got.Pagination.HasNextPage {
			return all
		}
		cursor = got.Pagination.NextPageCursor
	}
}

// endOnce checks, when all is quiet, that as many deliveries have ended as there are, all of them
// well.
func (p *project) endOnce(t *testing.T) {
	t.Helper()
	eventually(t, "nothing is on its way", func() bool {
		return p.metric("posthaste_inflight") == 0 && p.metric("posthaste_deliveries_queued") == 0 && p.metric("posthaste_endpoints_behind") == 0
	})
	var all []deliveryView
	open := func(d deliveryView) bool { return d.Status == "Scheduled" || d.Status == "Retry" }
	eventually(t, "every outcome can be read", func() bool {
		all = p.allDeliveries("")
		return !slices.ContainsFunc(all, open)
	})
	for _, d := range all {
		if d.Status != "Success" {
			raw, _ := json.Marshal(d)
			t.Errorf("a delivery did not succeed: %s", raw)
		}
	}
	var ended float64
	for _, outcome := range []string{"delivered", "exhausted", "discarded"} {
		ended += p.metric(fmt.Sprintf("posthaste_delivery_terminal_total{outcome=%q}", outcome))
	}
	if int(ended) != len(all) {
		t.Errorf("%.0f ends of %d deliveries", ended, len(all))
	}
}
