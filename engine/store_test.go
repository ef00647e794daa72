package engine

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"posthaste/event"
)

var errCrashed = errors.New("the log crashed")

const testPartitions = 16

// fakeStore is a log in memory with the promises of the real one. Writes gather
// in a group; one goroutine makes a group readable, then, after a delay, durable,
// and then tells those who wait and the engine.
type fakeStore struct {
	mu      sync.Mutex
	changed *sync.Cond
	pending *group
	journal []*group // in commit order; those from durable on are lost in a crash, or not
	durable int
	state   *state // what can be read
	clock   uint64
	seq     uint64
	horizon uint64
	closed  bool
	crashed bool
	done    chan struct{}

	sink  sink         // set before the first write
	ahead atomic.Int64 // of the bubble's clock, ns

	// What a test may set before the first write.
	delay    func() time.Duration    // from readable to durable
	between  time.Duration           // from durable, which those who wait are told, to handed to the engine
	reading  func()                  // called by each read, without the lock
	settling func(*event.Settlement) // called by each Settle, without the lock
	broken   func(op string) error

	reads int // ReadOwed and ReadTimers so far
}

// sink is what the log hands on to: an engine, or several.
type sink interface {
	Committed(groups [][]event.Submission)
	Waiting(timers []event.Timer)
}

// group is what becomes durable at once, or not at all.
type group struct {
	writes  []func(*state)
	events  [][]event.Submission
	timers  []event.Timer
	waiters []chan error
}

func (g *group) empty() bool { return len(g.writes) == 0 && len(g.waiters) == 0 }

// newStore makes a log that holds the groups of another.
func newStore(journal []*group) *fakeStore { return newStoreOf(journal, testPartitions) }

func newStoreOf(journal []*group, partitions int) *fakeStore {
	f := &fakeStore{
		pending: &group{}, journal: slices.Clip(journal), durable: len(journal), state: newState(partitions),
		seq: rand.Uint64N(1 << 40), done: make(chan struct{}),
	}
	f.changed = sync.NewCond(&f.mu)
	for _, g := range journal {
		g.apply(f.state)
	}
	f.clock = max(f.state.newestMark(), 1)
	go f.commitLoop()
	return f
}

func (g *group) apply(st *state) {
	for _, write := range g.writes {
		write(st)
	}
}

// crash ends the log. What was not durable by now is lost from a random place on.
// It returns what is left.
func (f *fakeStore) crash(r *rand.Rand) []*group {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crashed = true
	f.changed.Broadcast()
	return f.journal[:f.durable+r.IntN(len(f.journal)-f.durable+1)]
}

func (f *fakeStore) close() {
	f.mu.Lock()
	f.closed = true
	f.changed.Broadcast()
	f.mu.Unlock()
	<-f.done
}

func (f *fakeStore) commitLoop() {
	defer close(f.done)
	for g := f.take(); g != nil; g = f.take() {
		if f.delay != nil {
			time.Sleep(f.delay())
		}
		err := f.synced()
		for _, w := range g.waiters {
			w <- err
		}
		if err != nil {
			continue
		}
		time.Sleep(f.between)
		if len(g.events) > 0 {
			f.sink.Committed(g.events)
		}
		if len(g.timers) > 0 {
			f.sink.Waiting(g.timers)
		}
		g.events, g.timers, g.waiters = nil, nil, nil
	}
}

func (f *fakeStore) take() *group {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.pending.empty() && !f.closed {
		f.changed.Wait()
	}
	if f.pending.empty() {
		return nil
	}
	g := f.pending
	f.pending = &group{}
	if !f.crashed {
		g.apply(f.state)
		f.journal = append(f.journal, g)
	}
	return g
}

func (f *fakeStore) synced() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.crashed {
		return errCrashed
	}
	f.durable = len(f.journal)
	return nil
}

func (f *fakeStore) ready() error {
	if f.crashed {
		return errCrashed
	}
	if f.closed {
		return event.ErrClosed
	}
	return nil
}

func (f *fakeStore) Append(ctx context.Context, subs []event.Submission) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !slices.ContainsFunc(subs, func(s event.Submission) bool { return s.Err == nil }) {
		return nil
	}
	w := make(chan error, 1)
	if err := f.enqueue(subs, w); err != nil {
		return err
	}
	return <-w
}

