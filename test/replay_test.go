package test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestReplay: a replayed event goes out again byte for byte, with its own id and a
// header that says so, as a new delivery.
func TestReplay(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, with(linear(1, 1), object{"add_event_id_trace_headers": true}))
	ep := p.create(in.URL, object{"signature_mode": "standard-webhooks"})
	const data = `{ "b": 1.10,	"a" : [1e3, 9007199254740993, "é<>&"] }`
	id := p.send(ep.UID, data)
	first := p.await(id, "Success")
	p.do("PUT", "/events/"+id+"/replay", nil, nil)
	all := in.await(t, 2)
	var deliveries []deliveryView
	eventually(t, "the new delivery is a success", func() bool {
		deliveries = p.deliveriesOf(id)
		return len(deliveries) == 2 && deliveries[1].Status == "Success"
	})
	if deliveries[0].UID != first.UID || deliveries[1].UID == first.UID || deliveries[1].EventID != id {
		t.Errorf("the deliveries are %+v", deliveries)
	}
	for i, a := range all {
		a.byStandard(t, ep.Secrets[0].Value)
		for name, want := range map[string]string{
			"webhook-id": id, "X-Convoy-Event-ID": id, "X-Convoy-EventDelivery-ID": deliveries[i].UID, "Posthaste-Replay": []string{"", "true"}[i],
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("request %d: %s is %q, want %q", i+1, name, got, want)
			}
		}
		if a.body != data {
			t.Errorf("request %d is %s", i+1, a.body)
		}
	}
	if events := p.events(""); len(events) != 1 || events[0].UID != id {
		t.Errorf("the events are %+v", events)
	}
	if code, _ := p.try("PUT", "/events/"+ep.UID+"/replay", nil); code != http.StatusNotFound {
		t.Errorf("the replay of no event answers %d", code)
	}
}

