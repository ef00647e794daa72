package bench

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"posthaste/bench/report"
)

// Generator posts events over a fixed number of connections, each with at most
// one request in flight. In a closed loop a connection sends when its last
// request is answered; in an open loop requests are due at fixed times (see
// openloop.go). One Run at a time.
type Generator struct {
	load    Load
	client  *fasthttp.HostClient
	workers []*loadWorker
	latency *recorder // of requests
	late    *recorder // how long after they were due requests of an open loop were sent
}

// Burst is one phase of load: sequence numbers from First on, until Max events
// are sent or For has passed, whichever is first.
type Burst struct {
	First uint64        `json:"first"`
	Max   int           `json:"max"`
	For   time.Duration `json:"for"`
	Rate  float64       `json:"rate,omitzero"` // events a second of an open loop; 0: a closed loop
}

// BurstResult is what the generator did. Every published event was accepted.
type BurstResult struct {
	Published   int            `json:"published"` // events First to First+Published-1
	Healthy     int            `json:"healthy"`   // of them, to endpoints that stay healthy
	Requests    int64          `json:"requests"`  // answered 2xx
	Refused     int64          `json:"refused"`   // answered otherwise, and asked again
	Failed      int64          `json:"failed"`    // not answered, and asked again
	FirstSendNS int64          `json:"first_send_ns"`
	LastDoneNS  int64          `json:"last_done_ns"`
	Latency     report.Latency `json:"latency"` // of answered requests; in an open loop from when they were due

	PayloadBytes int64 `json:"payload_bytes"` // of the published events

	Pace *Pace `json:"pace,omitempty"` // of an open loop
}

// burstRun is the state that the workers of one Run share.
type burstRun struct {
	Burst
	start    time.Time
	deadline time.Time
	next     atomic.Int64 // events claimed
}

// loadWorker owns one connection's worth of load. One goroutine uses it.
type loadWorker struct {
	poster
	g         *Generator
	spread    uint64
	templates []*template
	turn      int
	healthy   int   // events to endpoints that stay healthy, in this Run
	bytes     int64 // of the payloads accepted, in this Run
}

// NewGenerator prepares the requests of a load.
func NewGenerator(load Load) (*Generator, error) {
	base, err := url.Parse(load.URL)
	if err != nil {
		return nil, fmt.Errorf("load url: %w", err)
	}
	if load.Connections < 1 || len(load.Endpoints) < 1 || load.perRequest() < 1 || load.PayloadBytes < MinPayloadBytes {
		return nil, fmt.Errorf("load: connections %d, endpoints %d, events a request %d must be at least 1, payload bytes %d at least %d",
			load.Connections, len(load.Endpoints), load.perRequest(), load.PayloadBytes, MinPayloadBytes)
	}
	if err := load.open(); err != nil {
		return nil, err
	}
	g := &Generator{
		load:    load,
		client:  newHostClient(hostPort(base), base.Scheme == "https", load.Connections),
		latency: newRecorder(),
		late:    newRecorder(),
	}
	for i := range load.Connections {
		g.workers = append(g.workers, g.newWorker(i))
	}
	return g, nil
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return u.Host + ":443"
	}
	return u.Host + ":80"
}

func (g *Generator) newWorker(i int) *loadWorker {
	w := &loadWorker{g: g, spread: uint64(i)}
	for n := range g.load.templates() {
		w.templates = append(w.templates, newTemplate(&g.load, i, n))
	}
	w.prepare(g.client, g.load.Key)
	for _, h := range g.load.Headers {
		w.req.Header.Set(h.Name, h.Value)
	}
	events := g.load.URL + "/api/v1/projects/" + g.load.Project + "/events"
	switch g.load.Mode {
	case ModeBatch:
		w.address(events+"/batch", "application/x-ndjson")
	case ModeFanout:
		w.address(events+"/fanout", "application/json")
	case ModeBare:
		w.address(g.load.URL+"/e/"+strconv.Itoa(i%len(g.load.Endpoints)), "application/json")
	default:
		w.address(events, "application/json")
	}
	return w
}

// Run posts one burst. An error means that some event was not accepted.
func (g *Generator) Run(ctx context.Context, b Burst) (BurstResult, error) {
	g.latency.reset()
	g.late.reset()
	for _, w := range g.workers {
		w.postCounts, w.healthy, w.bytes = postCounts{}, 0, 0
	}
	start := time.Now()
	run := &burstRun{Burst: b, start: start, deadline: start.Add(b.For)}
	group, ctx := errgroup.WithContext(ctx)
	var pace *Pace
	if b.Rate > 0 {
		pace = g.openLoop(ctx, run, group)
	} else {
		g.closedLoop(ctx, run, group)
	}
	err := group.Wait()
	result := BurstResult{
		Published:   int(min(run.next.Load(), int64(b.Max))),
		FirstSendNS: start.UnixNano(),
		LastDoneNS:  time.Now().UnixNano(),
		Latency:     g.latency.summary(),
		Pace:        pace,
	}
	if pace != nil {
		pace.finish(result.Published, g.late.summary())
	}
	for _, w := range g.workers {
		result.Healthy += w.healthy
		result.Requests += w.accepted
		result.Refused += w.refused
		result.Failed += w.failed
		result.PayloadBytes += w.bytes
	}
	return result, err
}

// Close closes the idle connections. No Run may be in progress.
func (g *Generator) Close() { g.client.CloseIdleConnections() }

func (g *Generator) closedLoop(ctx context.Context, run *burstRun, group *errgroup.Group) {
	for _, w := range g.workers {
		group.Go(func() error { return w.run(ctx, run) })
	}
}

// run claims sequence numbers and posts them until the burst is over.
func (w *loadWorker) run(ctx context.Context, run *burstRun) error {
	for ctx.Err() == nil {
		now := time.Now()
		if now.After(run.deadline) {
			return nil
		}
		t := w.nextTemplate()
		step := int64(t.events())
		first := run.next.Add(step) - step
		n := min(step, int64(run.Max)-first)
		if n <= 0 {
			return nil
		}
		if err := w.send(ctx, t, run.First+uint64(first), int(n), now); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (w *loadWorker) nextTemplate() *template {
	t := w.templates[w.turn%len(w.templates)]
	w.turn++
	return t
}

// send posts n events from seq on, no more than t holds. since is when they were
// to be sent: it stands in the payloads, and the request's latency counts from it.
func (w *loadWorker) send(ctx context.Context, t *template, seq uint64, n int, since time.Time) error {
	if err := w.post(ctx, t.stamp(seq, n, since.UnixNano())); err != nil {
		return err
	}
	w.healthy += t.healthy[n-1]
	w.bytes += t.payloadBytes(n)
	w.g.latency.record(w.spread, time.Since(since))
	return nil
}
