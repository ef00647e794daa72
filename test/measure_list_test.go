package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/valyala/fasthttp"
)

// sink answers 200 to everything but /fail, and counts.
type sink struct {
	url  string
	seen atomic.Int64
}

func newSink(t *testing.T) *sink {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{url: "http://" + ln.Addr().String()}
	server := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		s.seen.Add(1)
		if bytes.HasPrefix(ctx.Path(), []byte("/fail")) {
			ctx.SetStatusCode(500)
		}
	}}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(ln) }()
	t.Cleanup(func() { _ = server.Shutdown(); <-done })
	return s
}

// stock is what a store is filled with.
type stock struct {
	*project
	in      *sink
	singles []string // endpoints without owner
	failing string   // every delivery fails for good
	waiting string   // every delivery waits for a retry
	paused  string   // every delivery is discarded
	sub     string   // the subscription of singles[0]
	source  string
	hook    string // the source's path

	posted, sent int64
	lastEvent    string
	keyed        string // an idempotency key that was used
	batch        bytes.Buffer
	items        int
}

const owners, perOwner = 10, 10

func newStock(t *testing.T) *stock {
	s := &stock{project: newProject(t, linear(7200, 10)), in: newSink(t)}
	subscribed := object{"filter_config": object{"event_types": []string{"*"}}}
	add := func(path string, extra object) (string, string) {
		ep := s.bare(s.in.url+path, with(extra, object{"rate_limit": 0}))
		return ep, s.subscribe(ep, subscribed)
	}
	for i := range 100 {
		ep, sub := add("/ok", nil)
		s.singles = append(s.singles, ep)
		if i == 0 {
			s.sub = sub
		}
	}
	for o := range owners {
		for range perOwner {
			add("/ok", object{"owner_id": fmt.Sprint("owner-", o)})
		}
	}
	s.failing, _ = add("/fail", object{"strategy": object{"type": "linear", "duration": 1, "retry_count": 1}})
	s.waiting, _ = add("/fail", nil)
	s.paused, _ = add("/ok", nil)
	s.do("PUT", "/endpoints/"+s.paused+"/pause", nil, nil)
	s.source, s.hook = s.project.source(object{"name": "s", "type": "http", "verifier": object{"type": "noop"}})
	return s
}

// fill posts events until n deliveries are owed, and waits until all are made.
func (s *stock) fill(n int64) {
	var owed, failed, waiting int64
	for i := 0; owed < n; i++ {
		kind := "type-" + strconv.Itoa(i%10)
		if i%100_000 == 50_000 {
			kind = "rare"
		}
		to := `"owner_id":"owner-` + strconv.Itoa(i%owners) + `"`
		many := int64(perOwner)
		if i%7 < 5 {
			to, many = `"endpoint_id":"`+s.singles[i%len(s.singles)]+`"`, 1
		}
		switch i % 1000 {
		case 1:
			to, many = `"endpoint_id":"`+s.failing+`"`, 1
			failed++
		case 2:
			to, many = `"endpoint_id":"`+s.waiting+`"`, 1
			waiting++
		case 3:
			to, many = `"endpoint_id":"`+s.paused+`"`, 1
			s.sent++
		}
		extra := ""
		if i%1000 == 500 {
			s.keyed = "key-" + strconv.Itoa(i)
			extra = `,"idempotency_key":"` + s.keyed + `"`
		}
		if i%200_000 == 100_000 {
			s.flush()
			s.knock(s.hook, "application/json", `{"from":"a source"}`, nil)
			s.posted++
		}
		s.add(fmt.Sprintf(`{%s,"event_type":%q%s,"data":{"n":%d,"text":"%032x","more":"an order of two shirts, blue, size M, paid by card","needle":"n%06d"}}`,
			to, kind, extra, i, i*2654435761, i%1_000_000))
		owed += many
	}
	s.flush()
	s.sent = owed - s.sent
	within(s.t, time.Hour, "all are delivered", func() bool { return s.in.seen.Load() >= s.sent })
	s.t.Logf("%d events, %d deliveries: %d of them failed, %d wait for a retry", s.posted, owed, failed, waiting)
}

func (s *stock) add(item string) {
	if s.items > 0 {
		s.batch.WriteByte(',')
	} else {
		s.batch.WriteByte('[')
	}
	s.batch.WriteString(item)
	if s.items++; s.items == 500 {
		s.flush()
	}
}

func (s *stock) flush() {
	if s.items == 0 {
		return
	}
	s.batch.WriteByte(']')
	for {
		code, a, _, err := s.request("POST", "/events/batch", s.batch.String())
		if err != nil {
			s.t.Fatal(err)
		}
		if code/100 == 2 {
			break
		}
		if code != http.StatusServiceUnavailable {
			s.t.Fatalf("batch: %d %s", code, a.Message)
		}
		time.Sleep(100 * time.Millisecond)
	}
	s.posted += int64(s.items)
	s.batch.Reset()
	s.items = 0
}