// TestBatchReplay: what a filter selects is replayed, and nothing else.
func TestBatchReplay(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	one, two := p.add(in.URL+"/one", nil), p.add(in.URL+"/two", nil)
	for n := range 5 {
		p.await(p.send([]string{one, two}[n%2], fmt.Sprint(n)), "Success")
	}
	var count struct{ Num int }
	p.do("GET", "/events/countbatchreplayevents?endpointId="+one, nil, &count)
	if count.Num != 3 {
		t.Errorf("counted %d, want 3", count.Num)
	}
	if code, a := p.try("POST", "/events/batchreplay?endpointId="+one, nil); code != http.StatusOK || a.Message != "3 successful, 0 failed" {
		t.Errorf("%d %s", code, a.Message)
	}
	later := url.QueryEscape(time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05"))
	if code, a := p.try("POST", "/events/batchreplay?startDate="+later, nil); code != http.StatusOK || a.Message != "0 successful, 0 failed" {
		t.Errorf("%d %s", code, a.Message)
	}
	in.await(t, 8)
	p.stop()
	for body, n := range in.bodies() {
		if want := map[string]int{"0": 2, "2": 2, "4": 2}[body]; n != max(want, 1) {
			t.Errorf("%s came %d times", body, n)
		}
	}
}

// TestResend: a failed delivery can be sent again and a successful one only with force;
// attempts are numbered on, and those by hand are marked.
func TestResend(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(script(500, 500, 500, 200))
	p := newProject(t, linear(1, 1))
	id := p.send(p.add(in.URL, nil), `{}`)
	d := p.await(id, "Failure")
	for range 3 { // in a row, and all of them run
		p.resend(d.UID)
	}
	p.await(id, "Success")
	p.refused("PUT", "/eventdeliveries/"+d.UID+"/resend", nil, "event already sent")

	force := func(want string, ids ...string) {
		if code, a := p.try("POST", "/eventdeliveries/forceresend", object{"ids": ids}); code != http.StatusOK || a.Message != want {
			t.Errorf("force: %d %s, want %s", code, a.Message, want)
		}
	}
	in.reply(status(500))
	failed := p.await(p.send(d.EndpointID, `{}`), "Failure")
	in.reply(nil)
	before := len(in.arrivals())
	for n := 1; n <= 2; n++ {
		force("1 successful, 1 failed", d.UID, failed.UID)
		in.await(t, before+n)
		p.await(id, "Success")
	}
	eventually(t, "all attempts are recorded", func() bool { return len(p.attemptsOf(d.UID)) == 6 })
	for i, a := range p.attemptsOf(d.UID) {
		if a.Number != i+1 || a.Manual != (i > 0) || a.Status != (i > 2) {
			t.Errorf("attempt %d: %+v", i+1, a)
		}
	}
	if n := len(in.arrivals()); n != before+2 {
		t.Errorf("%d requests came, want %d", n, before+2)
	}
}

// TestResendReplacesRetry: a retry by hand takes the place of the one that waits, so that
// there is one attempt and not two.
func TestResendReplacesRetry(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	in.reply(script(500, 200, 500, 500, 200))
	p := newProject(t, linear(5, 5))
	ep := p.add(in.URL, nil)
	id := p.send(ep, `{"n":1}`)
	d := p.await(id, "Retry")
	due := *d.Metadata.NextSendTime
	p.resend(d.UID)
	p.await(id, "Success")

	// One that fails, too, is followed by the next of the schedule, from then on.
	second := p.send(ep, `{"n":2}`)
	d = p.await(second, "Retry")
	p.resend(d.UID)
	in.await(t, 4)
	p.await(second, "Success")
	attempts := p.attemptsOf(d.UID)
	if len(attempts) != 3 || !attempts[1].Manual || attempts[2].Manual || attempts[2].RequestedAt.Sub(attempts[1].RespondedAt) < 5*time.Second-tick {
		t.Errorf("the attempts are %+v", attempts)
	}
	time.Sleep(time.Until(due.Add(300 * time.Millisecond)))
	if n := in.bodies()[`{"n":1}`]; n != 2 {
		t.Errorf("the first was sent %d times, want 2", n)
	}
	p.stop()
	if n := len(in.arrivals()); n != 5 {
		t.Errorf("%d requests came, want 5", n)
	}
}

// fail posts so many events, the numbers from 0, all of which fail.
func (p *project) fail(in *inbox, ep string, events int) {
	p.t.Helper()
	in.reply(status(http.StatusInternalServerError))
	var lines bytes.Buffer
	for n := range events {
		fmt.Fprintf(&lines, `{"endpoint_id":%q,"event_type":"t","data":%d}`+"\n", ep, n)
	}
	p.do("POST", "/events/batch", "["+strings.Join(strings.Split(strings.TrimSpace(lines.String()), "\n"), ",")+"]", nil)
	eventually(p.t, "all have failed", func() bool { return p.failures() == events })
}

// failures is how many deliveries failed.
func (p *project) failures() int {
	p.t.Helper()
	var count struct{ Num int }
	p.do("GET", "/eventdeliveries/countbatchretryevents", nil, &count)
	return count.Num
}

// TestBatchRetryAcrossKill: a batch retry of 2,000 deliveries goes on after the server was
// killed in the middle of it; each is delivered.
func TestBatchRetryAcrossKill(t *testing.T) {
	t.Parallel()
	const events = 2000
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	p.fail(in, p.add(in.URL, nil), events)
	in.reply(nil)
	failed := len(in.arrivals())

	job := p.startJob("/eventdeliveries/batchretry?rate=300")
	p.refused("POST", "/eventdeliveries/batchretry", nil, "an active batch retry already exists")
	in.await(t, failed+events/4)
	p.kill()
	before := len(in.arrivals())
	if before >= failed+events {
		t.Fatal("nothing was left to be done when the server was killed")
	}
	p.start()
	ended := p.awaitJob(job, "done")
	if ended.Failed != 0 || ended.Done+ended.Skipped > events || ended.Done < events/2 {
		t.Errorf("the job: %+v", ended)
	}
	var left page[deliveryView]
	eventually(t, "all are delivered", func() bool {
		p.do("GET", "/eventdeliveries?status=Failure&status=Retry&status=Scheduled&status=Processing", nil, &left)
		return len(left.Content) == 0
	})
	count := make(map[string]int)
	for _, a := range in.arrivals()[failed:] {
		count[a.body]++
	}
	twice := 0
	for n := range events {
		switch got := count[fmt.Sprint(n)]; {
		case got == 0:
			t.Errorf("%d was not delivered", n)
		case got > 1:
			twice++
		}
	}
	t.Logf("%d of %d came before the kill, %d twice", before-failed, events, twice)
}

// TestCancelJob: a batch retry that is cancelled does no more; what it did stays done.
func TestCancelJob(t *testing.T) {
	t.Parallel()
	const events = 100
	in := newInbox(t)
	p := newProject(t, linear(1, 1))
	p.fail(in, p.add(in.URL, nil), events)
	in.reply(nil)
	job := p.startJob("/eventdeliveries/batchretry?rate=10")
	eventually(t, "it has begun", func() bool { return p.jobAt(job).Done > 0 })
	var cancelled jobView
	p.do("PUT", job+"/cancel", nil, &cancelled)
	if cancelled.State != "cancelled" || cancelled.Done == 0 || cancelled.Done >= events {
		t.Errorf("cancelled: %+v", cancelled)
	}
	eventually(t, "what was done is delivered", func() bool { return p.failures() == events-cancelled.Done })
	time.Sleep(300 * time.Millisecond)
	if got := len(in.arrivals()); got != events+cancelled.Done {
		t.Errorf("%d requests came, %d of them before; it did %d", got, events, cancelled.Done)
	}
	p.do("PUT", job+"/cancel", nil, nil) // once more does nothing
	var all page[jobView]
	p.do("GET", "/jobs", nil, &all)
	if len(all.Content) != 1 || all.Content[0].State != "cancelled" {
		t.Errorf("the jobs are %+v", all.Content)
	}
	second := p.startJob("/eventdeliveries/batchretry")
	p.awaitJob(second, "done")
	eventually(t, "all are delivered", func() bool { return p.failures() == 0 })
	p.refused("PUT", second+"/cancel", nil, "ended")
	if code, _ := p.another(nil).try("GET", second, nil); code != http.StatusNotFound {
		t.Errorf("another project sees the job: %d", code)
	}
}
