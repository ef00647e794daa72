package app

import (
	"math"
	"runtime"
	"testing"
	"time"

	"posthaste/event"
)

// hotPathStep is a part of an event's way through a whole server.
type hotPathStep struct {
	name    string
	perHour int // limit of each endpoint's attempts; 0: none
	conns   int // to the API; 0: none
	events  int // of one request
	// prepare makes n requests ready and returns what is measured of them.
	prepare func(h *hotPath, n, events int) (run func())
	// most is how many allocations an event may cost; 0: that is not held.
	most float64
}

// hotPathSteps are measured one by one. What a step allocates is counted in the whole
// process, so the log's groups, flushes and the like are in it, shared by the events that
// came at the same time: with one connection every event is a group of its own.
//
//	intake    a request: HTTP, authentication, parsing, routing, Append, the answer;
//	          its deliveries stay in the log
//	dispatch  from the log's hand-over of events that are durable, through queue, worker,
//	          signature and HTTP, to the outcome's being durable
//	settle    an outcome, from one goroutine
//	whole     intake and dispatch of the same events at once
//
// most is what was counted and less than half an allocation, for pools that the collector
// empties in between, outcomes that find no intake to ride with, and the marks of each
// second. How many events of several connections share a group depends on time alone: those
// steps are measured, and their parts are held.
var hotPathSteps = []hotPathStep{
	{"intake/conns=1", 1, 1, 1, posted, 8.4},
	{"intake/conns=16", 1, 16, 1, posted, 0},
	{"batch/conns=1", 1, 1, 100, posted, 2.5},
	{"dispatch/events=1", 0, 0, 1, committed, 0.4},
	{"dispatch/events=100", 0, 0, 100, committed, 1.4},
	{"settle", 0, 0, 1, settled, 0.4},
	{"whole/conns=16", 0, 16, 1, delivered, 0},
	{"whole/batch", 0, 1, 100, delivered, 3.8},
}

// posted are requests to the API.
func posted(h *hotPath, n, _ int) func() {
	return func() { h.post(n) }
}

// delivered are requests to the API whose deliveries are waited for.
func delivered(h *hotPath, n, events int) func() {
	target := h.app.m.settlements.Get() + uint64(n*events)
	return func() {
		h.post(n)
		h.await(target)
	}
}

// committed are requests as the log hands them over.
func committed(h *hotPath, n, events int) func() {
	groups := make([][]event.Submission, n)
	for i := range groups {
		groups[i] = make([]event.Submission, events)
		for k := range groups[i] {
			groups[i][k].Event = h.durable()
		}
	}
	target := h.app.m.settlements.Get() + uint64(n*events)
	return func() {
		h.app.engine.Committed(groups)
		h.await(target)
	}
}

// durable makes up an event that is owed to one endpoint.
func (h *hotPath) durable() event.Event {
	h.seq++
	now := time.Now()
	ep := h.endpoints[h.seq%uint64(len(h.endpoints))]
	d := event.Delivery{
		ID:      event.DeliveryID(uint64(now.UnixMilli()), ep.Hash(), h.seq%event.MaxDeliverySeq),
		EventID: event.NewID(), ProjectID: ep.ProjectID, EndpointID: ep.ID, Status: event.Scheduled,
	}
	return event.Event{
		ID: d.EventID, ProjectID: ep.ProjectID, Type: "order.created", Data: payload, ReceivedAt: now.UTC(), Owed: []event.Delivery{d},
	}
}

// settled are outcomes of first attempts that succeeded.
func settled(h *hotPath, n, _ int) func() {
	settlements := make([]event.Settlement, n)
	for i := range settlements {
		d := h.durable().Owed[0]
		s := &settlements[i]
		*s = event.Settlement{Delivery: d, Was: d.Status, Type: "order.created"}
		s.Delivery.Status, s.Delivery.Attempts, s.Delivery.UpdatedAt = event.Success, 1, time.Now().UTC()
		s.Attempt = &event.Attempt{
			DeliveryID: d.ID, EndpointID: d.EndpointID, Number: 1, URL: "http://127.0.0.1:1/hook", Address: "127.0.0.1:1",
			StartedAt: time.Now().UTC(), Duration: time.Millisecond, StatusCode: 200,
			RequestHeaders: make([]byte, 300), ResponseHeaders: make([]byte, 60), ResponseBody: []byte("ok"),
		}
	}
	target := h.app.m.settlements.Get() + uint64(n)
	return func() {
		for i := range settlements {
			h.check(h.app.wal.Settle(&settlements[i]))
		}
		h.check(h.app.wal.Flush())
		h.await(target)
	}
}

func (s *hotPathStep) open(tb testing.TB) *hotPath {
	h := newHotPath(tb, s.perHour)
	h.connect(s.conns, s.events)
	warmUp := 200 * s.conns
	if s.conns == 0 {
		warmUp = 2000 // until all connections to the receiver are there
	}
	s.prepare(h, max(1, warmUp/s.events), s.events)()
	return h
}

// allocated is what f allocates, in objects and bytes, in the whole process.
func allocated(f func()) (objects, bytes uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc
}

// atOnce is how many events are prepared and measured in one go.
const atOnce = 4000

// BenchmarkHotPath is a table of what an event costs in each step. An operation is a
// request.
func BenchmarkHotPath(b *testing.B) {
	for _, s := range hotPathSteps {
		b.Run(s.name, func(b *testing.B) {
			h := s.open(b)
			var objects, bytes uint64
			b.ReportAllocs()
			b.ResetTimer()
			for done := 0; done < b.N; {
				b.StopTimer()
				n := min(b.N-done, atOnce/s.events)
				run := s.prepare(h, n, s.events)
				more, moreBytes := allocated(func() {
					b.StartTimer()
					run()
					b.StopTimer()
				})
				done, objects, bytes = done+n, objects+more, bytes+moreBytes
				b.StartTimer()
			}
			b.StopTimer()
			n := float64(b.N * s.events)
			b.ReportMetric(float64(objects)/n, "allocs/event")
			b.ReportMetric(float64(bytes)/n, "B/event")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/event")
		})
	}
}

// TestHotPathAllocations holds the figures of BenchmarkHotPath where they are. What comes by
// chance, such as one more connection to the receiver, only ever adds to them: of some
// rounds the best counts, and the first that is good enough ends the test.
func TestHotPathAllocations(t *testing.T) {
	if raceEnabled { // it empties pools at random
		return
	}
	const rounds = 10
	for _, s := range hotPathSteps {
		if s.most == 0 {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			h := s.open(t)
			least := math.Inf(1)
			for round := 0; round < rounds && least > s.most; round++ {
				least = min(least, s.round(t, h))
			}
			if least > s.most {
				t.Errorf("%.2f allocations per event, want at most %.1f", least, s.most)
			}
		})
	}
}

// round measures a few hundred events, or 20 requests of a hundred.
func (s *hotPathStep) round(t *testing.T, h *hotPath) (perEvent float64) {
	n := 400
	if s.events > 1 {
		n = 20
	}
	objects, bytes := allocated(s.prepare(h, n, s.events))
	events := float64(n * s.events)
	t.Logf("%.2f allocations and %.0f bytes per event", float64(objects)/events, float64(bytes)/events)
	return float64(objects) / events
}
