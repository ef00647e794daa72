package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"posthaste/breaker"
	"posthaste/event"
)

// Engine delivers. The intake calls Submit; the log calls Committed and Waiting.
type Engine struct {
	o      Options
	shards []*Shard
	pool   Pool

	partitions int
	marked     uint64 // the watermark that was written last; of the mark loop, then of Stop

	// queued is the memory, in bytes, of what waits in all shards' queues.
	queued atomic.Int64

	pace   pace
	clerk  clerk
	herald herald

	unwatch func() // of the catalog; set by Start

	// gate lets Stop wait for the Submits that are on their way: each holds it
	// for reading.
	gate   sync.RWMutex
	closed bool

	loops  sync.WaitGroup
	stop   chan struct{} // closed to end the loops
	halted sync.Once
}

// New makes an engine that does nothing yet.
func New(o Options) (*Engine, error) {
	o.ensureDefaults()
	e := &Engine{o: o, stop: make(chan struct{}), partitions: o.Store.Partitions()}
	e.pace.init(o.Runnable)
	e.clerk.init()
	e.herald.init()
	for i := range o.Shards {
		e.shards = append(e.shards, newShard(e, i))
	}
	var err error
	e.pool, err = o.NewPool(o.MaxInFlight, (*Shard).work)
	return e, err
}

// Start recovers what was owed when the last process ended, and begins to
// deliver. It returns once new events may be submitted; what was owed is read
// from the log as there is room for it.
func (e *Engine) Start(context.Context) error {
	if err := e.recover(); err != nil {
		return err
	}
	for _, s := range e.shards {
		e.loops.Go(s.loop)
	}
	e.loops.Go(e.markLoop)
	e.loops.Go(e.clerkLoop)
	e.loops.Go(e.heraldLoop)
	e.unwatch = e.o.Catalog.Watch(e.changed)
	return nil
}

func (e *Engine) recover() error {
	if err := e.recoverEndpoints(); err != nil {
		return err
	}
	horizon := e.o.Store.Horizon(event.ID{}).Time()
	for _, s := range e.shards {
		s.mu.Lock()
		s.fed = horizon // what is to come is newer
		s.mu.Unlock()
	}
	return nil
}

func (e *Engine) recoverEndpoints() error {
	everything := func(uint16) bool { return true }
	return e.o.Store.Recover(everything, func(b event.Behind) {
		s := e.shardOf(event.EndpointHash(b.Endpoint))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.recoverBehind(b)
	}, func(t event.Timer) {
		s := e.shardOf(event.EndpointHash(t.Endpoint))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.armRetry(s.endpoint(t.Endpoint), t.DueMilli)
	}, func(h event.Health) {
		s := e.shardOf(event.EndpointHash(h.Endpoint))
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ill[h.Endpoint] = illness{e.healthOf(h), true}
		if ep := s.endpoints[h.Endpoint]; ep != nil {
			s.inherit(ep)
		}
	})
}

func (e *Engine) shardOf(hash uint32) *Shard {
	return e.shards[int(event.Partition(hash, e.partitions))%len(e.shards)]
}

// Close refuses new submissions and waits for those on their way.
func (e *Engine) Close() {
	e.gate.Lock()
	defer e.gate.Unlock()
	e.closed = true
}

// Stop stops delivering, in the order of the data:
//
//	no new submissions ─► no new attempts ─► attempts in flight end, or are
//	cancelled when ctx ends ─► their outcomes are durable
//
// A cancelled attempt is no attempt: its delivery is found again at the next
// start. A second Stop does nothing.
func (e *Engine) Stop(ctx context.Context) error {
	var err error
	e.halted.Do(func() { err = e.halt(ctx) })
	return err
}

func (e *Engine) halt(ctx context.Context) error {
	e.Close()
	if e.unwatch != nil {
		e.unwatch()
	}
	for _, s := range e.shards {
		s.drain()
	}
	for _, s := range e.shards {
		select {
		case <-s.idle:
		case <-ctx.Done():
			e.o.Sender.Cancel()
			<-s.idle
		}
	}
	close(e.stop)
	e.loops.Wait()
	return errors.Join(e.pool.Stop(10*time.Second), e.mark(), e.o.Store.Flush())
}

// Health is what an endpoint's owner may want to know: the state of its circuit
// breaker, and how many attempts in a row failed. It takes a shard's lock for a
// moment. Any goroutine.
func (e *Engine) Health(endpoint event.ID) (state breaker.State, failures int) {
	s := e.shardOf(event.EndpointHash(endpoint))
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.ill[endpoint].health
	if ep := s.endpoints[endpoint]; ep != nil {
		h = ep.health
	}
	if h == nil {
		return breaker.Closed, 0
	}
	return h.breaker.State(time.Now()), h.failures
}

// Stats is what the engine holds at the moment.
type Stats struct {
	QueuedBytes int64 // memory of deliveries that wait
	Queued      int   // deliveries that wait in memory
	InFlight    int   // attempts on their way
	Workers     int
	Behind      int // endpoints that read from the log
	Endpoints   int // endpoints with something to do
}

// Stats adds up the shards. It may be called from any goroutine; it takes each
// shard's lock for a moment.
func (e *Engine) Stats() Stats {
	st := Stats{QueuedBytes: e.queued.Load()}
	for _, s := range e.shards {
		s.addStats(&st)
	}
	return st
}
