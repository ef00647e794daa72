package app

import "posthaste/event"

// sink hands what the log commits to the engine, which exists only once the log
// is open. Nothing is committed before: whoever commits needs the engine.
type sink struct{ a *App }

func (s *sink) Committed(groups [][]event.Submission) { s.a.engine.Committed(groups) }

func (s *sink) Waiting(timers []event.Timer) { s.a.engine.Waiting(timers) }
