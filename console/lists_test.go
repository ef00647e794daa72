package console_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// operator is a reader who signed in with a project's key, and the project's pages.
func (w *world) operator(project, key string) (*reader, string) {
	w.t.Helper()
	r := w.reader()
	r.want(r.post("/login", url.Values{"key": {key}}), 200)
	return r, "/p/" + strings.TrimPrefix(project, "/api/v1/projects/")
}

// TestDeliveriesAreFoundAndExported: by text, key, several states and event; as a file;
// and only what ended without success is sent again.
func TestDeliveriesAreFoundAndExported(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}})
	made := map[string]string{}
	for _, path := range []string{"/broken", "/fine"} {
		e := uid(w.call(key, "POST", project+"/endpoints", object{"name": "to" + path, "url": w.recv.URL + path}))
		made[path] = e
		for i := range 3 {
			w.call(key, "POST", project+"/events", object{"endpoint_id": e, "event_type": "=order.paid", "idempotency_key": fmt.Sprint(path, "-key-", i), "data": object{"customer": fmt.Sprint("Tern-", i, path)}})
		}
	}
	w.eventually("all have ended", func() bool {
		return len(w.rows(key, project+"/eventdeliveries?status=Failure")) == 3 && len(w.rows(key, project+"/eventdeliveries?status=Success")) == 3
	})
	r, in := w.operator(project, key)
	count := func(query string) int {
		return strings.Count(r.want(r.get(in+"/deliveries?"+query), 200).text, `<tr id="d-`)
	}
	for query, want := range map[string]int{
		"": 6, "q=tern-2%2Ffine": 1, "q=TERN-2": 2, "q=broken-key": 3, "q=nowhere": 0, "status=Failure": 3, "status=Failure&status=Success": 6,
		"endpoint=" + made["/fine"] + "&status=Failure": 0, "type=%3Dorder.paid": 6, "rows=100": 6,
		"event=" + w.rows(key, project+"/events")[0]["uid"].(string): 1,
	} {
		if got := count(query); got != want {
			t.Errorf("%q finds %d, want %d", query, got, want)
		}
	}
	page := r.get(in + "/deliveries?status=Failure")
	r.want(page, 200, `data-add="`+in+`/deliveries?range=24h&amp;status=Failure&amp;status=Success"`, "endpoint="+made["/broken"]+"&amp;range=24h&amp;status=Failure", "back to", ">100</a>", "format=csv")
	if n := strings.Count(page.text, " data-can "); n != 3 {
		t.Errorf("%d of 3 failed deliveries can be sent again", n)
	}
	if strings.Contains(r.get(in+"/deliveries?status=Success").text, " data-can ") {
		t.Error("one that arrived can be resent")
	}
	r.want(r.get(in+"/deliveries?from=2026-01-01T10:00:00Z&to=2026-01-01T11:00:00Z", "Cookie", cookiesOf(r)+"; ph_tz=Asia%2FTokyo"), 200, "1 Jan 19:00 and 1 Jan 20:00 JST", "from=2026-01-01T10%3A00%3A00Z")

	file := r.want(r.get(in+"/deliveries/export?format=csv&status=Failure"), 200)
	table, err := csv.NewReader(strings.NewReader(file.text)).ReadAll()
	if err != nil || len(table) != 4 || table[1][2] != "Failure" || table[1][3] != "'=order.paid" || !strings.HasPrefix(file.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("as CSV: %v %v, %s", err, table, file.header.Get("Content-Disposition"))
	}
	file = r.want(r.get(in+"/deliveries/export?format=ndjson"), 200)
	lines := strings.Split(strings.TrimSpace(file.text), "\n")
	var first object
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || len(lines) != 6 || first["event_type"] != "=order.paid" {
		t.Errorf("as lines: %v, %d, %v", err, len(lines), first)
	}
	failed, fine := uid(w.rows(key, project+"/eventdeliveries?status=Failure")[0]), uid(w.rows(key, project+"/eventdeliveries?status=Success")[0])
	r.want(r.post(in+"/deliveries/resend", url.Values{"id": {failed, fine}}), 200, "1 sent again, 1 left alone")
	w.eventually("the job shows its progress", func() bool {
		p := r.post(in+"/resend?status=Failure", nil)
		return p.code == 200 && strings.Contains(p.text, "Left alone") && strings.Contains(p.text, "prog")
	})
}

