package engine

import (
	"sync"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/internal/wheel"
)

// wheelTick is how late a rate token may come.
const wheelTick = time.Millisecond

// retryPace is how often an endpoint's timers are read at most, unless more are due
// than it has room for, and so how late a retry may come. Each reading looks through
// the whole store; an endpoint that fails a thousand times a second has as many due.
const retryPace = 25 * time.Millisecond

// unknownPlace is the recorded place of an endpoint that recovery found behind.
// The log may have a record of that or not; the next mark writes it.
var unknownPlace = event.ID{0xFF}

// Shard owns the endpoints of some partitions. Its state is guarded by mu,
// which is held for a few map and queue operations and never over I/O. Three
// kinds of goroutine come by: the log's committer with new deliveries, workers
// that end an attempt and fetch the next, and the shard's own loop, which turns
// the wheel and reads the log.
type Shard struct {
	e *Engine

	mu        sync.Mutex
	endpoints map[event.ID]*endpoint
	ill       map[event.ID]illness // of endpoints without a state
	ready     ring[*endpoint]      // have something to send, and may
	reads     ring[*endpoint]      // want to be read from the log
	active    []*endpoint          // have had something to do since the last mark
	wheel     *wheel.Wheel[alarm]
	fed       uint64 // ms of the newest delivery that the log handed over

	manual manual
	keep   keep

	workers  int // running
	busy     busyList
	lag      time.Duration // how late the loop's last alarm was
	looking  bool          // the loop looks at the workers every lookEvery
	inFlight int
	draining bool
	idle     chan struct{} // closed when draining and no worker runs

	poke chan struct{} // wakes the loop; one pending wake-up is enough
}

func newShard(e *Engine, _ int) *Shard {
	s := &Shard{
		e:         e,
		endpoints: make(map[event.ID]*endpoint),
		ill:       make(map[event.ID]illness),
		wheel:     wheel.New[alarm](wheelTick, time.Now()),
		idle:      make(chan struct{}),
		poke:      make(chan struct{}, 1),
	}
	s.keep.init(e.o.QueueBytes / keepShare / int64(e.o.Shards))
	return s
}

// endpoint finds an endpoint's state, or makes one. The caller holds mu.
func (s *Shard) endpoint(id event.ID) *endpoint {
	ep := s.endpoints[id]
	if ep == nil {
		ep = &endpoint{id: id}
		ep.token.Value = alarm{ep, alarmToken}
		ep.retry.Value = alarm{ep, alarmRetry}
		s.inherit(ep)
		s.endpoints[id] = ep
	}
	return ep
}

// inherit gives an endpoint the health that is remembered of it. The caller holds
// mu.
func (s *Shard) inherit(ep *endpoint) {
	if i, ill := s.ill[ep.id]; ill {
		ep.health, ep.recorded = i.health, i.recorded
		delete(s.ill, ep.id)
	}
}

// forget drops an endpoint's state, but for its health. The caller holds mu.
func (s *Shard) forget(ep *endpoint, now time.Time) {
	delete(s.endpoints, ep.id)
	if ep.health != nil && !ep.health.needless(now) || ep.recorded {
		s.ill[ep.id] = illness{ep.health, ep.recorded}
	}
}

// activate puts the endpoint on the list that the next mark looks at. The
// caller holds mu.
func (s *Shard) activate(ep *endpoint) {
	if !ep.active {
		ep.active = true
		s.active = append(s.active, ep)
	}
}

// offer takes a new delivery from the log: into memory if there is room, else
// the endpoint is behind and reads it later. The caller holds mu.
func (s *Shard) offer(d *event.Delivery, a *arrival) {
	ep := s.endpoint(d.EndpointID)
	s.activate(ep)
	if !ep.behind && (ep.queue.len() >= s.window(ep) || s.e.queued.Load() >= s.e.o.QueueBytes) {
		ep.behind, ep.cursor = true, event.Before(d.ID)
		s.e.o.Hooks.Behind(1)
	}
	if ep.behind {
		ep.tail = d.ID
		s.wantRead(ep)
		return
	}
	ep.cursor = d.ID
	s.push(ep, a.job(d))
}

// push queues a job. The caller holds mu.
func (s *Shard) push(ep *endpoint, j job) {
	s.weigh(ep, &j)
	ep.queue.pushBack(j)
	s.activate(ep)
	s.list(ep)
}

// weigh counts a job that goes into a queue, and its memory. The caller holds mu.
func (s *Shard) weigh(ep *endpoint, j *job) {
	n := j.bytes()
	if j.fresh() {
		ep.fresh++
	}
	if p := j.shared; p != nil {
		if p.queued == 0 {
			n += p.ev.SizeBytes()
		}
		p.queued++
	}
	s.e.queued.Add(n)
}

