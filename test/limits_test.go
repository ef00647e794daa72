package test

import (
	"fmt"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// tick is how finely the time of a retry is kept.
const tick = time.Millisecond

// TestStrategies: each attempt comes no sooner than its endpoint's own strategy says,
// which overrides the project's, and the delivery shows what was and what will be.
func TestStrategies(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(http.StatusInternalServerError))
	p := newProject(t, linear(100, 7))
	cases := map[string]struct {
		strategy object
		waits    []int // seconds
	}{
		"linear":      {object{"type": "linear", "duration": 1, "retry_count": 3, "jitter": 0}, []int{1, 1}},
		"exponential": {object{"type": "exponential", "duration": 1, "max_duration": 2, "retry_count": 4, "jitter": 0}, []int{1, 2, 2}},
		"schedule":    {object{"type": "schedule", "schedule": []int{1, 1, 2}, "jitter": 0}, []int{1, 1, 2}},
		"one attempt": {object{"type": "linear", "duration": 1, "retry_count": 1}, nil},
	}
	events := make(map[string]string)
	for name, c := range cases {
		events[name] = p.send(p.add(in.URL, object{"strategy": c.strategy}), `{}`)
	}
	general := p.send(p.add(in.URL, nil), `{}`)

	for name, c := range cases {
		d := p.await(events[name], "Failure")
		if d.Metadata.Strategy != c.strategy["type"] || d.Metadata.RetryLimit != len(c.waits)+1 ||
			d.Metadata.NumTrials != len(c.waits)+1 || d.Metadata.NextSendTime != nil {
			t.Errorf("%s: %+v", name, d.Metadata)
		}
		attempts := p.attemptsOf(d.UID)
		if len(attempts) != len(c.waits)+1 {
			t.Errorf("%s: %d attempts, want %d", name, len(attempts), len(c.waits)+1)
			continue
		}
		for i, wait := range c.waits {
			gap := attempts[i+1].RequestedAt.Sub(attempts[i].RespondedAt)
			if gap < time.Duration(wait)*time.Second-tick || attempts[i+1].Number != i+2 {
				t.Errorf("%s: attempt %d came %s after the one before, want %d s", name, attempts[i+1].Number, gap, wait)
			}
		}
	}
	d := p.await(general, "Retry")
	first := p.attemptsOf(d.UID)[0]
	if d.Metadata.NumTrials != 1 || d.Metadata.RetryLimit != 7 || d.Metadata.IntervalSeconds != 100 ||
		d.Metadata.NextSendTime.Before(first.RespondedAt.Add(100*time.Second-tick)) {
		t.Errorf("by the project's strategy, after %s: %+v", first.RespondedAt, d.Metadata)
	}
}

// TestNamedSchedules: the documented schedules are there by their names.
func TestNamedSchedules(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(http.StatusInternalServerError))
	p := newProject(t, nil)
	for name, want := range map[string][]int{
		"convoy":            {10, 30, 60, 180, 300, 600, 900},
		"standard-webhooks": {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400},
	} {
		var shown struct {
			Config struct{ Strategy struct{ Schedule []int } }
		}
		p.do("PUT", "", object{"name": "test", "config": object{"strategy": object{"type": "schedule", "schedule_name": name}}}, &shown)
		if !reflect.DeepEqual(shown.Config.Strategy.Schedule, want) {
			t.Errorf("%s is %v, want %v", name, shown.Config.Strategy.Schedule, want)
		}
		d := p.await(p.send(p.add(in.URL, nil), `{}`), "Retry")
		if d.Metadata.Strategy != "schedule" || d.Metadata.RetryLimit != len(want)+1 || d.Metadata.IntervalSeconds != want[0] {
			t.Errorf("%s: the delivery has %+v", name, d.Metadata)
		}
	}
	p.refused("PUT", "", object{"name": "test", "config": object{"strategy": object{"type": "schedule", "schedule_name": "weekly"}}}, "schedule_name")
	p.refused("PUT", "", object{"name": "test", "config": object{"strategy": object{"schedule": []int{1, 0}}}}, "schedule[1]")
}

