package wal

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"posthaste/event"
)

// What TestMeasureListings fills a log with: hours of traffic of a few projects, most of it
// the first one's.
const (
	measureProjects  = 4
	measureEndpoints = 1000 // of a project
	measureTypes     = 20
	measureOwners    = 500
	measureHours     = 24
	measureBatch     = 500
	measureBudget    = 2000 // as the API's
	measureSearch    = 5000 // likewise
	measurePages     = 40   // of a kind
)

// TestMeasureListings prints how long pages of 20 take with every filter, out of as many
// deliveries as POSTHASTE_DELIVERIES says: the first page, and the hundredth, which is
// asked for by its cursor.
func TestMeasureListings(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("POSTHASTE_DELIVERIES"))
	if n == 0 {
		t.Skip("fills a disk; set POSTHASTE_DELIVERIES, to 1000000 say")
	}
	l := openLog(t, Options{Dir: t.TempDir(), FS: vfs.Default, Relaxed: true, OnFatal: func(err error) { panic(err) }})
	recoverAll(t, l)
	begin := time.Now()
	fillForListings(t, l, n)
	must(t, l.db.Flush())
	t.Logf("%d deliveries in %s, %d MiB", n, time.Since(begin).Round(time.Second), l.Stats().DiskBytes>>20)
	fmt.Printf("%-44s | %-19s | %-19s | rows looked at\n", "filter", "first page p50/p99", "page 100 p50/p99")
	for _, f := range measuredEvents() {
		measureListing(t, f.name, func(r event.Range) ([]event.ID, event.Scan, error) {
			r.Budget = measureBudget
			if f.filter.Query != "" || len(f.filter.Body) > 0 {
				r.Budget = measureSearch
			}
			rows, scan, err := l.Events(idOf(1), r, f.filter)
			return eventIDs(rows), scan, err
		})
	}
	for _, f := range measuredDeliveries(l) {
		measureListing(t, f.name, func(r event.Range) ([]event.ID, event.Scan, error) {
			r.Budget = measureBudget
			rows, scan, err := l.Deliveries(idOf(1), r, f.filter)
			return idsOf(rows), scan, err
		})
	}
}

func measureEndpoint(project, i int) event.ID { return idOf(uint64(project*100_000 + i)) }

// fillForListings appends and settles n deliveries: one in a hundred fails, one in ten
// thousand has a rare type, owner, source or key.
func fillForListings(t *testing.T, l *Log, n int) {
	start := (l.now()/hour + 1) * hour
	subs := make([]event.Submission, measureBatch)
	for done := 0; done < n; done += measureBatch {
		setClock(l, start+uint64(float64(done)/float64(n)*measureHours*float64(hour)))
		for i := range subs {
			subs[i] = measuredPost(done + i)
		}
		must(t, l.Append(t.Context(), subs))
		for i := range subs {
			d := subs[i].Event.Owed[0]
			to := event.Success
			if (done+i)%100 == 7 {
				to = event.Failure
			}
			s := attempted(d, to)
			must(t, l.Settle(&s))
		}
	}
	must(t, l.SetMark(event.Mark{Watermark: l.now() + 1}))
	advance(l, 2)
	owed := make([]event.Submission, 50) // what is to come
	for i := range owed {
		owed[i] = measuredPost(i)
	}
	must(t, l.Append(t.Context(), owed))
	must(t, l.Flush())
}

func measuredPost(i int) event.Submission {
	project := 1
	if i%10 == 0 {
		project = 2 + i/10%(measureProjects-1)
	}
	s := post(idOf(uint64(project)), fmt.Sprintf(`{"order":{"id":%d,"total":%d.50},"text":"%0300d"}`, i, i%977, i), measureEndpoint(project, i*7919%measureEndpoints))
	s.Event.Owed[0].SubscriptionID = measureEndpoint(project, 50_000+i*7919%measureEndpoints)
	s.Event.Type = fmt.Sprint("type.", i%measureTypes)
	s.Event.OwnerID = fmt.Sprint("owner-", i*31%measureOwners)
	s.Event.SourceID = idOf(uint64(900 + i%5))
	switch i % 10_000 {
	case 1:
		s.Event.Type = "rare"
	case 3:
		s.Event.OwnerID = "rare"
	case 5:
		s.Event.SourceID = idOf(999)
	case 7:
		s.Event.Type = "rare failure"
	}
	if i%4 == 1 {
		s.Event.IdempotencyKey = fmt.Sprint("key-", i)
	}
	return s
}

type measuredEvent struct {
	name   string
	filter event.EventFilter
}

