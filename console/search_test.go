package console_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// TestSearchOperators: what was understood is told as chips that can be taken away, values
// of rows can be left out, a reason leads to its deliveries, an id leads to its page also
// where only the list is asked for, and a mistake is told in words.
func TestSearchOperators(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}, "multiple_endpoint_subscriptions": true})
	made := map[string]string{}
	for _, path := range []string{"/broken", "/fine"} {
		e := uid(w.call(key, "POST", project+"/endpoints", object{"name": "to" + path, "url": w.recv.URL + path}))
		made[path] = e
		for i := range 2 {
			w.call(key, "POST", project+"/events", object{"endpoint_id": e, "event_type": []string{"order.paid", "order.sent"}[i], "data": object{"customer": object{"id": i}}})
		}
	}
	w.eventually("all have ended", func() bool {
		return len(w.rows(key, project+"/eventdeliveries?status=Failure")) == 2 && len(w.rows(key, project+"/eventdeliveries?status=Success")) == 2
	})
	r, in := w.operator(project, key)
	list := in + "/deliveries"
	find := func(q string) shown { return r.want(r.get(list+"?q="+url.QueryEscape(q)), 200) }
	for q, want := range map[string]int{"code:5xx": 2, "-code:503": 2, "code:timeout": 0, "attempts>=1": 4, "data.customer.id=1": 2, "data.customer.id=1 -endpoint:" + made["/fine"]: 1, `"answer":"/broken`: 2} {
		if got := strings.Count(find(q).text, `<tr id="d-`); got != want {
			t.Errorf("%q finds %d, want %d", q, got, want)
		}
	}
	page := find("code:5xx attempts<9 -endpoint:" + made["/fine"])
	r.want(page, 200, "an attempt was answered 5xx", "attempts made: less than 9", "not: it goes to the endpoint to/fine", " records, all of this time",
		`href="`+list+`?q=code%3A5xx&#43;-endpoint%3A`+made["/fine"]+`&amp;range=24h"`)
	if strings.Contains(page.text, "data-connect") {
		t.Error("a search is said to be live")
	}
	r.want(r.get(list+"?status=Failure"), 200, `data-not="`+list+`?range=24h&amp;status=Success&amp;status=Retry&amp;status=Processing&amp;status=Scheduled&amp;status=Discarded"`,
		`data-not="`+list+`?q=-type%3Aorder.paid&amp;range=24h&amp;status=Failure"`, `data-not="`+list+`?q=-endpoint%3A`+made["/broken"]+`&amp;range=24h&amp;status=Failure"`)
	r.want(r.get(in+"/"), 200, `href="`+list+`?range=24h&amp;q=code:503"`)
	if wrong := r.get(list+"?q=code%3Aabc", "HX-Request", "true"); wrong.code != 400 || !strings.Contains(wrong.header.Get("X-Problem"), "is%20no%20code") {
		t.Errorf("a mistake is answered %d, %q", wrong.code, wrong.header.Get("X-Problem"))
	}
	sub := uid(w.call(key, "POST", project+"/subscriptions", object{"name": "the orders", "endpoint_id": made["/fine"], "filter_config": object{"event_types": []string{"order.*"}}}))
	for id, to := range map[string]string{uid(w.rows(key, project+"/eventdeliveries")[0]): "/deliveries/", sub: "/subscriptions/", made["/fine"]: "/endpoints/"} {
		if got := r.get(list+"?q="+id, "HX-Request", "true").header.Get("HX-Redirect"); got != in+to+id {
			t.Errorf("an id leads to %q, want %s", got, in+to+id)
		}
	}
}

