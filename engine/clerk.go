package engine

import (
	"context"
	"errors"
	"runtime/pprof"
	"sync"

	"posthaste/event"
)

// clerk writes the endpoint states that attempts led to into the catalog. Each is
// a write with an fsync, so it is not for workers to wait for. An endpoint stands in
// its list once at most; so the catalog's size bounds it.
type clerk struct {
	mu    sync.Mutex
	list  []sentence
	known map[event.ID]struct{} // endpoints on the list
	poke  chan struct{}
}

// sentence is a state that an endpoint is to get.
type sentence struct {
	project, endpoint event.ID
	from              event.EndpointStatus // as the attempt found it
	to                event.EndpointStatus
	reason            string
}

func (c *clerk) init() {
	c.known = make(map[event.ID]struct{})
	c.poke = make(chan struct{}, 1)
}

// add lists a sentence about the worker's endpoint, unless there is one already.
// It does not block.
func (c *clerk) add(w *worker, to event.EndpointStatus, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, listed := c.known[w.target.ID]; listed {
		return
	}
	c.known[w.target.ID] = struct{}{}
	c.list = append(c.list, sentence{w.target.ProjectID, w.target.ID, w.target.Status, to, reason})
	select {
	case c.poke <- struct{}{}:
	default:
	}
}

func (c *clerk) take() (s sentence, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.list) == 0 {
		c.list = nil
		return s, false
	}
	s, c.list = c.list[0], c.list[1:]
	return s, true
}

// done makes room for another sentence about the endpoint.
func (c *clerk) done(endpoint event.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, endpoint)
}

// clerkLoop carries out what is on the list, until the engine stops and nothing is
// left on it.
func (e *Engine) clerkLoop() {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("posthaste", "clerk")))
	for {
		stopping := false
		select {
		case <-e.stop:
			stopping = true
		case <-e.clerk.poke:
		}
		for s, ok := e.clerk.take(); ok; s, ok = e.clerk.take() {
			e.carryOut(s)
			e.clerk.done(s.endpoint)
			e.shardOf(event.EndpointHash(s.endpoint)).unhold(s.endpoint)
		}
		if stopping {
			return
		}
	}
}

func (e *Engine) carryOut(s sentence) {
	_, err := e.o.Catalog.ChangeStatus(s.project, s.endpoint, s.reason, func(now event.EndpointStatus) (event.EndpointStatus, error) {
		// A probe says nothing once somebody has activated the endpoint by hand.
		if leads(now, s.to) && (s.from != event.EndpointPending || now == s.from) {
			return s.to, nil
		}
		return now, nil
	})
	if err != nil && !errors.Is(err, event.ErrNotFound) {
		e.o.Logger.Error().Err(err).Str("endpoint", s.endpoint.String()).Str("to", string(s.to)).Msg("an endpoint's state was not written; its next failure will")
		return
	}
	e.o.Logger.Info().Str("endpoint", s.endpoint.String()).Str("to", string(s.to)).Str("reason", s.reason).Msg("an endpoint's state changed")
}

// unhold lets an endpoint go on that was held until its sentence was carried out,
// as far as its state lets it.
func (s *Shard) unhold(id event.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ep := s.endpoints[id]
	if ep == nil || !ep.held {
		return
	}
	ep.held = false
	s.list(ep)
	s.refill(ep)
	s.start()
	s.wake()
}

// leads reports whether the engine may move an endpoint from one state to another.
func leads(from, to event.EndpointStatus) bool {
	switch to {
	case event.EndpointInactive:
		return from == event.EndpointActive || from == event.EndpointPending
	case event.EndpointPending:
		return from == event.EndpointInactive
	case event.EndpointActive:
		return from == event.EndpointPending
	}
	return false
}
