package engine

import (
	"slices"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// changed takes a change of the catalog, from the goroutine that writes it. An
// endpoint that waits is looked at again, for what it waited for may be over. Changes
// of an endpoint are the business of the engine that holds its partition.
func (e *Engine) changed(c catalog.Change) {
	if c.Kind != catalog.KindEndpoint {
		return
	}
	s := e.shardOf(event.EndpointHash(c.ID))
	s.mu.Lock()
	ours := !s.lacks(c.ID)
	if ours {
		s.lookAgain(c)
	}
	s.mu.Unlock()
	if ours {
		e.tellEndpoint(c)
	}
}

// lookAgain is changed for the shard. The caller holds mu.
func (s *Shard) lookAgain(c catalog.Change) {
	ep := s.known(c.ID)
	recovers := c.After != nil && c.Before != nil && comesBack(c.Before.Status, c.After.Status)
	if ep == nil {
		if !recovers {
			return
		}
		ep = s.endpoint(c.ID)
	}
	switch {
	case recovers: // what happened before is forgotten, and it starts slowly
		ep.health = &health{ramp: time.Now(), changed: ep.recorded}
		s.activate(ep)
	case c.Deleted || c.After != nil && c.After.Status == event.EndpointInactive:
		ep.health = nil
		s.activate(ep)
	}
	ep.held, ep.slots, ep.inLine = false, 0, false
	s.wheel.Remove(&ep.token)
	s.list(ep)
	s.refill(ep)
	s.start()
	s.wake()
}

// known is an endpoint's state if there is one, or if there is a history to make
// one for. The caller holds mu.
func (s *Shard) known(id event.ID) *endpoint {
	if _, ill := s.ill[id]; ill {
		ep := s.endpoint(id)
		s.activate(ep)
		return ep
	}
	return s.endpoints[id]
}

// comesBack reports whether an endpoint takes deliveries again after this change.
func comesBack(from, to event.EndpointStatus) bool {
	return to == event.EndpointActive && (from == event.EndpointInactive || from == event.EndpointPending)
}

// cameBack reports whether an endpoint that was not well came back later. While its
// partition was away, nobody here saw it.
func cameBack(ep *catalog.Endpoint, h *event.Health) bool {
	return ep != nil && h.Failures > 0 && slices.ContainsFunc(ep.StatusHistory, func(c event.StatusChange) bool {
		return comesBack(c.From, c.To) && c.At.UnixMilli() > int64(h.Since)
	})
}
