package engine

import (
	"sync/atomic"
	"time"

	"posthaste/event"
)

// localFaultEvery is how often the log speaks of attempts that failed on this machine.
const localFaultEvery = 10 * time.Second

// localFaults are attempts that failed on this machine: for want of sockets or ports,
// or because the proxy that they are made through failed. They are no attempts of
// their deliveries, so nothing of them is recorded there, and the operator is told.
type localFaults struct {
	unsaid atomic.Uint64 // since the log last spoke of them
	said   atomic.Int64  // when, in Unix nanoseconds
}

// blameMachine counts an attempt that failed on this machine, and says so once in a
// while.
func (e *Engine) blameMachine(a *event.Attempt) {
	e.o.Hooks.Attempted(a.Class.String(), a.Duration)
	n := e.local.unsaid.Add(1)
	now, last := time.Now().UnixNano(), e.local.said.Load()
	if now-last < int64(localFaultEvery) || !e.local.said.CompareAndSwap(last, now) {
		return
	}
	e.local.unsaid.Add(-n)
	e.o.Logger.Warn().Uint64("attempts", n).Str("error", a.Error).Msg("attempts fail on this machine; their deliveries wait, and no attempt is charged")
}