func measuredEvents() []measuredEvent {
	return []measuredEvent{
		{"events: none", event.EventFilter{}},
		{"events: endpoint", event.EventFilter{Endpoints: []event.ID{measureEndpoint(1, 7)}}},
		{"events: 10 endpoints", event.EventFilter{Endpoints: manyMeasured(10)}},
		{"events: owner", event.EventFilter{OwnerID: "owner-7"}},
		{"events: rare owner", event.EventFilter{OwnerID: "rare"}},
		{"events: type", event.EventFilter{EventType: "type.3"}},
		{"events: rare type", event.EventFilter{EventType: "rare"}},
		{"events: no such type", event.EventFilter{EventType: "none"}},
		{"events: source", event.EventFilter{Sources: []event.ID{idOf(901)}}},
		{"events: rare source", event.EventFilter{Sources: []event.ID{idOf(999)}}},
		{"events: idempotency key", event.EventFilter{IdempotencyKey: "key-5001"}},
		{"events: rare type and endpoint", event.EventFilter{EventType: "rare", Endpoints: manyMeasured(10)}},
		{"events: query", event.EventFilter{Query: "Order"}},
		{"events: query, nowhere", event.EventFilter{Query: "nowhere"}},
		{"events: body", event.EventFilter{Body: []byte(`{"order":{"total":7.5}}`)}},
		{"events: rare type, query", event.EventFilter{EventType: "rare", Query: "order"}},
	}
}

func manyMeasured(n int) (ids []event.ID) {
	for i := range n {
		ids = append(ids, measureEndpoint(1, i))
	}
	return ids
}

type measuredDelivery struct {
	name   string
	filter event.DeliveryFilter
}

func measuredDeliveries(l *Log) []measuredDelivery {
	one, _, _ := l.Events(idOf(1), event.Range{Limit: 1}, event.EventFilter{})
	return []measuredDelivery{
		{"deliveries: none", event.DeliveryFilter{}},
		{"deliveries: endpoint", event.DeliveryFilter{Endpoints: []event.ID{measureEndpoint(1, 7)}}},
		{"deliveries: 100 endpoints", event.DeliveryFilter{Endpoints: manyMeasured(100)}},
		{"deliveries: 500 endpoints", event.DeliveryFilter{Endpoints: manyMeasured(500)}},
		{"deliveries: event", event.DeliveryFilter{EventID: one[0].ID}},
		{"deliveries: subscription", event.DeliveryFilter{SubscriptionID: measureEndpoint(1, 50_007)}},
		{"deliveries: Success", event.DeliveryFilter{Statuses: []event.Status{event.Success}}},
		{"deliveries: Scheduled", event.DeliveryFilter{Statuses: []event.Status{event.Scheduled}}},
		{"deliveries: Failure", event.DeliveryFilter{Statuses: []event.Status{event.Failure}}},
		{"deliveries: Retry, of which there are none", event.DeliveryFilter{Statuses: []event.Status{event.Retry}}},
		{"deliveries: Failure, endpoint", event.DeliveryFilter{Statuses: []event.Status{event.Failure}, Endpoints: manyMeasured(10)}},
		{"deliveries: Failure, rare type", event.DeliveryFilter{Statuses: []event.Status{event.Failure}, EventType: "rare failure"}},
		{"deliveries: type", event.DeliveryFilter{EventType: "type.3"}},
		{"deliveries: rare type", event.DeliveryFilter{EventType: "rare"}},
		{"deliveries: rare type and endpoint", event.DeliveryFilter{EventType: "rare", Endpoints: manyMeasured(10)}},
		{"deliveries: rare source", event.DeliveryFilter{SourceID: idOf(999)}},
		{"deliveries: idempotency key", event.DeliveryFilter{IdempotencyKey: "key-5001"}},
		{"deliveries: no such key", event.DeliveryFilter{IdempotencyKey: "none"}},
	}
}

// measureListing prints a line. The hundredth page is walked to once; where a budget
// ends a page, the next one begins there.
func measureListing(t *testing.T, name string, list func(event.Range) ([]event.ID, event.Scan, error)) {
	r := event.Range{Descending: true, Limit: 21}
	first, looked := measurePage(t, r, list)
	for range 99 {
		ids, scan, err := list(r)
		must(t, err)
		switch {
		case scan.Next != event.ID{}:
			r.To = scan.Next
		case len(ids) == r.Limit:
			r.To = ids[len(ids)-1]
		}
	}
	hundredth, later := measurePage(t, r, list)
	fmt.Printf("%-44s | %s | %s | %d, %d\n", name, first, hundredth, looked, later)
}

func measurePage(t *testing.T, r event.Range, list func(event.Range) ([]event.ID, event.Scan, error)) (string, int) {
	took := make([]time.Duration, measurePages)
	looked := 0
	for i := range took {
		begin := time.Now()
		_, scan, err := list(r)
		took[i], looked = time.Since(begin), scan.Looked
		must(t, err)
	}
	slices.Sort(took)
	ms := func(d time.Duration) string { return fmt.Sprintf("%6.2f", d.Seconds()*1000) }
	return fmt.Sprintf("%s / %s ms", ms(took[len(took)/2]), ms(took[len(took)-1])), looked
}
