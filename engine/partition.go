package engine

import (
	"context"
	"fmt"
	"slices"

	"posthaste/event"
)

// Which partitions an engine holds can be changed while it runs:
//
//	held ──Release──► leaving ──attempts have ended──► away
//	held ◄──recovered── coming ◄──────Take────────────  away
//
// An engine makes attempts for the endpoints of partitions that it holds, and of no
// others, and its marks speak for these only. One that holds all, as it does unless
// Options.Holds says otherwise, writes one watermark for all; one that holds some
// writes one for each. Events are routed and stored whatever is held: what they owe to
// endpoints of a partition that is away stays in the log, where whoever takes the
// partition finds it.
//
// Nothing here says who may hold a partition. Two engines that hold the same one
// deliver everything of it twice and write over each other's outcomes; it is the
// caller who sees to it that a partition is given up before another takes it.

// absence is a partition that a shard does not hold.
type absence struct {
	coming map[event.ID]stretch // what came for its endpoints while it is being taken; else nil
}

// stretch is the first and the last of some deliveries of an endpoint.
type stretch struct{ first, last event.ID }

// Held lists the partitions that the engine holds, those it is about to give up not
// among them. Any goroutine.
func (e *Engine) Held() []uint16 {
	e.beginMark()
	defer e.endMark()
	return e.heldLocked()
}

func (e *Engine) heldLocked() []uint16 {
	held := []uint16{}
	for p, h := range e.held {
		if h {
			held = append(held, uint16(p))
		}
	}
	return held
}

// beginHandover lets one Release or Take run at a time, until the engine is closed.
func (e *Engine) beginHandover(ctx context.Context, partitions []uint16) error {
	for _, p := range partitions {
		if int(p) >= e.partitions {
			return fmt.Errorf("partition %d: the store has %d, which are counted from 0", p, e.partitions)
		}
	}
	select {
	case e.handover <- struct{}{}: // also where ctx has ended
	default:
		select {
		case e.handover <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	e.gate.RLock()
	defer e.gate.RUnlock()
	if e.closed {
		e.endHandover()
		return event.ErrClosed
	}
	return nil
}

func (e *Engine) endHandover() { <-e.handover }

// partitionSet says of each partition whether it is meant.
type partitionSet map[uint16]bool

func (p partitionSet) list() []uint16 {
	var list []uint16
	for n := range p {
		list = append(list, n)
	}
	slices.Sort(list)
	return list
}

// has reports whether the endpoint with this hash is of one of the partitions.
func (p partitionSet) has(hash uint32, count int) bool { return p[event.Partition(hash, count)] }

func (e *Engine) shardWith(partition uint16) *Shard { return e.shards[int(partition)%len(e.shards)] }

// miss notes that the shard does not hold a partition of its. The caller holds mu.
func (s *Shard) miss(partition uint16) {
	if s.away == nil {
		s.away = make(map[uint16]*absence)
	}
	s.away[partition] = &absence{}
}

// misses reports whether the shard does not hold a delivery's partition, and notes the
// delivery if it is about to. The caller holds mu.
func (s *Shard) misses(partition uint16, d *event.Delivery) bool {
	a := s.away[partition]
	if a == nil {
		return false
	}
	if a.coming != nil && d.Status.Owed() {
		c, known := a.coming[d.EndpointID]
		if !known {
			c.first = d.ID
		}
		c.last = d.ID
		a.coming[d.EndpointID] = c
	}
	return true
}

// lacks reports whether the shard does not hold an endpoint's partition. The caller
// holds mu.
func (s *Shard) lacks(endpoint event.ID) bool {
	return s.away != nil && s.away[event.Partition(event.EndpointHash(endpoint), s.e.partitions)] != nil
}
