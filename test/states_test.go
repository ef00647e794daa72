package test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// dies is a configuration whose endpoints are made inactive by a delivery that spent
// its attempts, one second apart.
func dies(attempts int) object { return with(linear(1, attempts), object{"disable_endpoint": true}) }

// changes lists the states that an endpoint had, and checks that each change has a
// reason and a time.
func (e *endpointView) changes(t *testing.T) string {
	t.Helper()
	if len(e.History) == 0 {
		return e.Status
	}
	states, last := e.History[0].From, time.Time{}
	for _, c := range e.History {
		if !strings.HasSuffix(states, c.From) || c.Reason == "" || c.At.Before(last) || time.Since(c.At) > time.Hour {
			t.Errorf("a change of state: %+v after %s at %s", c, states, last)
		}
		states, last = states+" "+c.To, c.At
	}
	return states
}

// TestPausedEndpoint: what waits when an endpoint is paused is kept and sent once it
// goes on; what is posted meanwhile is discarded, and can be resent.
func TestPausedEndpoint(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(http.StatusInternalServerError))
	p := newProject(t, linear(5, 10))
	ep := p.add(in.URL, nil)
	waiting := p.send(ep, `{"n":1}`)
	due := p.await(waiting, "Retry").Metadata.NextSendTime

	p.do("PUT", "/endpoints/"+ep+"/pause", nil, nil)
	in.reply(nil)
	meanwhile := p.send(ep, `{"n":2}`)
	d := p.await(meanwhile, "Discarded")
	if d.Description != "the endpoint is paused" || d.Metadata.NumTrials != 0 || d.Metadata.NextSendTime != nil {
		t.Errorf("discarded: %+v", d)
	}
	p.refused("PUT", "/eventdeliveries/"+d.UID+"/resend", nil, "paused")
	time.Sleep(time.Until(due.Add(300 * time.Millisecond)))
	if n := len(in.arrivals()); n != 1 {
		t.Errorf("%d requests came by the time of the retry, want the first one only", n)
	}
	if d := p.deliveryOf(waiting); d.Status != "Retry" || d.Metadata.NumTrials != 1 {
		t.Errorf("what waits while its endpoint is paused: %+v", d)
	}

	p.do("PUT", "/endpoints/"+ep+"/pause", nil, nil)
	p.await(waiting, "Success")
	if d := p.deliveryOf(meanwhile); d.Status != "Discarded" {
		t.Errorf("discarded, and then %s", d.Status)
	}
	p.resend(d.UID)
	p.await(meanwhile, "Success")
	e := p.endpointOf(ep)
	if got := e.changes(t); got != "active paused active" {
		t.Errorf("the states were %s", got)
	}
}

// TestGoneDisables: 410 makes an endpoint inactive at once, whatever its project says
// of dead endpoints; it can be activated by hand.
func TestGoneDisables(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(http.StatusGone))
	p := newProject(t, linear(1, 10))
	ep := p.add(in.URL, nil)
	d := p.await(p.send(ep, `{"n":1}`), "Failure")
	if d.Metadata.NumTrials != 1 || !strings.Contains(d.Description, "410") {
		t.Errorf("the delivery: %+v", d)
	}
	e := p.awaitEndpoint(ep, "inactive")
	if got := e.changes(t); got != "active inactive" || !strings.Contains(e.History[0].Reason, "410") {
		t.Errorf("the states were %s, because: %+v", got, e.History)
	}
	if d := p.await(p.send(ep, `{"n":2}`), "Discarded"); d.Description != "the endpoint is inactive" {
		t.Errorf("discarded: %+v", d)
	}
	p.refused("PUT", "/endpoints/"+ep+"/pause", nil, "inactive")

	in.reply(nil)
	p.do("POST", "/endpoints/"+ep+"/activate", nil, nil)
	p.await(p.send(ep, `{"n":3}`), "Success")
	e = p.endpointOf(ep)
	if got := e.changes(t); got != "active inactive active" {
		t.Errorf("the states were %s", got)
	}
	if n := len(in.arrivals()); n != 2 {
		t.Errorf("%d requests came, want 2", n)
	}
}

