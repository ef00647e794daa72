package api

import (
	"slices"
	"testing"
	"time"

	"posthaste/event"
	"posthaste/stats"
)

// bookCounts are Counts over a book.
type bookCounts struct{ book *stats.Book }

func (b bookCounts) Counts(series []stats.Series, span stats.Span) ([]stats.SeriesCells, error) {
	all, _ := noCounts{}.Counts(series, span)
	for _, of := range all {
		b.book.Each(func(p *stats.Page, c stats.Cell) {
			if i, in := span.Index(uint64(p.Minute) * 60_000); in && p.Series == of.Series {
				of.Cells[i].AddCell(c)
			}
		})
	}
	return all, nil
}

func (b bookCounts) CountsOf(project event.ID, dim stats.Dim, span stats.Span) ([]stats.SeriesCells, error) {
	var all []stats.SeriesCells
	b.book.Each(func(p *stats.Page, _ stats.Cell) {
		if p.Project == project && p.Dim == dim && !slices.ContainsFunc(all, func(s stats.SeriesCells) bool { return s.Series == p.Series }) {
			one, _ := b.Counts([]stats.Series{p.Series}, span)
			all = append(all, one[0])
		}
	})
	return all, nil
}

// countSome counts a delivery that failed once and then arrived, for an endpoint.
func countSome(b *stats.Book, project, endpoint event.ID, typ string, times int) {
	at := uint64(epoch.Add(-time.Hour).UnixMilli())
	for i := range times {
		d := event.Delivery{ID: event.DeliveryID(at, 1, uint64(i)), ProjectID: project, EndpointID: endpoint}
		b.Created(&d, typ)
		b.Settle(&stats.Settled{Project: project, Endpoint: endpoint, Type: typ, Created: at, Was: event.Scheduled, Is: event.Retry,
			Attempt: true, First: true, Result: stats.ResultField(event.ClassTimeout, 0), Ended: at + 10_000})
		b.Settle(&stats.Settled{Project: project, Endpoint: endpoint, Type: typ, Created: at, Was: event.Retry, Is: event.Success,
			Attempt: true, Result: stats.ResultField(event.ClassNone, 201), Ended: at + 600_000, Took: 40 * time.Millisecond})
	}
}

func TestStatistics(t *testing.T) {
	book := new(stats.Book)
	w := newWorld(t, func(o *Options) { o.Counts = bookCounts{book} })
	a, b := w.addEndpoint(w.project, 1), w.addEndpoint(w.project, 2)
	countSome(book, w.project, a, "order.paid", 3)
	countSome(book, w.project, b, "order.sent", 1)

	for path, want := range map[string]float64{
		"/statistics":                               4,
		"/statistics?endpointId=" + a.String():      3,
		"/statistics?eventType=order.sent":          1,
		"/statistics?event_type=order.unknown":      0,
		"/statistics?startDate=2026-01-02T02:30:00": 0, // they were created before
	} {
		got := w.do("GET", w.in("%s", path), "")
		if n := got.field("total", "deliveries"); n != want {
			t.Errorf("%s: %v deliveries, want %v\n%s", path, n, want, got.body)
		}
	}
	got := w.do("GET", w.in("/statistics?step=3600"), "")
	for field, want := range map[string]any{"attempts": 8.0, "first_try": 0.0} {
		if n := got.field("total", field); n != want {
			t.Errorf("%s: %v, want %v", field, n, want)
		}
	}
	if n := got.field("total", "by_status", "Success"); n != 4.0 {
		t.Errorf("%v succeeded", n)
	}
	if n := got.field("total", "results", "timeout"); n != 4.0 {
		t.Errorf("%v timeouts", n)
	}
	if p50, ok := got.field("total", "latency", "p50_ms").(float64); !ok || p50 < 35 || p50 > 45 {
		t.Errorf("p50 %v", p50)
	}
	if points := got.field("points").([]any); len(points) != 25 || points[0].(map[string]any)["at"] != "2026-01-01T03:00:00Z" {
		t.Errorf("%d points, the first %v", len(points), points[0])
	}
}

