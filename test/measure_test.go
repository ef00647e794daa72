package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The tests of this file print figures. They are for `make measure`: each takes
// the machine for itself.

// clock is a receiver that notes when requests came.
type clock struct {
	*httptest.Server
	mu    sync.Mutex
	times []time.Time
}

func newClock(t *testing.T) *clock {
	c := &clock{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		now := time.Now()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.times = append(c.times, now)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *clock) noted() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.times
}

// postMany posts n events to an endpoint, as batches.
func (p *project) postMany(endpoint string, n int) {
	p.t.Helper()
	var body strings.Builder
	for i := 0; i < n; {
		body.Reset()
		body.WriteByte('[')
		for k := 0; k < 2000 && i < n; k, i = k+1, i+1 {
			if k > 0 {
				body.WriteByte(',')
			}
			fmt.Fprintf(&body, `{"endpoint_id":%q,"event_type":"t","data":%d}`, endpoint, i)
		}
		body.WriteByte(']')
		p.do("POST", "/events/batch", body.String(), nil)
	}
}

// TestMeasureRateLimit: ten windows of a backlog at each limit, as the receiver saw
// them.
func TestMeasureRateLimit(t *testing.T) {
	p := newProject(t, nil)
	for _, c := range []struct{ count, seconds int }{{7, 1}, {50, 1}, {500, 1}, {2000, 1}, {300, 2}, {5000, 60}} {
		in := newClock(t)
		ep := p.add(in.URL, object{"rate_limit": c.count, "rate_limit_duration": c.seconds})
		window := time.Duration(c.seconds) * time.Second
		windows := 10
		if c.seconds == 60 {
			windows, window = 10, 3*time.Second // 250 each: ten minutes would show no more
		}
		each := int(float64(c.count) * window.Seconds() / float64(c.seconds))
		burst := max(2, c.count/(10*c.seconds))
		first := burst + each // the burst is over by then
		p.postMany(ep, first+windows*each+1)
		within(t, time.Minute, "ten windows", func() bool { return len(in.noted()) > first+windows*each })
		times := in.noted()
		span := times[first+windows*each].Sub(times[first])
		rate := float64(windows*each) / span.Seconds() / (float64(c.count) / float64(c.seconds))
		most := 0
		for i, j := 0, 0; j < len(times); j++ {
			for times[j].Sub(times[i]) >= window {
				i++
			}
			most = max(most, j-i+1)
		}
		late := int(0.02 * float64(c.count) / float64(c.seconds)) // what 20 ms on this machine may push together
		t.Logf("%5d in %2d s: %.4f of the rate over %d windows of %s; at most %d in any window, limit %d and burst %d",
			c.count, c.seconds, rate, windows, window, most, each, burst)
		if rate < 0.99 || rate > 1.01 || most > each+burst+late+1 {
			t.Errorf("%d in %d s: not the limit", c.count, c.seconds)
		}
		p.do("DELETE", "/endpoints/"+ep, nil, nil)
	}
}

// TestMeasureBatchRetry: 100,000 failed deliveries are retried by one call, and the
// server is killed half way.
func TestMeasureBatchRetry(t *testing.T) {
	const events = 100_000
	var broken atomic.Bool
	broken.Store(true)
	seen := make([]atomic.Int32, events)
	var came, failed atomic.Int64
	in := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			failed.Add(1)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		var body [16]byte
		k, _ := r.Body.Read(body[:])
		if n, err := strconv.Atoi(string(body[:k])); err == nil && n < events {
			seen[n].Add(1)
			came.Add(1)
		}
	}))
	defer in.Close()
	p := newProject(t, linear(1, 1))
	ep := p.add(in.URL, object{"rate_limit": 0})
	start := time.Now()
	p.postMany(ep, events)
	within(t, 5*time.Minute, "all have failed", func() bool { return failed.Load() >= events && p.countFailed() == 10_000 })
	time.Sleep(2 * time.Second)
	t.Logf("%d events posted, and failed, in %s", events, time.Since(start).Round(time.Millisecond))

	broken.Store(false)
	start = time.Now()
	job := p.startJob("/eventdeliveries/batchretry")
	within(t, 5*time.Minute, "half of them", func() bool { return came.Load() >= events/2 })
	p.kill()
	before := came.Load()
	t.Logf("killed after %s, when %d had arrived", time.Since(start).Round(time.Millisecond), before)
	ready := p.start()
	var ended jobView
	within(t, 5*time.Minute, "the job is done", func() bool { ended = p.jobAt(job); return ended.State == "done" })
	within(t, 5*time.Minute, "all have arrived", func() bool {
		for i := range seen {
			if seen[i].Load() == 0 {
				return false
			}
		}
		return true
	})
	took := time.Since(start)
	time.Sleep(2 * time.Second)
	twice := 0
	for i := range seen {
		if seen[i].Load() > 1 {
			twice++
		}
	}
	t.Logf("ready again in %s; all %d delivered %s after the call, %d of them twice (sent before the kill, and its outcome not yet durable)",
		ready.Round(time.Millisecond), events, took.Round(time.Millisecond), twice)
	t.Logf("the job: done %d, skipped %d, failed %d", ended.Done, ended.Skipped, ended.Failed)
	if ended.Failed != 0 || twice > 5000 {
		t.Errorf("the job: %+v", ended)
	}
	if n := p.countFailed(); n != 0 {
		t.Errorf("%d are failures still", n)
	}
}

// countFailed counts failed deliveries, up to 10,000.
func (p *project) countFailed() int {
	p.t.Helper()
	var n struct{ Num int }
	p.do("GET", "/eventdeliveries/countbatchretryevents", nil, &n)
	return n.Num
}

// within is eventually with a time of its own.
func within(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}