// TestExhaustedDeliveryDisables: a delivery that spent its attempts makes its endpoint
// inactive if the project says so, and only then.
func TestExhaustedDeliveryDisables(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(http.StatusInternalServerError))
	p := newProject(t, dies(2))
	lenient := p.another(linear(1, 2))
	ep, other := p.add(in.URL, nil), lenient.add(in.URL, nil)
	first, second := p.send(ep, `{"n":1}`), lenient.send(other, `{"n":1}`)
	for _, d := range []deliveryView{p.await(first, "Failure"), lenient.await(second, "Failure")} {
		if d.Metadata.NumTrials != 2 || d.Metadata.RetryLimit != 2 {
			t.Errorf("the delivery: %+v", d)
		}
	}
	e := p.awaitEndpoint(ep, "inactive")
	if !strings.Contains(e.History[0].Reason, "2 times") {
		t.Errorf("the reason is %q", e.History[0].Reason)
	}
	if e := lenient.endpointOf(other); e.Status != "active" || len(e.History) != 0 {
		t.Errorf("without disable_endpoint the endpoint is %s: %+v", e.Status, e.History)
	}
	p.do("PUT", "/endpoints/"+ep, object{"is_disabled": false}, nil)
	if e := p.endpointOf(ep); e.Status != "active" {
		t.Errorf("enabled by hand it is %s", e.Status)
	}
}

// TestConsecutiveFailuresDisable: so many attempts in a row that failed make an
// endpoint inactive; a success in between resets the count.
func TestConsecutiveFailuresDisable(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(script(500, 503, 200, 500, 400, 500))
	p := newProject(t, with(dies(1), object{"dead_endpoint": object{"strategy": "consecutive", "count": 3}}))
	ep := p.add(in.URL, nil)
	for i, want := range []string{"Failure", "Failure", "Success", "Failure", "Failure"} {
		p.await(p.send(ep, `{"n":1}`), want)
		if e := p.endpointOf(ep); e.Status != "active" {
			t.Fatalf("inactive after %d deliveries: %+v", i+1, e.History)
		}
	}
	p.await(p.send(ep, `{"n":1}`), "Failure")
	e := p.awaitEndpoint(ep, "inactive")
	if !strings.Contains(e.History[0].Reason, "3 attempts in a row") {
		t.Errorf("the reason is %q", e.History[0].Reason)
	}
}

// TestInactiveEndpointComesBack: a retry by hand makes an inactive endpoint pending,
// its success makes it active, and then one batch retry delivers all that was
// discarded meanwhile.
func TestInactiveEndpointComesBack(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(http.StatusGone))
	p := newProject(t, linear(1, 3))
	ep := p.add(in.URL, nil)
	failed := p.send(ep, `{"n":1}`)
	p.await(failed, "Failure")
	p.awaitEndpoint(ep, "inactive")
	probe, missed := p.send(ep, `{"n":2}`), p.send(ep, `{"n":3}`)
	for _, ev := range []string{probe, missed} {
		p.await(ev, "Discarded")
	}

	open := make(chan struct{})
	in.reply(func(_ http.ResponseWriter, a arrival) {
		select {
		case <-open:
		case <-a.gone:
		}
	})
	p.resend(p.deliveryOf(probe).UID)
	in.await(t, 2)
	if e := p.endpointOf(ep); e.Status != "pending" {
		t.Errorf("during the retry it is %s", e.Status)
	}
	during := p.send(ep, `{"n":4}`)
	p.await(during, "Discarded")
	close(open)
	p.await(probe, "Success")
	e := p.awaitEndpoint(ep, "active")
	if got := e.changes(t); got != "active inactive pending active" {
		t.Errorf("the states were %s", got)
	}

	job := p.awaitJob(p.startJob("/eventdeliveries/batchretry"), "done")
	if job.Done != 3 || job.Failed != 0 || job.Kind != "batch_retry" {
		t.Errorf("the job: %+v", job)
	}
	for _, ev := range []string{failed, missed, during} {
		p.await(ev, "Success")
	}
	p.await(p.send(ep, `{"n":5}`), "Success")
	for body, n := range in.bodies() {
		if want := map[string]int{`{"n":1}`: 2}[body]; n != max(want, 1) {
			t.Errorf("%s came %d times", body, n)
		}
	}
}

