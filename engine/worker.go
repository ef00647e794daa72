package engine

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// localPause is how long an endpoint rests after an attempt that failed on this
// machine, such as when sockets ran out.
const localPause = time.Second

// mostPanics is how often a delivery may make a worker panic beside the sending before it
// is given up.
const mostPanics = 5

// worker is what one worker carries from attempt to attempt.
type worker struct {
	job    job
	ep     *endpoint
	target *catalog.Endpoint // nil: the endpoint was deleted
	// project is the target's; nil: it was deleted.
	project *catalog.Project
	reason  string // why the job is discarded; "" if it is sent
	// again: the attempt does not count; the job is queued again, after a pause.
	again   bool
	settled bool // the job's outcome is written
	ails    bool // the attempt is one of those in the ward

	// The shard's list of attempts in flight, see busyList.
	started    time.Time
	slow       bool
	prev, next *worker

	attempt    event.Attempt
	settlement event.Settlement
}

var workers = sync.Pool{New: func() any { return new(worker) }}

// work runs on a goroutine of the pool: it makes one attempt after the other as
// long as the shard has some.
func (s *Shard) work() {
	w := workers.Get().(*worker)
	defer workers.Put(w)
	for more := s.turn(w, false); more; more = s.turn(w, true) {
		w.again = s.attemptOrAgain(w)
	}
	w.job, w.ep, w.target, w.project = job{}, nil, nil, nil
}

// turn hands in the job that w carries, if it has finished one, and fetches the
// next. When there is none the worker is off the shard's books and must end.
func (s *Shard) turn(w *worker, finished bool) bool {
	snap := s.e.o.Catalog.Snapshot()
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if finished {
		s.finish(w, now)
	}
	if !s.still() && s.workers <= s.allowed() && s.next(w, snap, now) {
		s.busy.add(w, now)
		s.start()
		return true
	}
	s.workers--
	s.start() // what is ready must not wait for those that are held up
	s.closeIfIdle()
	return false
}

// still reports whether no attempt may begin. The caller holds mu.
func (s *Shard) still() bool { return s.draining || s.e.full.held.Load() }

// finish takes a job off the books. Its outcome is in the log by now. The
// caller holds mu.
func (s *Shard) finish(w *worker, now time.Time) {
	ep := w.ep
	ep.inFlight--
	s.inFlight--
	s.busy.remove(w)
	ep.landed(w.job.d.ID)
	s.manual.landed(w.job.d.ID)
	if w.ails {
		s.ward.inside--
	}
	s.examine(w, now)
	ep.discharge()
	if w.again {
		s.weigh(ep, &w.job)
		ep.queue.pushFront(w.job)
		s.nap(ep, now, localPause)
	}
	if ep.held || ep.mustRest(now) >= spillAfter {
		s.spill(ep)
	}
	s.list(ep)
	s.refill(ep)
	if ep.gone {
		s.tellLeft()
	}
}

// start starts a worker if there is work for one more. Each worker that finds
// more work than its own starts the next. The caller holds mu.
func (s *Shard) start() {
	if !s.hasWork() || s.still() {
		return
	}
	if s.workers < s.allowed() {
		full := s.e.pool.Invoke(s) != nil
		s.e.pace.off.Store(full)
		if !full {
			s.workers++
			return
		}
	}
	if !s.looking { // the loop is to see whether the workers are held up
		s.looking = true
		s.wake()
	}
}

// attemptOrAgain is attempt; a panic in it that is not the sending's own leaves
// the books in order: the job is queued again unless its outcome is written.
func (s *Shard) attemptOrAgain(w *worker) (again bool) {
	defer func() {
		if p := recover(); p != nil {
			s.e.o.Logger.Error().Str("delivery", w.job.d.ID.String()).Interface("panic", p).Bytes("stack", debug.Stack()).Bool("again", !w.settled).Msg("a worker panicked beside the sending")
			again = !w.settled
			w.job.panics = min(w.job.panics+1, mostPanics)
		}
	}()
	w.settled = false
	again = s.attempt(w)
	w.settlement.Type, w.settlement.Event = "", nil // a worker that rests keeps no event
	return again
}

// attempt makes one attempt and settles it. It reports whether the job has to
// be queued again because the attempt does not count.
func (s *Shard) attempt(w *worker) (again bool) {
	e, j, st := s.e, &w.job, &w.settlement
	*st = event.Settlement{Delivery: j.d, Was: j.d.Status}
	if j.timed {
		st.Timer = j.d.Due
	}
	if j.ev != nil {
		st.Type, st.Event = j.ev.Type, j.ev
	}
	if w.reason != "" {
		s.dismiss(w, event.Discarded, w.reason)
		return false
	}
	if j.panics == mostPanics {
		s.dismiss(w, event.Failure, "handling it failed again and again, through no fault of the endpoint; the server's log says how")
		return false
	}
	a := &w.attempt
	if j.d.AtMostOnce {
		if !s.forewarn(st) { // then nothing was sent
			return true
		}
		w.settled = true // whatever happens now
	}
	e.send(j, w.project, w.target, a)
	if !a.Class.Charged() {
		if a.Class == event.ClassLocal {
			e.o.Hooks.Attempted(a.Class.String(), a.Duration)
			e.o.Hooks.Local(a.Error)
		}
		return !j.d.AtMostOnce || s.afterwarn(w)
	}
	now := e.now()
	st.Attempt = a
	if j.ev != nil { // it may have been read for the attempt
		st.Type, st.Event = j.ev.Type, j.ev
	}
	st.Delivery = decide(j.d, w.target.Policy(w.project), a, now, rand.Uint32())
	s.settle(st, j.ev)
	w.settled = true
	e.report(a, &st.Delivery, now)
	if a.Class == event.ClassBlocked {
		e.o.Hooks.Blocked(w.project, w.target, a.Error)
	}
	e.tellDelivery(w.project, &st.Delivery, a)
	return false
}

