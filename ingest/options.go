package ingest

import (
	"context"
	"runtime"
	"time"

	"posthaste/event"
)

// Engine takes events in. Submit may be called from any goroutine; it blocks
// until every accepted submission is durable, all of a call in one atomic
// batch. It keeps the memory that the submissions point to and sets Err,
// Duplicate and Event.ID of each. If it returns an error, nothing was accepted:
// event.ErrOverloaded (an *event.OverloadError says when to come back),
// event.ErrClosed, or a failure to store.
type Engine interface {
	Submit(ctx context.Context, subs []event.Submission) error
}

// Auth knows the API keys. Authenticate is called for every request, from any
// goroutine, and must not keep token.
type Auth interface {
	Authenticate(token []byte) (event.Grant, bool)
}

// Projects knows what a project asks of its events: the largest data of one
// event in bytes (0 or less: event.DefaultMaxPayloadBytes), and whether each
// must carry an idempotency key. ok is false for a project that does not
// exist. It is called for every request, from any goroutine.
type Projects interface {
	MaxPayload(project event.ID) (bytes int, requireKey, ok bool)
}

// Metrics are functions that are told what happens, from any goroutine; they
// must not block. Each may be nil.
type Metrics struct {
	// Observe is called once for each request of ingest's routes with the status
	// code of the answer and the time it took.
	Observe func(code int, d time.Duration)
	// Rejected is called once for each request that is refused as a whole, with
	// one of the Reason constants.
	Rejected func(reason string)
	// Refused is called beside Rejected with what the client was told, for a log; the
	// id is in the answer's X-Request-Id. nil costs nothing.
	Refused func(requestID string, code int, message string)
}

// Why a request was refused as a whole, as Metrics.Rejected is told.
const (
	ReasonAuth      = "auth"      // no key, an unknown one, or something out of its reach
	ReasonSize      = "size"      // over a limit
	ReasonMalformed = "malformed" // not what the API takes
	ReasonConflict  = "conflict"  // an idempotency key that was used for another event
	ReasonRate      = "rate"      // more events than a limit lets in
	ReasonLoad      = "load"      // too much work waiting
	ReasonDisk      = "disk"      // no space left to store it
	ReasonDraining  = "draining"  // the server is stopping
	ReasonStorage   = "storage"   // the event could not be stored
)

// Options of an Ingest. Engine, Auth and Projects are required.
type Options struct {
	Engine   Engine
	Auth     Auth
	Projects Projects

	// MaxRequestBytes bounds a request's body, after decompression. 0:
	// event.DefaultMaxRequestBytes. Give Server the same value.
	MaxRequestBytes int
	// MaxInflating bounds how many compressed bodies are inflated at a time; each
	// may take three times MaxRequestBytes of memory. Others wait. 0: runtime.GOMAXPROCS.
	MaxInflating int

	Limits  Limits
	Metrics Metrics
}

func (o *Options) ensureDefaults() {
	if o.Engine == nil || o.Auth == nil || o.Projects == nil {
		panic("BUG: ingest.Options needs Engine, Auth and Projects")
	}
	if o.MaxRequestBytes <= 0 {
		o.MaxRequestBytes = event.DefaultMaxRequestBytes
	}
	if o.MaxInflating <= 0 {
		o.MaxInflating = runtime.GOMAXPROCS(0)
	}
	if o.Metrics.Observe == nil {
		o.Metrics.Observe = func(int, time.Duration) {}
	}
	if o.Metrics.Rejected == nil {
		o.Metrics.Rejected = func(string) {}
	}
}
