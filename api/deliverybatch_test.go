package api

import (
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"posthaste/catalog/catalogtest"
	"posthaste/event"
)

func TestBatchRetry(t *testing.T) {
	e1, e2, f1, s1 := id('e', 1), id('e', 2), id('f', 1), id('s', 1)
	failed := []event.Status{event.Failure, event.Discarded}
	for query, want := range map[string]event.Job{
		"": {Filter: event.JobFilter{Deliveries: event.DeliveryFilter{Statuses: failed}}},
		"endpointId=" + e1.String() + "&endpointId=" + e2.String() + "&status=&status=Failure&rate=50": {Rate: 50, Filter: event.JobFilter{
			Deliveries: event.DeliveryFilter{Endpoints: []event.ID{e1, e2}, Statuses: []event.Status{event.Failure}}}},
		"eventId=" + f1.String() + "&subscriptionId=" + s1.String() + "&event_type=order.paid&rate=0": {Filter: event.JobFilter{
			Deliveries: event.DeliveryFilter{EventID: f1, SubscriptionID: s1, EventType: "order.paid", Statuses: failed}}},
		// Paging selects nothing; dates of Convoy's Go client that were not set neither.
		"perPage=3&sort=ASC&direction=next&next_page_cursor=" + e1.String() + "&startDate=0001-01-01T00:00:00&endDate=0001-01-01T00:00:00&rate=": {
			Filter: event.JobFilter{Deliveries: event.DeliveryFilter{Statuses: failed}}},
		"startDate=2026-01-02T03:04:05&endDate=2026-01-02T03:04:06": {Filter: event.JobFilter{
			From:       firstIDOf(epoch.Truncate(1e9)),
			To:         lastIDOf(epoch.Truncate(1e9).Add(2e9 - 1e6)),
			Deliveries: event.DeliveryFilter{Statuses: failed}}},
	} {
		for method, data := range map[string]string{"POST": "null", "PUT": "{}"} { // older Go clients send PUT and cannot read null
			w := newWorld(t)
			a := w.do(method, w.in("/eventdeliveries/batchretry?%s", query), "")
			w.want(a, 200, "Batch retry processing")
			if string(a.Data) != data || len(w.jobs.jobs) != 1 {
				t.Fatalf("%q: data %s, %d jobs", query, a.Data, len(w.jobs.jobs))
			}
			got := w.jobs.jobs[0]
			if got.ProjectID != w.project || got.Kind != event.JobRetry || got.Rate != want.Rate || !reflect.DeepEqual(got.Filter, want.Filter) {
				t.Errorf("%q: job %+v, want %+v", query, got, want)
			}
			if location := a.header.Get("Location"); location != w.in("/jobs/%s", got.ID) {
				t.Errorf("%q: Location is %q", query, location)
			}
		}
	}
}

// Clients that have nothing to say send all sorts of bodies. One that names
// deliveries means those and no others.
func TestBatchRetryBodies(t *testing.T) {
	for _, body := range []string{"{}", `"{}"`, "null", "[]", `{"ids":[]}`, `{"ids":null}`, " {}\n", "junk"} {
		w := newWorld(t)
		w.want(w.do("POST", w.in("/eventdeliveries/batchretry"), body), 200, "Batch retry processing")
		if len(w.jobs.jobs) != 1 || len(w.work.calls) != 0 {
			t.Errorf("%q: %d jobs, calls %v", body, len(w.jobs.jobs), w.work.calls)
		}
	}
	w := newWorld(t)
	furnish(w)
	a := w.do("PUT", w.in("/eventdeliveries/batchretry"), idsBody(id('d', 1), id('d', 9)))
	w.want(a, 200, "1 successful, 1 failed")
	want := []workCall{{project: w.project, ids: []event.ID{id('d', 1), id('d', 9)}}}
	if !reflect.DeepEqual(w.work.calls, want) || len(w.jobs.jobs) != 0 {
		t.Errorf("calls %v, %d jobs", w.work.calls, len(w.jobs.jobs))
	}
	w.want(w.do("PUT", w.in("/eventdeliveries/batchretry"), `{"ids":["x"]}`), 400, "ids[0]: not an id: want 26 characters of Crockford base 32")
}