// TestRetryAfter: an endpoint that asks to be left alone is, with all that is for it,
// and what waits for that loses no attempt.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	p := newProject(t, linear(1, 2))
	for name, c := range map[string]struct {
		code int
		ask  func() (value string, until time.Time)
	}{
		"429 and seconds": {http.StatusTooManyRequests, func() (string, time.Time) {
			return "5", time.Now().Add(5 * time.Second)
		}},
		"503 and a date": {http.StatusServiceUnavailable, func() (string, time.Time) {
			until := time.Now().Add(6 * time.Second).UTC().Truncate(time.Second)
			return until.Format(http.TimeFormat), until
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, in := p.under(t), newInbox(t)
			var until atomic.Pointer[time.Time]
			in.reply(func(w http.ResponseWriter, a arrival) {
				if a.n == 1 {
					value, end := c.ask()
					until.Store(&end)
					w.Header().Set("Retry-After", value)
					w.WriteHeader(c.code)
				}
			})
			ep := p.add(in.URL, nil)
			first := p.send(ep, `{"n":1}`)
			eventually(t, "the answer is taken in", func() bool { return p.endpointOf(ep).Failures == 1 })
			second := p.send(ep, `{"n":2}`)
			d := p.deliveryOf(first)
			if next := d.Metadata.NextSendTime; d.Status != "Retry" || d.Metadata.NumTrials != 1 || next.Before(until.Load().Add(-tick)) {
				t.Errorf("the next attempt of %+v is at %s, want none before %s", d, next, until.Load())
			}
			for _, a := range in.await(t, 3)[1:] {
				if a.at.Before(*until.Load()) {
					t.Errorf("%s came %s too early", a.body, until.Load().Sub(a.at))
				}
			}
			for ev, want := range map[string]int{first: 2, second: 1} {
				if d := p.await(ev, "Success"); d.Metadata.NumTrials != want {
					t.Errorf("%d attempts were charged, want %d", d.Metadata.NumTrials, want)
				}
			}
		})
	}
	t.Run("clamped", func(t *testing.T) {
		t.Parallel()
		p, in := p.under(t), newInbox(t)
		in.reply(func(w http.ResponseWriter, _ arrival) {
			w.Header().Set("Retry-After", "99999999999999999999")
			w.WriteHeader(http.StatusTooManyRequests)
		})
		d := p.await(p.send(p.add(in.URL, nil), `{}`), "Retry")
		if wait := time.Until(*d.Metadata.NextSendTime); wait < 23*time.Hour || wait > 24*time.Hour {
			t.Errorf("the next attempt is in %s, want 24 hours", wait)
		}
	})
}

// TestNoRetryStatuses: after some statuses there is no other attempt.
func TestNoRetryStatuses(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	config := linear(1, 3)
	config["strategy"].(object)["no_retry_statuses"] = []int{400, 422}
	p := newProject(t, config)
	ep := p.add(in.URL, nil)
	in.reply(status(422))
	if d := p.await(p.send(ep, `{}`), "Failure"); d.Metadata.NumTrials != 1 || !strings.Contains(d.Description, "not retried") {
		t.Errorf("after 422: %+v", d)
	}
	in.reply(script(404, 400))
	if d := p.await(p.send(ep, `{}`), "Failure"); d.Metadata.NumTrials != 2 {
		t.Errorf("after 404 and 400: %+v", d)
	}
}

// addOnce makes an endpoint that gets each event at most once.
func (p *project) addOnce(url string) string {
	p.t.Helper()
	var made struct{ UID string }
	p.do("POST", "/endpoints", object{"name": "receiver", "url": url}, &made)
	p.do("POST", "/subscriptions", object{"name": "once", "endpoint_id": made.UID, "delivery_mode": "at_most_once"}, nil)
	return made.UID
}

// TestAtMostOnceAcrossKill: an attempt that a crash interrupts is the last, and the
// delivery says that its outcome is not known.
func TestAtMostOnceAcrossKill(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(func(_ http.ResponseWriter, a arrival) { <-a.gone })
	p := newProject(t, linear(1, 3))
	ep := p.addOnce(in.URL)
	ev := p.send(ep, `{"n":1}`)
	in.await(t, 1)
	p.kill()
	in.reply(nil)
	p.start()
	if d := p.await(ev, "Failure"); !strings.Contains(d.Description, "not known") {
		t.Errorf("the delivery: %+v", d)
	}
	p.await(p.send(ep, `{"n":2}`), "Success")
	time.Sleep(1200 * time.Millisecond) // past the time of a retry
	if n := in.bodies()[`{"n":1}`]; n != 1 {
		t.Errorf("it was sent %d times", n)
	}
	p.resend(p.deliveryOf(ev).UID)
	p.await(ev, "Success")
}

