package engine

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// nullStore is a log that keeps nothing and counts outcomes.
type nullStore struct {
	*fakeStore
	mu     sync.Mutex
	left   int
	target chan struct{}
}

func (n *nullStore) Settle(*event.Settlement) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.left--; n.left == 0 {
		close(n.target)
	}
	return nil
}

func (n *nullStore) Append(context.Context, []event.Submission) error { return nil }
func (n *nullStore) SetMark(event.Mark) error                         { return nil }

type nullSender struct{}

func (nullSender) Attempt(_ *catalog.Project, _ *catalog.Endpoint, _ *event.Delivery, _ *event.Event, a *event.Attempt) {
	a.StatusCode = 200
}

func (nullSender) Cancel() {}

func (nullSender) CancelTo(func(event.ID) bool) {}

// BenchmarkCommittedToSettled is what the engine itself costs for a delivery:
// from the log's committer, through queue and worker, to the outcome. An operation
// is one delivery.
func BenchmarkCommittedToSettled(b *testing.B) {
	for _, c := range []struct{ endpoints, batch int }{{1, 1}, {16, 1}, {1000, 1}, {16, 100}} {
		b.Run(fmt.Sprintf("endpoints=%d/batch=%d", c.endpoints, c.batch), func(b *testing.B) {
			benchmarkDeliveries(b, c.endpoints, c.batch)
		})
	}
}

func benchmarkDeliveries(b *testing.B, endpoints, batch int) {
	const group = 256 // requests that one commit carries
	w := newWorld(b, Options{Window: 1 << 20, QueueBytes: 1 << 40})
	store := &nullStore{fakeStore: newStore(nil)}
	defer store.close()
	o := w.options
	o.Store, o.Catalog, o.Sender = store, w.catalog, nullSender{}
	o.NewPool = func(size int, run func(*Shard)) (Pool, error) { return &fakePool{size: size, run: run}, nil }
	e, err := New(o)
	w.must(err)
	w.must(e.Start(context.Background()))
	eps := w.endpoints(endpoints)
	data := make([]byte, 1024)

	b.ReportAllocs()
	for done := 0; done < b.N; {
		b.StopTimer()
		var groups [][]event.Submission
		n := 0
		for range max(1, group/batch) {
			subs := make([]event.Submission, batch)
			for i := range subs {
				ep := eps[(done+n)%len(eps)]
				n++
				d := event.Delivery{
					ID:         event.DeliveryID(uint64(time.Now().UnixMilli()), ep.Hash(), uint64(done+n)),
					EndpointID: ep.ID, ProjectID: ep.ProjectID,
				}
				subs[i].Event = event.Event{ID: event.NewID(), ProjectID: ep.ProjectID, Data: data, Owed: []event.Delivery{d}}
			}
			groups = append(groups, subs)
		}
		done += n
		store.mu.Lock()
		store.left, store.target = n, make(chan struct{})
		store.mu.Unlock()
		b.StartTimer()
		e.Committed(groups)
		<-store.target
	}
	b.StopTimer()
	w.must(e.Stop(context.Background()))
}

func BenchmarkDecide(b *testing.B) {
	p := policy(b, event.Strategy{Type: event.StrategyExponential, Duration: 10, RetryCount: 20})
	a, now := answered(500), time.Now()
	id := event.DeliveryID(uint64(now.UnixMilli()), 1, 1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		d := decide(event.Delivery{ID: id, Attempts: i & 7}, p, a, now, uint32(i))
		if d.Status != event.Retry {
			b.Fatal(d.Status)
		}
	}
}