// unweigh undoes weigh for a job that comes out of its queue. The caller holds mu.
func (s *Shard) unweigh(ep *endpoint, j *job) {
	n := j.bytes()
	if j.fresh() {
		ep.fresh--
	}
	if p := j.shared; p != nil {
		p.queued--
		if p.queued == 0 {
			n += p.ev.SizeBytes()
		}
	}
	s.e.queued.Add(-n)
}

// list puts the endpoint in the ready queue if it may send, and keeps the count
// of what is ready. It ends every change of an endpoint's queue. The caller holds
// mu.
func (s *Shard) list(ep *endpoint) {
	if !ep.listed && ep.queue.len() > 0 && ep.free() {
		ep.listed = true
		s.ready.pushBack(ep)
	}
	ready := 0
	if ep.listed {
		ready = ep.fresh
	}
	if ready != ep.ready {
		s.e.pace.add(ready - ep.ready)
		ep.ready = ready
	}
}

// free reports whether nothing that is known keeps the endpoint from sending.
func (ep *endpoint) free() bool {
	return (ep.slots == 0 || ep.inFlight < ep.slots) && !ep.token.Active() && !ep.held && !ep.probing
}

// wantRead asks the loop to read the endpoint's deliveries or timers once half
// of its window is free. The caller holds mu.
func (s *Shard) wantRead(ep *endpoint) {
	if ep.reading || ep.resting || ep.asleep() || ep.queue.len() > s.window(ep)/2 {
		return
	}
	if ep.queue.len() > 0 && s.e.queued.Load() >= s.e.o.QueueBytes {
		return
	}
	ep.reading = true
	s.activate(ep)
	s.reads.pushBack(ep)
	s.wake()
}

func (s *Shard) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// next gives w the next job whose endpoint may send: endpoints take turns, and
// one that waits for its rate token costs nobody anything. A job whose endpoint is
// gone, or takes nothing any more, comes with the reason. The caller holds mu.
func (s *Shard) next(w *worker, snap *catalog.Snapshot, now time.Time) bool {
	for s.ready.len() > 0 {
		ep := s.ready.popFront()
		ep.listed = false
		if ep.queue.len() == 0 { // it was spilled meanwhile
			continue
		}
		w.aim(snap, ep)
		if w.reason == "" && !s.admit(ep, w.target, w.project, now) {
			s.list(ep)
			continue
		}
		w.job, w.ep = ep.queue.popFront(), ep
		s.unweigh(ep, &w.job)
		ep.inFlight++
		s.inFlight++
		ep.flying = append(ep.flying, flight{w.job.d.ID, w.job.timed})
		s.list(ep)
		return true
	}
	return false
}

// aim looks up whom the endpoint's next job is for.
func (w *worker) aim(snap *catalog.Snapshot, ep *endpoint) {
	w.target, w.project = snap.Endpoint(ep.id), nil
	if w.target != nil {
		w.project = snap.Project(w.target.ProjectID)
	}
	w.reason = barred(w.target, w.project, ep.queue.at(0).d.Manual)
}

// refill asks for more from the log as the endpoint's queue runs low. The
// caller holds mu.
func (s *Shard) refill(ep *endpoint) {
	if ep.behind || ep.next != 0 && !ep.retry.Active() {
		s.wantRead(ep)
	}
}

// armRetry makes sure that the endpoint's timers are read when the first is due.
// The caller holds mu.
func (s *Shard) armRetry(ep *endpoint, due uint64) {
	if ep.next == 0 || due < ep.next {
		ep.next = due
		s.setRetry(ep)
	}
}

// setRetry sets the alarm for the next timer. The wheel follows the monotonic
// clock, and due times the log's, which may be set ahead meanwhile: so the alarm
// is a time from now. The caller holds mu.
func (s *Shard) setRetry(ep *endpoint) {
	at := time.Now().Add(time.UnixMilli(int64(ep.next)).Sub(s.e.now()))
	s.wheel.Add(&ep.retry, later(at, ep.emptied.Add(retryPace)))
	s.wake()
}

// recoverBehind sets up an endpoint that has unattempted deliveries in the log.
// The caller holds mu.
func (s *Shard) recoverBehind(b event.Behind) {
	ep := s.endpoint(b.Endpoint)
	ep.behind, ep.cursor, ep.tail = true, b.After, s.e.o.Store.Horizon(b.Endpoint)
	ep.marked = unknownPlace
	s.e.o.Hooks.Behind(1)
	s.wantRead(ep)
}

// drain makes workers end when they are done with their attempt.
func (s *Shard) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	s.closeIfIdle()
}

func (s *Shard) closeIfIdle() {
	if !s.draining || s.workers > 0 {
		return
	}
	select {
	case <-s.idle:
	default:
		close(s.idle)
	}
}

func (s *Shard) addStats(st *Stats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st.InFlight += s.inFlight
	st.Workers += s.workers
	st.Endpoints += len(s.endpoints)
	for _, ep := range s.active {
		st.Queued += ep.queue.len()
		if ep.behind {
			st.Behind++
		}
	}
}
