package engine

import (
	"slices"
	"strings"
	"time"

	"posthaste/event"
)

// Committed takes what the log made durable, in commit order, from the log's
// committer. It does not block: what does not fit in memory stays in the log.
func (e *Engine) Committed(groups [][]event.Submission) {
	for _, subs := range groups {
		if len(subs) > 1 {
			detach(subs)
		}
	}
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
		for j := range sub.Event.Owed {
			d := &sub.Event.Owed[j]
			partition := event.Partition(event.DeliveryEndpointHash(d.ID), e.partitions)
			if int(partition)%len(e.shards) != index {
				continue
			}
			if d.Status.Owed() {
				s.offer(d, &sub.Event)
			} else {
				e.o.Hooks.Terminal(d.Status.String(), 0)
			}
		}
	}
}

// detach gives each event of a batch its own memory, so that one that waits for
// long does not keep the whole request alive.
func detach(subs []event.Submission) {
	for i := range subs {
		ev := &subs[i].Event
		if len(ev.Owed) == 0 || subs[i].Err != nil || subs[i].Duplicate {
			continue
		}
		ev.Data = slices.Clone(ev.Data)
		ev.Type = strings.Clone(ev.Type)
		ev.IdempotencyKey = strings.Clone(ev.IdempotencyKey)
		ev.OwnerID = ""
		for h := range ev.Headers {
			ev.Headers[h] = event.Header{Name: strings.Clone(ev.Headers[h].Name), Value: strings.Clone(ev.Headers[h].Value)}
		}
	}
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

// age is how long ago a delivery was created.
func age(id event.ID, now time.Time) time.Duration {
	return now.Sub(time.UnixMilli(int64(id.Time())))
}
