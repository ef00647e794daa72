package engine

import "posthaste/event"

// Committed takes what the log made durable, in commit order, from the log's
// committer. It does not block: what does not fit in memory stays in the log.
func (e *Engine) Committed(groups [][]event.Submission) {
	for i, s := range e.shards {
		s.mu.Lock()
		for _, subs := range groups {
			e.feed(s, i, subs)
		}
		s.start()
		s.mu.Unlock()
	}
}

// feed offers a shard the deliveries of its partitions. The caller holds the
// shard's lock.
func (e *Engine) feed(s *Shard, index int, subs []event.Submission) {
	for k := range subs {
		sub := &subs[k]
		if sub.Err != nil || sub.Duplicate {
			continue
		}
		s.fed = sub.Event.ID.Time()
		a := arrival{ev: &sub.Event, batch: len(subs) > 1}
		for j := range sub.Event.Owed {
			d := &sub.Event.Owed[j]
			partition := event.Partition(event.DeliveryEndpointHash(d.ID), e.partitions)
			if int(partition)%len(e.shards) != index {
				continue
			}
			if d.Status.Owed() {
				s.offer(d, &a)
			} else {
				e.o.Hooks.Terminal(d.Status.String(), 0)
			}
		}
	}
}

// arrival is an event on its way into a shard's queues.
type arrival struct {
	ev     *event.Event
	batch  bool // it is one of several of a request, in one piece of memory
	parcel *parcel
}

// job makes the job of one of the event's deliveries. An event on its own with
// one delivery, the ordinary case, is carried as it came.
func (a *arrival) job(d *event.Delivery) job {
	if !a.batch && len(a.ev.Owed) == 1 {
		return job{d: *d, ev: a.ev}
	}
	if a.parcel == nil {
		a.parcel = &parcel{ev: *a.ev}
		a.parcel.ev.Owed, a.parcel.ev.OwnerID = nil, ""
	}
	return job{d: *d, ev: &a.parcel.ev, shared: a.parcel}
}

// Waiting takes the timers that can now be read from the log, from the log's
// committer.
func (e *Engine) Waiting(timers []event.Timer) {
	for _, t := range timers {
		s := e.shardOf(event.EndpointHash(t.Endpoint))
		s.mu.Lock()
		ep := s.endpoint(t.Endpoint)
		ep.arrived(t.DueMilli)
		s.armRetry(ep, t.DueMilli)
		s.mu.Unlock()
	}
}
