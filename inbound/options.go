package inbound

import (
	"context"
	"runtime"
	"time"

	"posthaste/event"
)

// Engine takes events in. Submit may be called from any goroutine; it blocks until
// every accepted submission is durable. It keeps the memory that the submissions
// point to and sets Err, Duplicate and Event.ID of each. If it returns an error,
// nothing was accepted: event.ErrOverloaded (an *event.OverloadError says when to come
// back), event.ErrClosed, or a failure to store.
type Engine interface {
	Submit(ctx context.Context, subs []event.Submission) error
}

// Sources knows the sources. SourceByMask is called once for each request, from any
// goroutine; ok is false if there is no such source. Nobody changes a Source that was
// handed out: another pointer means other settings, and as long as it is the same one
// a source is not made ready anew.
type Sources interface {
	SourceByMask(mask string) (src *event.Source, project Limits, ok bool)
}

// Limits is what a source's project asks of its events.
type Limits struct {
	MaxPayload int  // bytes, of a body and of the data made of it; 0 or less: event.DefaultMaxPayloadBytes
	RequireKey bool // each must have an idempotency key
}

// Metrics are functions that are told what happens, from any goroutine; they must not
// block. Each may be nil.
type Metrics struct {
	// Observe is called once for each request with the status code of the answer and
	// the time it took.
	Observe func(code int, d time.Duration)
	// Rejected is called once for each request that is refused, with one of the Reason
	// constants.
	Rejected func(reason string)
}

// Why a request was refused, as Metrics.Rejected is told. They are ingest's.
const (
	ReasonAuth      = "auth"      // an unknown source, or not verified
	ReasonSize      = "size"      // over a limit
	ReasonMalformed = "malformed" // not what a source takes
	ReasonConflict  = "conflict"  // the project is in a state in which it takes nothing
	ReasonRate      = "rate"      // more events than a limit lets in
	ReasonLoad      = "load"      // too much work waiting
	ReasonDisk      = "disk"      // no space left to store it
	ReasonDraining  = "draining"  // the server is stopping
	ReasonStorage   = "storage"   // the event could not be stored
)

// Options of an Inbound. Sources and Engine are required.
type Options struct {
	Sources Sources
	Engine  Engine

	// MaxRequestBytes bounds a request's body, after decompression. 0:
	// event.DefaultMaxRequestBytes.
	MaxRequestBytes int
	// MaxInflating bounds how many compressed bodies are inflated at a time; each
	// may take three times MaxRequestBytes of memory. Others wait. 0: runtime.GOMAXPROCS.
	MaxInflating int

	// Admit takes a token of the project's rate limit for an event that is about to be
	// submitted; if there is none it says when there will be. Any goroutine may call it.
	// nil: no limit.
	Admit func(project event.ID) (wait time.Duration)

	// OnCRC is called, from any goroutine, when a challenge to a Twitter source was
	// answered. It must not block, and anybody who knows the URL can make it happen.
	// nil: nobody is told.
	OnCRC func(project, source event.ID)

	Metrics Metrics
}

func (o *Options) ensureDefaults() {
	if o.Sources == nil || o.Engine == nil {
		panic("BUG: inbound.Options needs Sources and Engine")
	}
	if o.MaxRequestBytes <= 0 {
		o.MaxRequestBytes = event.DefaultMaxRequestBytes
	}
	if o.MaxInflating <= 0 {
		o.MaxInflating = runtime.GOMAXPROCS(0)
	}
	if o.Admit == nil {
		o.Admit = func(event.ID) time.Duration { return 0 }
	}
	if o.OnCRC == nil {
		o.OnCRC = func(event.ID, event.ID) {}
	}
	if o.Metrics.Observe == nil {
		o.Metrics.Observe = func(int, time.Duration) {}
	}
	if o.Metrics.Rejected == nil {
		o.Metrics.Rejected = func(string) {}
	}
}