func (f *fakeStore) enqueue(subs []event.Submission, w chan error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(); err != nil {
		return err
	}
	f.clock = max(f.clock, uint64(f.Now().UnixMilli()))
	for i := range subs {
		if subs[i].Err == nil && !subs[i].Duplicate {
			f.addEvent(&subs[i].Event)
		}
	}
	f.pending.waiters = append(f.pending.waiters, w)
	f.pending.events = append(f.pending.events, subs)
	f.changed.Broadcast()
	return nil
}

func (f *fakeStore) addEvent(ev *event.Event) {
	first := f.seq
	f.seq += uint64(len(ev.Owed) + 1)
	ev.ID = event.DeliveryID(f.clock, 7, first)
	for j := range ev.Owed {
		d := &ev.Owed[j]
		d.ID = event.DeliveryID(f.clock, event.EndpointHash(d.EndpointID), first+1+uint64(j))
		d.EventID, d.ProjectID = ev.ID, ev.ProjectID
		d.UpdatedAt = time.UnixMilli(int64(f.clock)).UTC()
	}
	stored, owed := *ev, slices.Clone(ev.Owed)
	stored.Owed, stored.Data = nil, slices.Clone(ev.Data)
	f.pending.writes = append(f.pending.writes, func(st *state) { st.add(&stored, owed) })
}

func (f *fakeStore) Settle(s *event.Settlement) error {
	if f.settling != nil {
		f.settling(s)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(); err != nil {
		return err
	}
	c := *s
	c.Attempt, c.Event, c.Type = nil, nil, "" // they are the engine's
	var made []event.Attempt                  // its byte fields are the engine's
	if s.Attempt != nil {
		made = []event.Attempt{{Number: s.Attempt.Number, Error: s.Attempt.Error}}
	}
	f.pending.writes = append(f.pending.writes, func(st *state) { st.settle(&c, made) })
	if c.Delivery.Status == event.Retry {
		f.pending.timers = append(f.pending.timers, event.Timer{Endpoint: c.Delivery.EndpointID, DueMilli: uint64(c.Delivery.Due.UnixMilli())})
	}
	f.changed.Broadcast()
	return nil
}

func (f *fakeStore) SetMark(m event.Mark) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(); err != nil {
		return err
	}
	m.Partitions = slices.Clone(m.Partitions)
	m.Behind, m.CaughtUp, m.Health = slices.Clone(m.Behind), slices.Clone(m.CaughtUp), slices.Clone(m.Health)
	f.pending.writes = append(f.pending.writes, func(st *state) { st.mark(m) })
	f.changed.Broadcast()
	return nil
}

func (f *fakeStore) Flush() error {
	w := make(chan error, 1)
	f.mu.Lock()
	if err := f.ready(); err != nil {
		f.mu.Unlock()
		return err
	}
	f.pending.waiters = append(f.pending.waiters, w)
	f.changed.Broadcast()
	f.mu.Unlock()
	return <-w
}

// counts says how many deliveries are in each state.
func (f *fakeStore) counts() map[event.Status]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := make(map[event.Status]int)
	for _, r := range f.state.rows {
		n[r.now.Status]++
	}
	return n
}

// owing is how many deliveries are not at their end.
func (f *fakeStore) owing() int {
	n := 0
	for status, count := range f.counts() {
		if status.Owed() {
			n += count
		}
	}
	return n
}

func (f *fakeStore) delivery(id event.ID) event.Delivery {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.rows[id].now
}

func (f *fakeStore) Delivery(project, id event.ID) (event.Delivery, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.state.rows[id]
	if r == nil || r.now.ProjectID != project {
		return event.Delivery{}, event.ErrNotFound
	}
	d := r.now
	d.Manual = false // a row does not say
	return d, nil
}

// ill lists what is remembered of endpoints.
func (f *fakeStore) ill() map[event.ID]event.Health {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.state.health)
}

func (f *fakeStore) complaints() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.state.wrong)
}

// placesBehind is how many endpoints have a place in the log.
func (f *fakeStore) placesBehind() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.state.behind)
}

func (f *fakeStore) marks() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.marks
}

func (f *fakeStore) watermark() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.watermark
}

// timesRead is how often deliveries and timers were asked for.
func (f *fakeStore) timesRead() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}

// data is what a delivery carries.
func (f *fakeStore) data(id event.ID) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return string(f.state.events[f.state.rows[id].now.EventID].Data)
}

// errorsOf lists the errors of a delivery's recorded attempts.
func (f *fakeStore) errorsOf(id event.ID) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state.rows[id].errors
}

func (f *fakeStore) events() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.state.events)
}
