package engine

import (
	"context"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// Log is where events and outcomes are kept. Its methods may be called from any
// goroutine.
type Log interface {
	// Append makes submissions durable, and gives them their ids, before it
	// returns. The log then hands them to Engine.Committed.
	Append(ctx context.Context, subs []event.Submission) error
	// Settle writes an outcome. It is durable some milliseconds later. Once it can be
	// read, a timer that it set is announced through Engine.Waiting.
	Settle(s *event.Settlement) error
	// SetMark writes how far recovery need not look; never durable before the
	// settlements that came before it.
	SetMark(m event.Mark) error
	// Flush returns when all settlements so far are durable.
	Flush() error
	// Now is the time by which ids are dated, without a monotonic reading. It is not before
	// the newest id, and is never set back, as the machine's clock may be.
	Now() time.Time
}

// Reader reads back what does not fit in memory.
type Reader interface {
	Event(project, id event.ID) (*event.Event, error)
	Delivery(project, id event.ID) (event.Delivery, error)
	ReadOwed(dst []event.Delivery, endpoint, after, upTo event.ID, limit int) ([]event.Delivery, event.ID, error)
	ReadTimers(dst []event.Delivery, endpoint event.ID, afterDue uint64, afterID event.ID, until uint64, limit int) ([]event.Delivery, uint64, error)
}

// Recoverer finds what was owed when the process ended.
type Recoverer interface {
	Recover(owns func(partition uint16) bool, behind func(event.Behind), timer func(event.Timer), health func(event.Health)) error
	Horizon(endpoint event.ID) event.ID
	Partitions() int
}

// Store is all that the engine asks of the log.
type Store interface {
	Log
	Reader
	Recoverer
}

// Catalog tells what exists.
type Catalog interface {
	Snapshot() *catalog.Snapshot
	// EnsureSubscription gives an endpoint without any subscription one to
	// everything.
	EnsureSubscription(project, endpoint event.ID) (*event.Subscription, error)
	// EnsureDynamic is the endpoint that d describes, made if there was none.
	EnsureDynamic(project event.ID, d *event.Dynamic) (*catalog.Endpoint, error)
	// ChangeStatus moves an endpoint to the state that to names.
	ChangeStatus(project, endpoint event.ID, reason string, to func(event.EndpointStatus) (event.EndpointStatus, error)) (*catalog.Endpoint, error)
	// Watch calls fn with every change from now on.
	Watch(fn func(catalog.Change)) (cancel func())
}

// Sender makes one attempt.
type Sender interface {
	// Attempt sends the event and fills in a; it returns when the attempt is over.
	Attempt(p *catalog.Project, ep *catalog.Endpoint, d *event.Delivery, ev *event.Event, a *event.Attempt)
	// Cancel ends the attempts in flight, as cancelled.
	Cancel()
}

// Pool runs shards' workers on goroutines of its own.
type Pool interface {
	// Invoke starts a worker, or returns an error at once when the pool is full.
	Invoke(s *Shard) error
	// Stop waits for the workers.
	Stop(timeout time.Duration) error
}