// TestFailedProbe: a retry by hand that fails leaves an inactive endpoint inactive,
// and what would be retried later is discarded.
func TestFailedProbe(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(http.StatusInternalServerError))
	p := newProject(t, dies(2))
	ep := p.add(in.URL, nil)
	p.await(p.send(ep, `{"n":1}`), "Failure")
	p.awaitEndpoint(ep, "inactive")
	probe := p.send(ep, `{"n":2}`)
	p.resend(p.await(probe, "Discarded").UID)
	in.await(t, 3)
	var e endpointView
	eventually(t, "the endpoint is inactive again", func() bool {
		e = p.endpointOf(ep)
		return e.Status == "inactive" && len(e.History) == 3
	})
	if got := e.changes(t); got != "active inactive pending inactive" {
		t.Errorf("the states were %s", got)
	}
	if d := p.await(probe, "Discarded"); d.Metadata.NumTrials != 1 {
		t.Errorf("the probe: %+v", d)
	}
	p.await(p.send(ep, `{"n":3}`), "Discarded")
	if n := len(in.arrivals()); n != 3 {
		t.Errorf("%d requests came, want 3", n)
	}
}

// TestDeletedEndpoint: an endpoint that is deleted while its deliveries back off gets
// none of them; each is discarded, can be read, and is no error.
func TestDeletedEndpoint(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(status(http.StatusInternalServerError))
	p := newProject(t, linear(5, 10))
	ep := p.add(in.URL, nil)
	events := []string{p.send(ep, `{"n":1}`), p.send(ep, `{"n":2}`)}
	for _, ev := range events {
		p.await(ev, "Retry")
	}
	p.do("DELETE", "/endpoints/"+ep, nil, nil)
	if code, _ := p.try("GET", "/endpoints/"+ep, nil); code != http.StatusNotFound {
		t.Errorf("the deleted endpoint answers %d", code)
	}
	p.refused("POST", "/events", object{"endpoint_id": ep, "event_type": "t", "data": 1}, "endpoint not found")
	for _, ev := range events {
		d := p.await(ev, "Discarded")
		if d.Description != "the endpoint was deleted" || d.EndpointID != ep || len(p.attemptsOf(d.UID)) != 1 {
			t.Errorf("discarded: %+v", d)
		}
		p.refused("PUT", "/eventdeliveries/"+d.UID+"/resend", nil, "the endpoint of this delivery was deleted")
	}
	if n := len(in.arrivals()); n != 2 {
		t.Errorf("%d requests came, want 2", n)
	}
	p.stop()
	if log := p.log.String(); strings.Contains(log, `"level":"error"`) {
		t.Errorf("it logged an error:\n%s", log)
	}
}

// TestRestartKeepsState: what is known of endpoints is known after a restart: failures in
// a row, a pause, the time until which one asked to be left alone, and the time of a
// retry, whose jitter is drawn once.
func TestRestartKeepsState(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(func(w http.ResponseWriter, a arrival) {
		if a.path == "/busy" {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	})
	p := newProject(t, object{
		"strategy":         object{"type": "linear", "duration": 1000, "retry_count": 3, "jitter": 50},
		"disable_endpoint": true, "dead_endpoint": object{"strategy": "consecutive", "count": 3},
	})
	ill, busy, paused := p.add(in.URL+"/ill", nil), p.add(in.URL+"/busy", nil), p.add(in.URL+"/paused", nil)
	p.do("PUT", "/endpoints/"+paused+"/pause", nil, nil)
	var waiting []deliveryView
	for _, ep := range []string{ill, ill, busy} {
		waiting = append(waiting, p.await(p.send(ep, `1`), "Retry"))
	}
	eventually(t, "the answers are taken in", func() bool {
		return p.endpointOf(ill).Failures == 2 && p.endpointOf(busy).Failures == 1
	})
	p.stop()
	p.start()
	for _, d := range waiting {
		if now := p.deliveryOf(d.EventID); !now.Metadata.NextSendTime.Equal(*d.Metadata.NextSendTime) || now.Status != "Retry" {
			t.Errorf("before the restart %+v, and then %+v", d, now)
		}
	}
	p.await(p.send(paused, `2`), "Discarded")
	left := p.send(busy, `2`)
	p.await(p.send(ill, `2`), "Retry")
	if e := p.awaitEndpoint(ill, "inactive"); !strings.Contains(e.History[0].Reason, "3 attempts in a row") {
		t.Errorf("the reason is %q", e.History[0].Reason)
	}
	time.Sleep(300 * time.Millisecond)
	if d := p.deliveryOf(left); d.Status != "Scheduled" || d.Metadata.NumTrials != 0 || len(in.arrivals()) != 4 {
		t.Errorf("%d requests came; one that was to be left alone: %+v", len(in.arrivals()), d)
	}
}