// send makes one attempt. A panic in it is recorded as the attempt's end, and
// is charged, so that a delivery that always panics comes to an end too.
func (e *Engine) send(j *job, p *catalog.Project, target *catalog.Endpoint, a *event.Attempt) {
	*a = event.Attempt{
		DeliveryID: j.d.ID, EndpointID: target.ID, Number: j.d.Attempts + 1, Manual: j.d.Manual, URL: target.URL,
		RequestHeaders: a.RequestHeaders[:0], ResponseHeaders: a.ResponseHeaders[:0], ResponseBody: a.ResponseBody[:0],
		StartedAt: time.Now().UTC(),
	}
	defer func() {
		if p := recover(); p != nil {
			a.Class, a.StatusCode, a.Error = event.ClassMalformed, 0, fmt.Sprint("internal error: ", p)
			e.o.Logger.Error().Str("delivery", j.d.ID.String()).Interface("panic", p).Bytes("stack", debug.Stack()).Msg("an attempt panicked")
		}
	}()
	if j.ev == nil {
		ev, err := e.o.Store.Event(j.d.ProjectID, j.d.EventID)
		if err != nil {
			a.Class, a.Error = event.ClassLocal, "the event cannot be read: "+err.Error()
			if errors.Is(err, event.ErrNotFound) {
				a.Class = event.ClassMalformed // it will not come back: the delivery is to end
			}
			e.o.Logger.Error().Err(err).Str("delivery", j.d.ID.String()).Msg("an event cannot be read back")
			return
		}
		j.ev = ev
	}
	ev, err := e.transformed(target, &j.d, j.ev)
	if err != nil {
		a.Class, a.Error = functionClass(err), err.Error()
		return
	}
	e.o.Sender.Attempt(p, target, &j.d, ev, a)
}

// dismiss ends a delivery without an attempt.
func (s *Shard) dismiss(w *worker, as event.Status, reason string) {
	st := &w.settlement
	st.Delivery.Status, st.Delivery.Reason = as, reason
	st.Delivery.UpdatedAt, st.Delivery.Due = s.e.now(), time.Time{}
	s.settle(st, nil)
	w.settled = true
	if w.project != nil {
		s.e.tellDelivery(w.project, &st.Delivery, nil)
	}
	s.e.o.Hooks.Terminal(as.String(), age(st.Delivery.ID, st.Delivery.UpdatedAt))
}

// settle hands an outcome to the log. ev is the delivery's event, nil if it is not at
// hand.
func (s *Shard) settle(st *event.Settlement, ev *event.Event) {
	if st.Delivery.Status == event.Retry {
		s.mu.Lock()
		s.announceLocked(st)
		s.keepEvent(&st.Delivery, ev)
		s.mu.Unlock()
	}
	if err := s.e.o.Store.Settle(st); err != nil {
		// The log is closed or broken: nothing more will be written, and the
		// delivery is found again at the next start.
		s.e.o.Logger.Error().Err(err).Str("delivery", st.Delivery.ID.String()).Msg("an outcome was not written; the delivery will be repeated")
	}
}

// announceLocked tells the endpoint's state of a retry that is about to be handed
// to the log: until the log says that it can be read, the timers are not read
// past it. One that is due where they have been read already, because the clock
// was set back or the process did not run, is put off to just behind.
func (s *Shard) announceLocked(st *event.Settlement) (due uint64) {
	ep := s.endpoint(st.Delivery.EndpointID)
	due = uint64(st.Delivery.Due.UnixMilli())
	if due <= ep.readTo {
		due = ep.readTo + 1
		st.Delivery.Due = time.UnixMilli(int64(due)).UTC()
	}
	ep.soon = append(ep.soon, due)
	return due
}

var statusClasses = [...]string{"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"}

func (e *Engine) report(a *event.Attempt, d *event.Delivery, now time.Time) {
	result := a.Class.String()
	if a.Class == event.ClassNone || a.Class == event.ClassStatus {
		result = statusClasses[max(0, min(5, a.StatusCode/100))]
	}
	e.o.Hooks.Attempted(result, a.Duration)
	if !d.Status.Owed() {
		e.o.Hooks.Terminal(d.Status.String(), age(d.ID, now))
	}
}
