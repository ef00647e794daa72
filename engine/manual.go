package engine

import (
	"context"
	"errors"
	"time"

	"posthaste/event"
)

// manualPatience is how long a retry that is asked for waits for one of the same
// delivery that is already on its way.
const manualPatience = 10 * time.Second

// manual is a shard's book of retries by hand. The shard's lock guards it.
//
// A delivery has one attempt to come at most. So one that waits for its automatic
// retry has that replaced: between the claim and the arrival of the new timer, any
// other timer of it that is read from the log is void.
type manual struct {
	claims map[event.ID]uint64        // due time of the new timer; 0: not known yet
	lands  map[event.ID]chan struct{} // closed when the delivery's next attempt has ended
}

// stands reports whether a timer that was read is the one that counts.
func (m *manual) stands(d *event.Delivery) bool {
	if len(m.claims) == 0 {
		return true
	}
	due, claimed := m.claims[d.ID]
	if !claimed {
		return true
	}
	if uint64(d.Due.UnixMilli()) != due {
		return false
	}
	delete(m.claims, d.ID)
	return true
}

func (m *manual) claim(id event.ID) {
	if m.claims == nil {
		m.claims = make(map[event.ID]uint64)
	}
	m.claims[id] = 0
}

// landing is closed when the delivery's next attempt has ended.
func (m *manual) landing(id event.ID) <-chan struct{} {
	ch := m.lands[id]
	if ch == nil {
		if m.lands == nil {
			m.lands = make(map[event.ID]chan struct{})
		}
		ch = make(chan struct{})
		m.lands[id] = ch
	}
	return ch
}

func (m *manual) landed(id event.ID) {
	if len(m.lands) == 0 {
		return
	}
	if ch := m.lands[id]; ch != nil {
		close(ch)
		delete(m.lands, id)
	}
}

// Retry makes another attempt of each delivery due now: of those that failed or
// were discarded, of those that wait for a retry, which this one replaces, and,
// with force, of those that succeeded instead. It returns when that is durable, with
// an error for each delivery, nil for done: event.ErrNotFound, or a StateError that
// says why the delivery or its endpoint is not in a state to be retried. An endpoint
// that is inactive becomes pending. A delivery of which an attempt is on its way,
// or asked for, is waited for. Any goroutine.
func (e *Engine) Retry(ctx context.Context, project event.ID, deliveries []event.ID, force bool) []error {
	e.gate.RLock()
	defer e.gate.RUnlock()
	r := retrial{e: e, ctx: ctx, project: project, force: force, errs: make([]error, len(deliveries))}
	if e.closed {
		return r.failAll(event.ErrClosed)
	}
	for i, id := range deliveries {
		r.claim(i, id)
	}
	// What ended before the claims can be read after this.
	if err := r.flush(); err != nil {
		return r.failAll(err)
	}
	// First the endpoints that are inactive: one that fails meanwhile stays so.
	r.each(r.allow)
	r.each(r.again)
	if err := r.flush(); err != nil {
		return r.failAll(err)
	}
	return r.errs
}

// retrial is one call of Retry.
type retrial struct {
	e       *Engine
	ctx     context.Context
	project event.ID
	force   bool
	claimed []claim
	errs    []error
}

type claim struct {
	index    int // into errs
	s        *Shard
	id       event.ID
	ep       event.ID
	d        event.Delivery // as it was, once it is allowed
	released bool
}

func (r *retrial) flush() error {
	if len(r.claimed) == 0 {
		return nil
	}
	return r.e.o.Store.Flush()
}

// each does a step for all that is still claimed.
func (r *retrial) each(step func(*claim) error) {
	for i := range r.claimed {
		c := &r.claimed[i]
		if c.released {
			continue
		}
		if err := step(c); err != nil {
			r.errs[c.index] = err
			r.release(c)
		}
	}
}

func (r *retrial) failAll(err error) []error {
	for i := range r.claimed {
		if !r.claimed[i].released {
			r.release(&r.claimed[i])
		}
	}
	for i := range r.errs {
		r.errs[i] = err
	}
	return r.errs
}

// claim claims a delivery, unless its attempt is about to be made anyway.
func (r *retrial) claim(i int, id event.ID) {
	d, err := r.e.o.Store.Delivery(r.project, id)
	if err == nil {
		err = r.checkEndpoint(d.EndpointID)
	}
	if err != nil {
		r.errs[i] = err
		return
	}
	c := claim{index: i, s: r.e.shardOf(event.DeliveryEndpointHash(id)), id: id, ep: d.EndpointID}
	patience := time.NewTimer(manualPatience)
	defer patience.Stop()
	for {
		ready, wait := c.s.claim(c.ep, id)
		if ready {
			return
		}
		if wait == nil {
			r.claimed = append(r.claimed, c)
			return
		}
		select {
		case <-wait:
		case <-r.ctx.Done():
			r.errs[i] = r.ctx.Err()
			return
		case <-patience.C:
			r.errs[i] = &event.StateError{Reason: "a retry of this delivery is already waiting for its endpoint"}
			return
		}
	}
}

