package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
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

	sink *Engine // set before the first write

	// What a test may set before the first write.
	delay   func() time.Duration // from readable to durable
	reading func()               // called by each read, without the lock
	broken  func(op string) error

	reads int // ReadOwed and ReadTimers so far
}

// group is what becomes durable at once, or not at all.
type group struct {
	writes  []func(*state)
	events  [][]event.Submission
	timers  []event.Timer
	waiters []chan error
}

func (g *group) empty() bool { return len(g.writes) == 0 && len(g.waiters) == 0 }

// state is what the log holds.
type state struct {
	events    map[event.ID]*event.Event
	rows      map[event.ID]*row
	owed      map[event.ID][]*row // by endpoint, by id
	timers    map[event.ID][]timer
	behind    map[event.ID]event.ID
	watermark uint64
	marks     int
	wrong     []string // promises that the engine broke
}

type row struct {
	created  event.Delivery
	now      event.Delivery
	outcomes int
}

type timer struct {
	due uint64
	id  event.ID
	d   event.Delivery
}

func compareTimers(a, b timer) int {
	return cmp.Or(cmp.Compare(a.due, b.due), a.id.Compare(b.id))
}

func newState() *state {
	return &state{
		events: make(map[event.ID]*event.Event), rows: make(map[event.ID]*row), owed: make(map[event.ID][]*row),
		timers: make(map[event.ID][]timer), behind: make(map[event.ID]event.ID),
	}
}

// newStore makes a log that holds the groups of another.
func newStore(journal []*group) *fakeStore {
	f := &fakeStore{
		pending: &group{}, journal: slices.Clip(journal), durable: len(journal), state: newState(),
		seq: rand.Uint64N(1 << 40), done: make(chan struct{}),
	}
	f.changed = sync.NewCond(&f.mu)
	for _, g := range journal {
		g.apply(f.state)
	}
	f.clock = max(f.state.watermark, 1)
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
		if len(g.events) > 0 {
			f.sink.Committed(g.events)
		}
		if len(g.timers) > 0 {
			f.sink.Waiting(g.timers)
		}
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
	f.clock = max(f.clock, uint64(time.Now().UnixMilli()))
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
	stored.Owed = nil
	f.pending.writes = append(f.pending.writes, func(st *state) { st.add(&stored, owed) })
}

func (st *state) add(ev *event.Event, owed []event.Delivery) {
	st.events[ev.ID] = ev
	for i := range owed {
		r := &row{created: owed[i], now: owed[i]}
		st.rows[r.now.ID] = r
		st.owed[r.now.EndpointID] = append(st.owed[r.now.EndpointID], r)
	}
}

func (f *fakeStore) Settle(s *event.Settlement) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(); err != nil {
		return err
	}
	c := *s
	number := 0
	if s.Attempt != nil {
		number = s.Attempt.Number
	}
	f.pending.writes = append(f.pending.writes, func(st *state) { st.settle(&c, number) })
	if c.Delivery.Status == event.Retry {
		f.pending.timers = append(f.pending.timers, event.Timer{Endpoint: c.Delivery.EndpointID, DueMilli: uint64(c.Delivery.Due.UnixMilli())})
	}
	f.changed.Broadcast()
	return nil
}

// settle applies an outcome, and notes what no engine may do.
func (st *state) settle(s *event.Settlement, number int) {
	d := s.Delivery
	r := st.rows[d.ID]
	switch {
	case r == nil:
		st.complain("%s was settled and never created", d.ID)
		return
	case !r.now.Status.Owed():
		st.complain("%s was settled as %s after its end, %s", d.ID, d.Status, r.now.Status)
	case number != 0 && number != r.now.Attempts+1:
		st.complain("%s: attempt %d after %d", d.ID, number, r.now.Attempts)
	case s.Was != r.now.Status:
		st.complain("%s was %s, not %s", d.ID, r.now.Status, s.Was)
	case s.Timer.IsZero() != (r.now.Status != event.Retry):
		st.complain("%s: timer %s in state %s", d.ID, s.Timer, r.now.Status)
	}
	r.outcomes++
	r.now = d
	st.moveTimer(s)
}

func (st *state) moveTimer(s *event.Settlement) {
	list := st.timers[s.Delivery.EndpointID]
	if !s.Timer.IsZero() {
		i, found := slices.BinarySearchFunc(list, timer{due: uint64(s.Timer.UnixMilli()), id: s.Delivery.ID}, compareTimers)
		if found {
			list = slices.Delete(list, i, i+1)
		} else {
			st.complain("%s: no timer at %s", s.Delivery.ID, s.Timer)
		}
	}
	if s.Delivery.Status == event.Retry {
		due := uint64(s.Delivery.Due.UnixMilli())
		e := timer{due: due, id: s.Delivery.ID, d: s.Delivery}
		e.d.Due = time.UnixMilli(int64(due)).UTC()
		i, _ := slices.BinarySearchFunc(list, e, compareTimers)
		list = slices.Insert(list, i, e)
	}
	st.timers[s.Delivery.EndpointID] = list
}

func (st *state) complain(format string, args ...any) {
	st.wrong = append(st.wrong, fmt.Sprintf(format, args...))
}