func cookiesOf(r *reader) string {
	u, _ := url.Parse(r.pages.URL)
	var all []string
	for _, c := range r.http.Jar.Cookies(u) {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// TestDeliveryPage: any two attempts compared, bodies as files, commands without and with
// secrets, which subscription it was; and of an event that matched nothing, why.
func TestDeliveryPage(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}})
	e := uid(w.call(key, "POST", project+"/endpoints", object{"name": "broken", "url": w.recv.URL + "/broken", "authentication": object{"type": "api_key", "api_key": object{"header_name": "X-Key", "header_value": "the-credential"}}}))
	w.call(key, "POST", project+"/subscriptions", object{"name": "the orders", "endpoint_id": e, "filter_config": object{"event_types": []string{"order.*"}, "filter": object{"body": object{"amount": object{"$gt": 10}}}}})
	const data = `{"amount": 17, "list": [1, 2, 3, 4, 5, 6], "text": "<script>\u0041"}`
	w.call(key, "POST", project+"/events", json.RawMessage(`{"endpoint_id":"`+e+`","event_type":"order.paid","data":`+data+`}`))
	var d string
	attempts := func(n float64) func() bool {
		return func() bool {
			for _, row := range w.rows(key, project+"/eventdeliveries?status=Failure") {
				d = uid(row)
				return row["metadata"].(object)["num_trials"] == n
			}
			return false
		}
	}
	w.eventually("it fails", attempts(1))
	r, in := w.operator(project, key)
	at := in + "/deliveries/" + d
	for n := 2; n <= 3; n++ {
		r.want(r.post(at+"/resend", nil), 200)
		w.eventually("it fails again", attempts(float64(n)))
	}
	page := r.want(r.get(at), 200, "The same as attempt 2", "the orders", "<details open><summary>", "&lt;script&gt;", ">Resend<", `id="signature"`, "is down. Nothing to change here")
	if strings.Contains(page.text, "the-credential") {
		t.Error("the page has the credential")
	}
	r.want(r.get(at+"?attempt=3&with=1&view=diff"), 200, "attempt 1: 503", "but for dates and request ids", `<option value="1" selected>`)
	r.want(r.get(at+"?attempt=1&with=3&view=diff&noise=1"), 200, `<option value="3" selected>`)
	body := r.want(r.get(at+"/body?of=request"), 200)
	if body.text != data || body.header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(body.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the request's body is %q, %v", body.text, body.header)
	}
	if body := r.get(at + "/body?of=response&attempt=2"); body.text != `{"answer":"/broken"}` {
		t.Errorf("the response's body is %q", body.text)
	}
	r.want(r.get(at+"/body?of=response&attempt=9"), 404)
	if curl := r.want(r.get(at+"/curl"), 200, "curl"); strings.Contains(curl.text, "the-credential") {
		t.Error("the command has the credential")
	}
	r.want(r.post(at+"/curl", nil), 200, "the-credential", "with secrets")
	if n := len(w.rows(key, project+"/audit?action=secret.reveal&object="+d)); n != 1 {
		t.Errorf("a command with secrets left %d records", n)
	}

	w.call(key, "POST", project+"/events", object{"endpoint_id": e, "event_type": "order.paid", "data": object{"amount": 1}})
	event := uid(w.rows(key, project+"/events")[0])
	r.want(r.get(in+"/events/"+event), 200, "It matched nothing, because", "its filter on the body does not hold", "the orders")
	r.want(r.get(in+"/deliveries?q="+event), 200, "It matched nothing, because")
}

// TestTestsAreMarked: what was sent to try out an endpoint is told from what was posted, in
// every list and on its pages, whatever its type.
func TestTestsAreMarked(t *testing.T) {
	w := newWorld(t)
	project, key := w.project(nil)
	e := uid(w.call(key, "POST", project+"/endpoints", object{"name": "Orders", "url": w.recv.URL + "/fine"}))
	w.call(key, "POST", project+"/events", object{"endpoint_id": e, "event_type": "order.paid", "data": object{}})
	w.eventually("one is delivered", func() bool { return len(w.rows(key, project+"/eventdeliveries?status=Success")) == 1 })
	posted := w.rows(key, project+"/eventdeliveries")[0]
	test := w.call(key, "POST", project+"/endpoints/"+e+"/test", object{"event_type": "order.paid"})
	w.eventually("both are delivered", func() bool { return len(w.rows(key, project+"/eventdeliveries?status=Success")) == 2 })
	tried := w.rows(key, project+"/eventdeliveries")[0]
	r, in := w.operator(project, key)
	for page, want := range map[string]int{
		"/deliveries": 1, "/events": 1, "/endpoints/" + e: 1,
		"/deliveries/" + uid(tried): 1, "/deliveries/" + uid(posted): 0,
		"/events/" + uid(test): 2, "/events/" + posted["event_id"].(string): 0,
	} {
		if got := strings.Count(r.want(r.get(in+page), 200).text, `class="testmark"`); got != want {
			t.Errorf("%s has %d marks, want %d", page, got, want)
		}
	}
	if n := w.call(key, "GET", project+"/events/countbatchreplayevents", nil)["num"]; n != 1.0 {
		t.Errorf("a replay would take up %v events, want 1", n)
	}
}