// TestStatisticsByEndpointAndType: the busiest first.
func TestStatisticsByEndpointAndType(t *testing.T) {
	book := new(stats.Book)
	w := newWorld(t, func(o *Options) { o.Counts = bookCounts{book} })
	a, b := w.addEndpoint(w.project, 1), w.addEndpoint(w.project, 2)
	countSome(book, w.project, a, "order.paid", 1)
	countSome(book, w.project, b, "order.sent", 2)
	countSome(book, w.project, event.NewID(), "order.sent", 1) // an endpoint that is gone
	got := w.do("GET", w.in("/statistics/endpoints?points=false"), "").field().([]any)
	if len(got) != 2 || got[0].(map[string]any)["endpoint_id"] != b.String() || len(got[0].(map[string]any)["points"].([]any)) != 0 {
		t.Errorf("endpoints: %v", got)
	}
	book.Settle(&stats.Settled{Project: w.project, Endpoint: a, Type: "order.paid", Created: uint64(w.api.now().UnixMilli()), Was: event.Success, Is: event.Failure})
	for query, want := range map[string]event.ID{"limit=1": b, "endpointId=" + a.String(): a, "order=trouble&limit=1": a} {
		got = w.do("GET", w.in("/statistics/endpoints?%s", query), "").field().([]any)
		if len(got) != 1 || got[0].(map[string]any)["endpoint_id"] != want.String() {
			t.Errorf("%s: %v", query, got)
		}
	}
	got = w.do("GET", w.in("/statistics/event-types"), "").field().([]any)
	if len(got) != 2 || got[0].(map[string]any)["event_type"] != "order.sent" {
		t.Errorf("event types: %v", got)
	}
}

func TestStatisticsRefused(t *testing.T) {
	w := newWorld(t)
	ep := w.addEndpoint(w.project, 1)
	for _, c := range []struct{ query, want string }{
		{"step=59", "step: must be a number of seconds, 60 or more and a whole number of minutes"},
		{"step=90", "step: must be a whole number of minutes"},
		{"step=60&startDate=2025-01-01T00:00:00", "step: 527225 steps are too many, 4000 is the most: ask for longer steps or for less time"},
		{"startDate=2026-01-02T03:04:06", "startDate: must be before endDate"},
		{"endpointId=" + ep.String() + "&eventType=x", "eventType: cannot be asked for together with endpointId: they are counted apart"},
	} {
		w.want(w.do("GET", w.in("/statistics?%s", c.query), ""), 400, c.want)
	}
	w.want(w.do("GET", w.in("/statistics/endpoints?order=name"), ""), 400, "order: must be deliveries or trouble")
	w.want(w.do("GET", w.in("/statistics/endpoints?limit=1001"), ""), 400, "limit: must be a number from 1 to 1000")
	if got := w.do("GET", w.in("/statistics?endpointId=%s", event.NewID()), ""); got.Code != 404 {
		t.Errorf("an unknown endpoint: %d", got.Code)
	}
}

// TestStatisticsOfAPortal are those of the owner's endpoints.
func TestStatisticsOfAPortal(t *testing.T) {
	w := newPortalWorld(t)
	w.addLinks()
	book := new(stats.Book)
	w.api.o.Counts = bookCounts{book}
	countSome(book, w.project, w.own["endpointID"], "own", 2)
	countSome(book, w.project, w.others[0]["endpointID"], foreign, 5)
	as := func(path string) answer {
		return w.do("GET", path, "", "Authorization", "Bearer "+w.grants["link"])
	}
	for _, prefix := range []string{w.in(""), "/portal-api"} {
		if n := as(prefix+"/statistics").field("total", "deliveries"); n != 2.0 {
			t.Errorf("%s: %v deliveries", prefix, n)
		}
		if got := as(prefix + "/statistics/endpoints").field().([]any); len(got) != 1 {
			t.Errorf("%s: %d endpoints", prefix, len(got))
		}
		if got := as(prefix + "/statistics/endpoints?endpointId=" + w.others[0]["endpointID"].String()).field().([]any); len(got) != 0 {
			t.Errorf("%s: %d endpoints of others", prefix, len(got))
		}
		for _, path := range []string{"/statistics/event-types", "/statistics?eventType=own", "/statistics?endpointId=" + w.others[0]["endpointID"].String()} {
			if got := as(prefix + path); got.Code != 404 {
				t.Errorf("%s%s: %d %s", prefix, path, got.Code, got.body)
			}
		}
	}
}