func (f *fakeStore) SetMark(m event.Mark) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(); err != nil {
		return err
	}
	m.Behind, m.CaughtUp = slices.Clone(m.Behind), slices.Clone(m.CaughtUp)
	f.pending.writes = append(f.pending.writes, func(st *state) { st.mark(m) })
	f.changed.Broadcast()
	return nil
}

// mark applies a mark, and notes a delivery that it gives up.
func (st *state) mark(m event.Mark) {
	st.marks++
	if m.Watermark != 0 {
		st.watermark = m.Watermark
	}
	for _, b := range m.Behind {
		st.behind[b.Endpoint] = b.After
	}
	for _, ep := range m.CaughtUp {
		delete(st.behind, ep)
	}
	for ep, rows := range st.owed {
		for _, r := range rows {
			if r.created.ID.Time() >= st.watermark {
				break
			}
			after, behind := st.behind[ep]
			if r.outcomes == 0 && r.now.Status.Owed() && !(behind && r.created.ID.Compare(after) > 0) {
				st.complain("the mark %d gave up %s of %d", st.marks, r.created.ID, r.created.ID.Time())
				return
			}
		}
	}
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

// read is called at the start of each read; it leaves mu locked unless it fails.
func (f *fakeStore) read(op string) error {
	if f.reading != nil {
		f.reading()
	}
	if f.broken != nil {
		if err := f.broken(op); err != nil {
			return err
		}
	}
	f.mu.Lock()
	if op != "event" {
		f.reads++
	}
	return nil
}

func (f *fakeStore) Event(_, id event.ID) (*event.Event, error) {
	if err := f.read("event"); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	ev := f.state.events[id]
	if ev == nil {
		return nil, event.ErrNotFound
	}
	c := *ev
	return &c, nil
}

func (f *fakeStore) ReadOwed(dst []event.Delivery, endpoint, after, upTo event.ID, limit int) ([]event.Delivery, event.ID, error) {
	if err := f.read("owed"); err != nil {
		return dst, after, err
	}
	defer f.mu.Unlock()
	if limit <= 0 {
		f.state.complain("ReadOwed with limit %d", limit)
	}
	rows := f.state.owed[endpoint]
	i, found := slices.BinarySearchFunc(rows, after, func(r *row, id event.ID) int { return r.created.ID.Compare(id) })
	if found {
		i++
	}
	const maxScanned = 512
	last := after
	for looked := 0; i < len(rows) && rows[i].created.ID.Compare(upTo) <= 0; i, looked = i+1, looked+1 {
		if limit == 0 || looked == maxScanned {
			return dst, last, nil
		}
		last = rows[i].created.ID
		if rows[i].outcomes == 0 && rows[i].created.Status.Owed() {
			dst = append(dst, rows[i].created)
			limit--
		}
	}
	if limit == 0 {
		return dst, last, nil
	}
	return dst, upTo, nil
}

func (f *fakeStore) ReadTimers(dst []event.Delivery, endpoint event.ID, afterDue uint64, afterID event.ID, until uint64, limit int) ([]event.Delivery, uint64, error) {
	if err := f.read("timers"); err != nil {
		return dst, 0, err
	}
	defer f.mu.Unlock()
	if limit <= 0 {
		f.state.complain("ReadTimers with limit %d", limit)
	}
	list := f.state.timers[endpoint]
	i, found := slices.BinarySearchFunc(list, timer{due: afterDue, id: afterID}, compareTimers)
	if found {
		i++
	}
	for ; i < len(list); i++ {
		if list[i].due > until || limit == 0 {
			return dst, list[i].due, nil
		}
		dst = append(dst, list[i].d)
		limit--
	}
	return dst, 0, nil
}

func (f *fakeStore) Recover(owns func(uint16) bool, behind func(event.Behind), timer func(event.Timer)) error {
	first, newest := f.recoverDeliveries()
	f.mu.Lock()
	f.horizon = max(f.clock, newest)
	f.clock = f.horizon + 1
	var timers []event.Timer
	for ep, list := range f.state.timers {
		if len(list) > 0 {
			timers = append(timers, event.Timer{Endpoint: ep, DueMilli: list[0].due})
		}
	}
	f.mu.Unlock()
	for ep, after := range first {
		behind(event.Behind{Endpoint: ep, After: after})
	}
	for _, t := range timers {
		timer(t)
	}
	return nil
}

func (f *fakeStore) recoverDeliveries() (first map[event.ID]event.ID, newest uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first = make(map[event.ID]event.ID)
	for ep, after := range f.state.behind {
		first[ep] = after
	}
	for ep, rows := range f.state.owed {
		for _, r := range rows {
			id := r.created.ID
			if id.Time() < f.state.watermark {
				continue
			}
			newest = max(newest, id.Time())
			if r.outcomes > 0 || !r.created.Status.Owed() {
				continue
			}
			if after, known := first[ep]; !known || id.Compare(after) <= 0 {
				first[ep] = before(id)
			}
		}
	}
	return first, newest
}

func (f *fakeStore) Horizon(endpoint event.ID) event.ID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return event.DeliveryID(f.horizon, event.EndpointHash(endpoint), event.MaxDeliverySeq)
}

func (f *fakeStore) Partitions() int { return testPartitions }

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

func (f *fakeStore) complaints() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.state.wrong)
}