// timings of one page.
type timings struct {
	p50, p99 time.Duration
	rows     int
}

func (ti timings) String() string {
	return fmt.Sprintf("%.1f\t%.1f\t%d", float64(ti.p50.Microseconds())/1000, float64(ti.p99.Microseconds())/1000, ti.rows)
}

// look asks for a page many times.
func (s *stock) look(path string, times int) timings {
	s.t.Helper()
	took := make([]time.Duration, times)
	rows := 0
	for i := range took {
		start := time.Now()
		req, err := http.NewRequest("GET", "http://"+s.api+s.path+path, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			s.t.Fatal(err)
		}
		raw, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		took[i] = time.Since(start)
		if err != nil || resp.StatusCode != 200 {
			s.t.Fatalf("%s: %d %v %.200s", path, resp.StatusCode, err, raw)
		}
		var a struct{ Data page[struct{}] }
		if err := json.Unmarshal(raw, &a); err != nil {
			s.t.Fatal(err)
		}
		rows = len(a.Data.Content)
	}
	slices.Sort(took)
	return timings{took[times/2], took[times*99/100], rows}
}

// hundredth follows the cursors of a listing to its hundredth page, or its last, and
// returns the page's path and number.
func (s *stock) hundredth(path string) (string, int) {
	s.t.Helper()
	at := path
	for number := 1; ; number++ {
		var p page[struct{}]
		s.do("GET", at, nil, &p)
		if number == 100 || !p.Pagination.HasNextPage {
			return at, number
		}
		at = path + "&next_page_cursor=" + p.Pagination.NextPageCursor
	}
}

// TestMeasureLists: how long every filter of the listings takes with DELIVERIES
// stored deliveries, ten million unless the environment says otherwise.
func TestMeasureLists(t *testing.T) {
	deliveries, err := strconv.ParseInt(os.Getenv("DELIVERIES"), 10, 64)
	if err != nil {
		t.Skip("DELIVERIES says how many deliveries to store: 10000000 takes eight minutes and 3 GB")
	}
	s := newStock(t)
	start := time.Now()
	s.fill(deliveries)
	t.Logf("filled in %s", time.Since(start).Round(time.Second))
	s.lastEvent = s.post("/events/fanout", object{"owner_id": "owner-1", "event_type": "type-1", "data": object{"last": true}})
	time.Sleep(5 * time.Second)
	now := time.Now().UTC()
	since := "startDate=" + url.QueryEscape(now.Add(-time.Minute).Format("2006-01-02T15:04:05"))
	until := "endDate=" + url.QueryEscape(now.Add(-time.Minute).Format("2006-01-02T15:04:05"))
	out := &strings.Builder{}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "listing\tfilter\tp50 ms\tp99 ms\trows\tpage\tp50 ms\tp99 ms\trows\t")
	for _, list := range []struct {
		path    string
		filters []string
	}{
		{"/eventdeliveries", []string{
			"", "sort=ASC", "endpointId=" + s.singles[0], "endpointId=" + s.singles[0] + "&endpointId=" + s.singles[1] + "&endpointId=" + s.failing,
			"eventId=" + s.lastEvent, "subscriptionId=" + s.sub, "idempotencyKey=" + s.keyed, "eventType=type-3", "eventType=rare", "eventType=none",
			"status=Success", "status=Failure", "status=Retry", "status=Discarded", "status=Scheduled", "status=Failure&status=Discarded",
			"ownerId=owner-3", "sourceId=" + s.source, since, until, "endpointId=" + s.singles[0] + "&status=Failure", "eventType=rare&status=Success",
		}},
		{"/events", []string{
			"", "sort=ASC", "endpointId=" + s.singles[0], "ownerId=owner-3", "sourceId=" + s.source, "idempotencyKey=" + s.keyed, "idempotencyKey=none",
			"eventType=type-3", "eventType=rare", "query=n000777", "query=nowhere", "body=" + url.QueryEscape(`{"n":5}`), since, until,
		}},
	} {
		for _, f := range list.filters {
			path := list.path + "?" + f
			first := s.look(path, 200)
			deep, number := s.hundredth(path)
			last := s.look(deep, 200)
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t\n", list.path, strings.NewReplacer(s.singles[0], "A", s.singles[1], "B", s.failing, "C",
				s.lastEvent, "E", s.sub, "S", s.source, "S").Replace(f), first, number, last)
		}
	}
	w.Flush()
	t.Logf("%d deliveries stored\n%s", s.sent, out)
}