// TestAtMostOnce: what may have arrived is not sent again; what cannot have is.
func TestAtMostOnce(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(http.StatusInternalServerError))
	p := newProject(t, linear(100, 3))
	var d deliveryView
	answered := p.send(p.addOnce(in.URL), `{}`)
	eventually(t, "an attempt is charged", func() bool {
		d = p.deliveryOf(answered)
		return d.Metadata.NumTrials > 0
	})
	if d.Status != "Failure" || d.Metadata.NumTrials != 1 || d.DeliveryMode != "at_most_once" || !strings.Contains(d.Description, "at most once") {
		t.Errorf("answered with 500: %+v", d)
	}
	d = p.await(p.send(p.addOnce("http://"+freeAddr(t)), `{}`), "Retry")
	if a := p.attemptsOf(d.UID); len(a) != 1 || a[0].Class != "connect" {
		t.Errorf("refused: %+v", a)
	}
	if d = p.await(p.send(p.add(in.URL, nil), `{}`), "Retry"); d.DeliveryMode != "at_least_once" {
		t.Errorf("by default: %+v", d)
	}
}

// TestDefaultRateLimit: an endpoint that is made without a rate limit has one of 5000
// a minute; 0 is none.
func TestDefaultRateLimit(t *testing.T) {
	t.Parallel()
	p := newProject(t, nil)
	for name, c := range map[string]struct {
		extra           object
		limit, duration int
	}{
		"without": {object{}, 5000, 60},
		"none":    {object{"rate_limit": 0, "rate_limit_duration": 0}, 0, 60},
		"its own": {object{"rate_limit": 7, "rate_limit_duration": 3}, 7, 3},
	} {
		var made endpointView
		p.do("POST", "/endpoints", with(object{"name": "n", "url": "http://127.0.0.1:8080/"}, c.extra), &made)
		for _, e := range []endpointView{made, p.endpointOf(made.UID)} {
			if e.RateLimit != c.limit || e.RateLimitDuration != c.duration {
				t.Errorf("%s: %d per %d s, want %d per %d s", name, e.RateLimit, e.RateLimitDuration, c.limit, c.duration)
			}
		}
	}
}

// TestRateLimit: at 5 a second, of which 2 may come at once, none of 15 comes too early,
// and none is charged for its wait.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	const limit, burst, events = 5, 2, 15
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	ep := p.add(in.URL, object{"rate_limit": limit, "rate_limit_duration": 1})
	begin, ids := time.Now(), []string{}
	for i := range events {
		ids = append(ids, p.send(ep, strconv.Itoa(i)))
	}
	all := in.await(t, events)
	for i, a := range all {
		if took := a.at.Sub(begin); took < time.Duration(i+1-burst)*time.Second/limit {
			t.Errorf("%d requests came within %s", i+1, took)
		}
	}
	for _, id := range ids {
		if d := p.await(id, "Success"); d.Metadata.NumTrials != 1 {
			t.Errorf("%d attempts were charged", d.Metadata.NumTrials)
		}
	}
}

// TestMaxConcurrency: an endpoint gets no more requests at once than it wants; one
// that says nothing gets more.
func TestMaxConcurrency(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	bounded, pair := newInbox(t), make(chan struct{})
	bounded.reply(func(_ http.ResponseWriter, a arrival) {
		n := now.Add(1)
		for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
		}
		switch a.n {
		case 1:
			select {
			case <-pair:
			case <-a.gone:
			}
		case 2:
			close(pair)
		}
		time.Sleep(30 * time.Millisecond)
		now.Add(-1)
	})
	free, together := newInbox(t), make(chan struct{})
	free.reply(func(_ http.ResponseWriter, a arrival) {
		if a.n == 3 {
			close(together)
		}
		select {
		case <-together:
		case <-a.gone:
		}
	})
	p := newProject(t, linear(1, 1))
	ep, other := p.add(bounded.URL, object{"max_concurrency": 2}), p.add(free.URL, nil)
	var ids []string
	for i := range 20 {
		ids = append(ids, p.send(ep, strconv.Itoa(i)))
	}
	for i := range 3 {
		ids = append(ids, p.send(other, strconv.Itoa(i)))
	}
	for _, id := range ids {
		p.await(id, "Success")
	}
	if most.Load() != 2 {
		t.Errorf("%d requests came at once, want 2", most.Load())
	}
}