// TestSearchIsResent: what a search finds is counted, and sent again by a job that leaves
// the rest alone.
func TestSearchIsResent(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}})
	e := uid(w.call(key, "POST", project+"/endpoints", object{"name": "Orders", "url": w.recv.URL + "/broken"}))
	for i := range 3 {
		w.call(key, "POST", project+"/events", object{"endpoint_id": e, "event_type": "order.paid", "data": object{"customer": object{"id": i}}})
	}
	failed := project + "/eventdeliveries?status=Failure"
	w.eventually("all have failed", func() bool { return len(w.rows(key, failed)) == 3 })
	r, in := w.operator(project, key)
	query := "?q=data.customer.id%3E%3D1+code%3A5xx&range=24h"
	r.want(r.get(in+"/deliveries"+query), 200, `href="`+in+`/resend?q=data.customer.id%3E%3D1&#43;code%3A5xx&amp;range=24h"`)
	if strings.Contains(r.get(in+"/deliveries?q=nobody&range=24h").text, in+"/resend?") {
		t.Error("of nothing that is found all can be sent again")
	}
	r.want(r.get(in+"/resend"+query), 200, "Resend 2 deliveries<", "that the search finds", ">Resend 2</button>")
	r.want(r.get(in+"/resend?q=attempts%3E9"), 200, "Resend 0 deliveries<")
	r.want(r.get(in+"/resend?q=code%3Aabc"), 400, "is no code")
	r.want(r.post(in+"/resend"+query, nil), 200, "<th scope=\"row\">Search</th><td>data.customer.id&gt;=1 code:5xx</td>")
	w.eventually("two were sent again", func() bool {
		return fmt.Sprint(tries(w.rows(key, failed))) == "[2 2 1]"
	})
}

// tries are how often each of some deliveries was attempted.
func tries(rows []object) (n []any) {
	for _, row := range rows {
		n = append(n, row["metadata"].(object)["num_trials"])
	}
	return n
}

// TestPauseAndAfter: the page of an endpoint says what waits before it is paused, and
// offers to resend what was discarded once it is active again, until that was done.
func TestPauseAndAfter(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(object{"strategy": object{"type": "linear", "duration": 3600, "retry_count": 5}})
	e := uid(w.call(key, "POST", project+"/endpoints", object{"name": "Orders", "url": w.recv.URL + "/broken"}))
	send := func() {
		w.call(key, "POST", project+"/events", object{"endpoint_id": e, "event_type": "order.paid", "data": object{}})
	}
	send()
	w.eventually("one waits", func() bool { return len(w.rows(key, project+"/eventdeliveries?status=Retry")) == 1 })
	r, in := w.operator(project, key)
	at := in + "/endpoints/" + e
	w.eventually("the page says so", func() bool {
		return strings.Contains(r.want(r.get(at), 200, `data-ask="pause-form"`, "Pause Orders?", "New deliveries are discarded").text, "1 delivery waits</b> for it now: held")
	})
	r.want(r.post(at+"/state", url.Values{"to": {"paused"}}), 200, "ep-paused")
	send()
	w.eventually("one is discarded", func() bool { return len(w.rows(key, project+"/eventdeliveries?status=Discarded")) == 1 })
	if strings.Contains(r.get(at).text, " discarded between") {
		t.Error("what is discarded is offered while it is paused")
	}
	back := r.want(r.post(at+"/state", url.Values{"to": {"active"}}), 200, "<b>1</b> delivery was discarded between", "/resend?endpoint="+e+"&amp;from=")
	_, link, _ := strings.Cut(back.text, `<a class="btn" href="`+in+`/resend?`)
	link, _, _ = strings.Cut(link, `"`)
	link = strings.ReplaceAll(link, "&amp;", "&")
	r.want(r.get(in+"/resend?"+link), 200, "Resend 1 delivery<", "Discarded")
	preview := r.get(in + "/resend?status=Discarded&range=24h")
	r.want(preview, 200, `action="`+in+`/resend?range=24h&amp;status=Discarded"`) // also without a script
	r.want(r.post(in+"/resend?"+link, nil), 200)
	w.eventually("it was sent again", func() bool { return len(w.rows(key, project+"/eventdeliveries?status=Discarded")) == 0 })
	if strings.Contains(r.get(at).text, " discarded between") {
		t.Error("what was sent again is offered still")
	}
}