func TestBatchQueriesRefused(t *testing.T) {
	w := newWorld(t)
	for query, message := range map[string]string{
		"rate=fast":           "rate: want how many a second, a whole number up to 1000000; 0, or none, is as many as there can be",
		"rate=-1":             "rate: want how many a second, a whole number up to 1000000; 0, or none, is as many as there can be",
		"rate=1000001":        "rate: want how many a second, a whole number up to 1000000; 0, or none, is as many as there can be",
		"startDate=yesterday": "please specify a startDate in the format 2006-01-02T15:04:05",
		"endDate=2026-01-02":  "please specify an endDate in the format 2006-01-02T15:04:05",
		"endpointId=1":        "endpointId: not an id: want 26 characters of Crockford base 32",
		"sort=up":             "sort: want ASC or DESC",
		"brokerMessageId=1":   "brokerMessageId: selects nothing",
		"endDate=2025-01-01T00:00:00&startDate=2026-01-01T00:00:00": "endDate: lies before startDate; nothing is between them",
	} {
		w.want(w.do("POST", w.in("/eventdeliveries/batchretry?%s", query), ""), 400, message)
		w.want(w.do("POST", w.in("/events/batchreplay?%s", query), ""), 400, message)
	}
	w.want(w.do("POST", w.in("/eventdeliveries/batchretry?status=Broken"), ""), 400,
		"status: want one of Scheduled, Processing, Success, Retry, Failure, Discarded")
	if len(w.jobs.jobs) != 0 {
		t.Errorf("jobs %v", w.jobs.jobs)
	}
}

// A request's texts are lent: the server writes the next request over them.
func TestAJobKeepsItsTexts(t *testing.T) {
	w := newWorld(t)
	w.jobs.run = func(j *event.Job) { j.State = event.JobDone }
	for path, query := range map[string]string{
		"/eventdeliveries/batchretry": "eventType=order.paid",
		"/events/batchreplay":         "idempotencyKey=key-1&ownerId=acme",
	} {
		lent := []byte(query)
		r := httptest.NewRequest("POST", w.in("%s", path), nil)
		r.Header.Set("Authorization", "Bearer "+catalogtest.InstanceKey)
		r.URL.RawQuery = unsafe.String(&lent[0], len(lent))
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, r)
		if rec.Code != 200 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		copy(lent, strings.Repeat("?", len(lent)))
	}
	for _, j := range w.jobs.jobs {
		f := j.Filter
		if got := f.Deliveries.EventType + f.Events.IdempotencyKey + f.Events.OwnerID; got != "order.paid" && got != "key-1acme" {
			t.Errorf("%s: %q", j.Kind, got)
		}
	}
}

func TestCounts(t *testing.T) {
	w := newWorld(t)
	const events = 2*fetchRows + 7
	for n := 1; n <= events; n++ {
		w.addEvent(w.project, n)
		w.log.addDelivery(event.Delivery{ID: id('d', n), ProjectID: w.project, EventID: id('f', n), EndpointID: id('e', n%3), Status: event.Status(n % 6)})
	}
	w.addDuplicate(events+1, 1)
	retries, replays := "/eventdeliveries/countbatchretryevents?", "/events/countbatchreplayevents?"
	for path, want := range map[string]int{
		retries:                                 44,
		retries + "status=Success&status=Retry": 46,
		retries + "endpointId=" + id('e', 1).String():             22,
		retries + "eventId=" + id('f', 4).String():                1,
		retries + "status=Success&eventId=" + id('f', 4).String(): 0,
		replays:                          events,
		replays + "idempotencyKey=key-3": 1,
		replays + "endpointId=" + id('e', 1).String():                                                                 45,
		replays + "startDate=" + epoch.Add(10e9).Format(dateLayout):                                                   events - 9,
		replays + "startDate=" + epoch.Add(10e9).Format(dateLayout) + "&endDate=" + epoch.Add(9e9).Format(dateLayout): 0,
	} {
		a := w.do("GET", w.in("%s", path), "")
		if a.Code != 200 || a.field("num") != float64(want) || a.field("complete") != true {
			t.Errorf("%s: %s, want %d", path, a.body, want)
		}
	}
	w.want(w.do("GET", w.in("%sstartDate=now", retries), ""), 400, "please specify a startDate in the format 2006-01-02T15:04:05")
	w.want(w.do("GET", w.in("%sstartDate=now", replays), ""), 400, "please specify a startDate in the format 2006-01-02T15:04:05")
	w.log.fail = event.ErrClosed
	w.want(w.do("GET", w.in("%s", retries), ""), 503, "the server is stopping; try again later")
	w.want(w.do("GET", w.in("%s", replays), ""), 503, "the server is stopping; try again later")
}

// Counting ends somewhere, and says so.
func TestCountIsBounded(t *testing.T) {
	for rows, want := range map[int]countView{
		maxCount - 1: {maxCount - 1, true},
		maxCount:     {maxCount, true},
		maxCount + 1: {maxCount, false},
		maxCount * 9: {maxCount, false},
	} {
		read := 0
		l := listing[event.ID]{
			fetch: func(r event.Range) ([]event.ID, error) {
				n := min(r.Limit, rows-read)
				ids := make([]event.ID, n)
				for i := range ids {
					ids[i] = id('d', read+i+1)
				}
				read += n
				return ids, nil
			},
			id: func(id event.ID) event.ID { return id },
		}
		got, err := l.count(t.Context(), everything, func(event.ID) bool { return true })
		if err != nil || got != want || read > maxCount+1 {
			t.Errorf("%d rows: counted %v, %v, after reading %d", rows, got, err, read)
		}
	}
}
