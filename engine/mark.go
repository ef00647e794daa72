package engine

import (
	"context"
	"runtime/pprof"
	"time"

	"posthaste/event"
)

// markLoop writes, once in a while, how far recovery need not look.
func (e *Engine) markLoop() {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("posthaste", "mark")))
	t := time.NewTicker(e.o.MarkEvery)
	defer t.Stop()
	for {
		select {
		case <-e.stop:
			return
		case <-t.C:
			if err := e.mark(); err != nil {
				e.o.Logger.Error().Err(err).Msg("the place for recovery was not written; a restart reads more")
			}
		}
	}
}

// mark writes one mark for all shards. A delivery that is settled between a
// shard's look and the write only makes the mark more careful than it need be.
func (e *Engine) mark() error {
	m := event.Mark{Watermark: 1<<48 - 1}
	for _, s := range e.shards {
		s.addMark(&m)
	}
	if m.Watermark == 1<<48-1 || m.Watermark == e.marked {
		m.Watermark = 0
	}
	if m.Watermark == 0 && len(m.Behind) == 0 && len(m.CaughtUp) == 0 && len(m.Health) == 0 {
		return nil
	}
	err := e.o.Store.SetMark(m)
	if err == nil && m.Watermark != 0 {
		e.marked = m.Watermark
	}
	return err
}

// addMark lowers the mark to the shard's oldest unsettled delivery, notes the
// places of endpoints that are behind, and forgets endpoints with nothing to do.
func (s *Shard) addMark(m *event.Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fed != 0 {
		m.Watermark = min(m.Watermark, s.fed)
	}
	kept, now, dated := s.active[:0], time.Now(), uint64(s.e.now().UnixMilli())
	s.e.queued.Add(-s.keep.expire(now.Add(-2 * keepFor)))
	for _, ep := range s.active {
		s.markEndpoint(ep, m, dated)
		ep.markHealth(s.e, m)
		if !ep.idle() || ep.tat > now.UnixNano() {
			kept = append(kept, ep)
			continue
		}
		ep.active = false
		ep.queue.release()
		if !ep.waits() {
			s.forget(ep, now)
		}
	}
	clear(s.active[len(kept):])
	s.active = kept
}

// markedAfter is the age in ms from which a delivery that waits in memory does not
// hold back the watermark any more: the place of its endpoint is recorded instead,
// as if it were behind. Else one endpoint that is slow would make a restart read
// what all others did meanwhile.
const markedAfter = 10_000

// markEndpoint adds one endpoint's part to the mark. The caller holds mu.
func (s *Shard) markEndpoint(ep *endpoint, m *event.Mark, now uint64) {
	low, inMemory := ep.low()
	if !ep.behind && (!inMemory || low.Time()+markedAfter > now) {
		if inMemory {
			m.Watermark = min(m.Watermark, low.Time())
		}
		if ep.marked != (event.ID{}) {
			m.CaughtUp = append(m.CaughtUp, ep.id)
			ep.marked = event.ID{}
		}
		return
	}
	after := ep.cursor
	if inMemory {
		after = event.Before(low)
	}
	if after != ep.marked {
		m.Behind = append(m.Behind, event.Behind{Endpoint: ep.id, After: after})
		ep.marked = after
	}
}

// markHealth adds the endpoint's health to the mark where it changed. The caller
// holds the shard's lock.
func (ep *endpoint) markHealth(e *Engine, m *event.Mark) {
	row := event.Health{Endpoint: ep.id}
	if ep.health != nil {
		if !ep.health.changed {
			return
		}
		ep.health.changed = false
		row = ep.health.row(e, ep.id)
	}
	if well := row.Well(); !well || ep.recorded {
		m.Health = append(m.Health, row)
		ep.recorded = !well
	}
}