func (r *retrial) checkEndpoint(id event.ID) error {
	ep := r.e.o.Catalog.Snapshot().Endpoint(id)
	switch {
	case ep == nil:
		return &event.StateError{Reason: "the endpoint of this delivery was deleted"}
	case ep.Status == event.EndpointPaused:
		return &event.StateError{Reason: "the endpoint is currently paused"}
	}
	return nil
}

// claim claims a delivery for a retry by hand. ready: its first attempt is about to be
// made, and counts as this retry. wait: try again after that.
func (s *Shard) claim(endpoint, id event.ID) (ready bool, wait <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, claimed := s.manual.claims[id]; claimed {
		return false, s.manual.landing(id)
	}
	if ep := s.endpoints[endpoint]; ep != nil {
		if ep.finds(id) {
			return false, s.manual.landing(id)
		}
		switch j := ep.queued(id); {
		case j == nil:
		case j.d.Manual:
			return false, s.manual.landing(id)
		case !j.timed:
			return true, nil
		default: // it may wait there for long, and leave the memory meanwhile
			s.takeOut(ep, id)
		}
	}
	s.manual.claim(id)
	return false, nil
}

// allow checks that a claimed delivery is in a state to be retried, and awakens its
// endpoint.
func (r *retrial) allow(c *claim) error {
	d, err := r.e.o.Store.Delivery(r.project, c.id)
	if err != nil {
		return err
	}
	switch {
	case d.Status == event.Scheduled: // its first attempt is to come
		r.release(c)
		return nil
	case d.Status == event.Success && !r.force:
		return &event.StateError{Reason: "event already sent"}
	case d.Status != event.Success && r.force:
		return &event.StateError{Reason: "only successful events can be force resent"}
	}
	c.d = d
	return r.e.awaken(c.ep)
}

// takeOut drops a delivery from the endpoint's queue. The caller holds mu.
func (s *Shard) takeOut(ep *endpoint, id event.ID) {
	for range ep.queue.len() {
		if j := ep.queue.popFront(); j.d.ID != id {
			ep.queue.pushBack(j)
		} else {
			s.unweigh(ep, &j)
		}
	}
	s.list(ep)
}

// again makes a claimed delivery due.
func (r *retrial) again(c *claim) error {
	st := event.Settlement{Delivery: c.d, Was: c.d.Status}
	if c.d.Status == event.Retry {
		st.Timer = c.d.Due
	}
	st.Delivery.Status, st.Delivery.Manual, st.Delivery.Reason = event.Retry, true, ""
	st.Delivery.UpdatedAt = r.e.now()
	st.Delivery.Due = st.Delivery.UpdatedAt
	return c.s.reschedule(&st, len(r.errs) == 1)
}

// awaken makes an inactive endpoint pending.
func (e *Engine) awaken(id event.ID) error {
	ep := e.o.Catalog.Snapshot().Endpoint(id)
	if ep == nil || ep.Status != event.EndpointInactive {
		return nil
	}
	_, err := e.o.Catalog.ChangeStatus(ep.ProjectID, id, "a delivery is retried by hand", func(now event.EndpointStatus) (event.EndpointStatus, error) {
		if leads(now, event.EndpointPending) {
			return event.EndpointPending, nil
		}
		return now, nil
	})
	if errors.Is(err, event.ErrNotFound) {
		return &event.StateError{Reason: "the endpoint of this delivery was deleted"}
	}
	return err
}

// reschedule writes a retry by hand. From here on the delivery's claim names the
// timer that counts, until it is read. Where there was none before, the claim only
// serves to recognise another retry of the same delivery: of many at once it is not
// kept.
func (s *Shard) reschedule(st *event.Settlement, alone bool) error {
	s.mu.Lock()
	due := s.announceLocked(st)
	if alone || !st.Timer.IsZero() {
		s.manual.claims[st.Delivery.ID] = due
	} else {
		delete(s.manual.claims, st.Delivery.ID)
	}
	s.mu.Unlock()
	return s.e.o.Store.Settle(st)
}

// release gives a claim up, and what it held up goes on.
func (r *retrial) release(c *claim) {
	c.released = true
	d, err := r.e.o.Store.Delivery(r.project, c.id)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	delete(c.s.manual.claims, c.id)
	c.s.manual.landed(c.id)
	if err == nil && d.Status == event.Retry {
		c.s.restore(&d)
	}
}

// restore lets the automatic retry of a delivery that was claimed come after all. If
// its timer was read it is queued: to read it again would be to read others again,
// which are in memory. The caller holds mu.
func (s *Shard) restore(d *event.Delivery) {
	ep, due := s.endpoint(d.EndpointID), uint64(d.Due.UnixMilli())
	if due < ep.timerDue || due == ep.timerDue && d.ID.Compare(ep.timerID) <= 0 {
		s.push(ep, job{d: *d, timed: true})
		s.start()
		return
	}
	s.armRetry(ep, due)
}