// TestCircuitBreaker: it opens after failures, keeps back what waits without charging
// for it, lets a probe through when its time is over, and closes after a success; one
// that opened too often in a row makes the endpoint inactive.
func TestCircuitBreaker(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(http.StatusInternalServerError))
	p := newProject(t, with(linear(1, 2), object{"circuit_breaker": object{
		"enabled": true, "failure_threshold": 50, "minimum_request_count": 2, "error_timeout": 2, "sample_rate": 1, "success_threshold": 5,
	}}))
	ep := p.add(in.URL, nil)
	p.postMany(ep, 2) // at once: none is tried again before the other has failed
	eventually(t, "the breaker is open", func() bool { return p.endpointOf(ep).CBState == "open" })
	in.reply(nil)
	third := p.send(ep, `{"n":3}`)
	if d := p.await(third, "Success"); d.Metadata.NumTrials != 1 {
		t.Errorf("%d attempts were charged for the wait", d.Metadata.NumTrials)
	}
	all := in.await(t, 5)
	if wait := all[2].at.Sub(all[1].at); wait < 2*time.Second {
		t.Errorf("the breaker was open for %s", wait)
	}
	if e := p.endpointOf(ep); e.CBState != "closed" || e.Failures != 0 || e.Status != "active" {
		t.Errorf("recovered: %+v", e)
	}

	in.reply(status(http.StatusInternalServerError))
	strict := p.another(with(linear(100, 2), object{"circuit_breaker": object{
		"enabled": true, "minimum_request_count": 2, "error_timeout": 60, "consecutive_failure_threshold": 1,
	}}))
	ep = strict.add(in.URL, nil)
	strict.send(ep, `{"n":4}`)
	strict.send(ep, `{"n":5}`)
	if e := strict.awaitEndpoint(ep, "inactive"); !strings.Contains(e.History[0].Reason, "circuit breaker") {
		t.Errorf("the reason is %q", e.History[0].Reason)
	}
}

// TestErrorClasses: a timeout, a refused connection, a broken one and a redirect are
// told apart, and none is a success.
func TestErrorClasses(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(func(w http.ResponseWriter, a arrival) {
		switch a.path {
		case "/hang":
			<-a.gone
		case "/break":
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
			}
		case "/redirect":
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusFound)
		}
	})
	p := newProject(t, linear(1, 1))
	for url, want := range map[string]string{
		in.URL + "/hang":            "timeout",
		"http://" + freeAddr(t):     "connect",
		in.URL + "/break":           "reset",
		in.URL + "/redirect":        "status",
		"http://no-such-host.test/": "dns",
	} {
		patient := 30
		if want == "timeout" {
			patient = 1
		}
		d := p.await(p.send(p.add(url, object{"http_timeout": patient}), `{}`), "Failure")
		if a := p.attemptsOf(d.UID); len(a) != 1 || a[0].Class != want || a[0].Status || want != "status" && a[0].Error == "" {
			t.Errorf("%s: %+v, want class %s", url, a, want)
		}
	}
	for _, a := range in.arrivals() {
		if a.path == "/elsewhere" {
			t.Error("a redirect was followed")
		}
	}
}

// TestRetentionSettings: how long data is kept is said per project, and checked.
func TestRetentionSettings(t *testing.T) {
	t.Parallel()
	p := newProject(t, object{"retention": object{"payload": 3600, "history": "2h", "max_bytes": 1 << 20}})
	var shown struct {
		Config struct {
			Retention struct {
				Payload, History int
				MaxBytes         int64 `json:"max_bytes"`
			}
		}
	}
	p.do("GET", "", nil, &shown)
	if r := shown.Config.Retention; fmt.Sprint(r) != "{3600 7200 1048576}" {
		t.Errorf("retention is %+v", r)
	}
	p.do("PUT", "", object{"name": "test", "config": object{"retention": object{"history": 86400}}}, &shown)
	if r := shown.Config.Retention; fmt.Sprint(r) != "{3600 86400 1048576}" {
		t.Errorf("after a change retention is %+v", r)
	}
	for field, c := range map[string]struct {
		value any
		says  string
	}{
		"payload":   {10, "3600"},
		"history":   {3599, "3600"},
		"max_bytes": {5, "1048576"},
	} {
		p.refused("PUT", "", object{"name": "test", "config": object{"retention": object{field: c.value}}}, "config.retention."+field)
		p.refused("PUT", "", object{"name": "test", "config": object{"retention": object{field: c.value}}}, c.says)
	}
	p.refused("PUT", "", object{"name": "test", "config": object{"retention": object{"payload": 7200, "history": 3600}}}, "config.retention.history")
}
