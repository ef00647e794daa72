package api

import (
	"sync"
	"time"

	"posthaste/event"
)

// seldom writes records of which there may be many of one kind, a page that is looked at
// again and again or a program that does not take no for an answer: once a minute for the
// same actor, address, action, object and outcome.
type seldom struct {
	mu    sync.Mutex
	known map[seldomKey]time.Time
}

type seldomKey struct {
	actor                    event.Actor
	address, action, outcome string
	object                   event.AuditObject
}

const (
	seldomEvery = time.Minute
	maxSeldom   = 4096 // that are remembered; then all are forgotten and written again
)

func (s *seldom) record(o Options, a event.Audit) error {
	key := seldomKey{a.Actor, a.Address, a.Action, a.Outcome, a.Object}
	now := o.Now()
	s.mu.Lock()
	last, known := s.known[key]
	s.mu.Unlock()
	if known && now.Sub(last) < seldomEvery && !now.Before(last) {
		return nil
	}
	if err := o.Audit.Audit(a); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= maxSeldom {
		s.known = make(map[seldomKey]time.Time)
	}
	s.known[key] = now
	return nil
}
