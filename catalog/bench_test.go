package catalog_test

import (
	"fmt"
	"math/rand"
	"runtime"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/catalog/catalogtest"
	"posthaste/event"
	"posthaste/internal/seal"
)

// generated is a store with one project and many endpoints, some of them with a
// subscription. It takes writes and forgets them.
type generated struct {
	box     *seal.Box
	project event.ID
	ids     []event.ID // of the endpoints
	records []event.CatalogRecord
}

func newGenerated(box *seal.Box, endpoints, subscriptions int) *generated {
	p := event.Project{ID: event.NewID(), Name: "p", Type: "outgoing", Config: event.DefaultProjectConfig()}
	g := &generated{box: box, project: p.ID, records: []event.CatalogRecord{catalog.RecordOf(box, 'p', p.ID, &p)}}
	for i := range endpoints {
		g.addEndpoint(i)
	}
	for i := range subscriptions {
		g.addSubscription(i)
	}
	return g
}

func (g *generated) addEndpoint(i int) {
	id, now := event.NewID(), event.StampOf(time.Now())
	g.ids = append(g.ids, id)
	g.records = append(g.records, catalog.RecordOf(g.box, 'e', id, &event.Endpoint{
		ID: id, ProjectID: g.project, Name: fmt.Sprintf("endpoint %d", i), OwnerID: fmt.Sprintf("customer%d", i),
		URL:    fmt.Sprintf("https://customer%d.example.com/webhooks", i),
		Status: event.EndpointActive, ContentType: "application/json", HTTPTimeout: 10,
		RateLimit: 5000, RateLimitDuration: 60, AdvancedSignatures: true, CreatedAt: now, UpdatedAt: now,
		Secrets: []event.Secret{{ID: id, Value: "0123456789abcdefghijklmno", CreatedAt: now, UpdatedAt: now}},
	}))
}

func (g *generated) addSubscription(i int) {
	id, now := event.NewID(), event.StampOf(time.Now())
	g.records = append(g.records, catalog.RecordOf(g.box, 's', id, &event.Subscription{
		ID: id, ProjectID: g.project, EndpointID: g.ids[i], Name: fmt.Sprintf("endpoint %d subscription", i),
		Type: "api", DeliveryMode: "at_least_once", FilterConfig: event.FilterConfig{EventTypes: []string{"*"}},
		CreatedAt: now, UpdatedAt: now,
	}))
}

func (g *generated) CASCatalog([]event.CatalogRecord, ...event.Audit) error { return nil }

func (g *generated) LoadCatalog(fn func(event.CatalogRecord) error) error {
	for _, rec := range g.records {
		if err := fn(rec); err != nil {
			return err
		}
	}
	return nil
}

func openGenerated(b *testing.B, endpoints, subscriptions int) (*catalog.Catalog, *generated) {
	g := newGenerated(nil, endpoints, subscriptions)
	c, err := catalog.Open(g, catalogtest.Options())
	must(b, err)
	return c, g
}

// BenchmarkOpen loads a catalog, and reports the memory that it keeps.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []struct {
		endpoints, subscriptions int
		sealed                   bool
	}{{100_000, 0, false}, {100_000, 100_000, false}, {100_000, 100_000, true}} {
		b.Run(fmt.Sprintf("endpoints=%d/subscriptions=%d/sealed=%v", n.endpoints, n.subscriptions, n.sealed), func(b *testing.B) {
			o := catalogtest.Options()
			if n.sealed {
				o.Seal = newBox(b, "k1")
			}
			g := newGenerated(o.Seal, n.endpoints, n.subscriptions)
			before := heapInUse()
			for b.Loop() {
				c, err := catalog.Open(g, o)
				must(b, err)
				b.StopTimer()
				b.ReportMetric(float64(heapInUse()-before)/float64(n.endpoints), "bytes/endpoint")
				runtime.KeepAlive(c)
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n.endpoints), "ns/endpoint")
		})
	}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkEndpoint(b *testing.B) {
	for _, n := range []int{16, 10_000, 100_000} {
		b.Run(fmt.Sprintf("endpoints=%d", n), func(b *testing.B) {
			c, g := openGenerated(b, n, 0)
			random := rand.New(rand.NewSource(1))
			b.ReportAllocs()
			for b.Loop() {
				if c.Snapshot().Endpoint(g.ids[random.Intn(n)]) == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	w := setup(b)
	for name, token := range map[string]string{"project": w.key, "instance": catalogtest.InstanceKey} {
		b.Run(name, func(b *testing.B) {
			key := []byte(token)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := w.Authenticate(key); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}

func BenchmarkSigner(b *testing.B) {
	w := setup(b)
	e := w.endpoint(b, "a")
	b.ReportAllocs()
	for b.Loop() {
		e.Signer(w.project)
	}
}

func BenchmarkCreateEndpoint(b *testing.B) {
	c, g := openGenerated(b, 100_000, 0)
	b.ReportAllocs()
	for b.Loop() {
		_, err := c.CreateEndpoint(event.Endpoint{ProjectID: g.project, Name: "e", URL: "https://example.com", OwnerID: "o"})
		must(b, err)
	}
}
