package engine

import (
	"runtime"
	"time"

	"github.com/rs/zerolog"

	"posthaste/breaker"
	"posthaste/catalog"
	"posthaste/event"
)

// Options set up an Engine. The zero value of a field means its default.
type Options struct {
	Store   Store   // required
	Catalog Catalog // required
	Sender  Sender  // required
	// NewPool makes the pool that runs workers; required.
	NewPool func(size int, run func(*Shard)) (Pool, error)

	Shards      int   // one for each processor by default
	MaxInFlight int   // attempts at once, of all endpoints; 4096 by default
	EndpointCap int   // attempts at once to one endpoint; 32 by default
	Window      int   // deliveries of one endpoint kept in memory; 1024 by default
	QueueBytes  int64 // memory for deliveries that wait, of all endpoints; 128 MiB by default

	// Eager is how many workers a shard starts without asking whether they help;
	// 32 by default. More are added while those are held up by slow endpoints.
	Eager int

	// Runnable is how many deliveries may be ready to be sent, for lack of a
	// processor only, before producers are held back; 1024 by default.
	Runnable int

	// Transform runs a subscription's function over an event's data, and returns what
	// is sent in its place. Nil: functions are not run. Any number of workers call it
	// at once, and wait for it. An event.InvalidError is the function's fault, and
	// a failed attempt; after any other error the delivery is tried again soon.
	Transform func(function string, d *event.Delivery, ev *event.Event) ([]byte, error)

	// Holds says which partitions the engine holds at its start; nil: all. See Release.
	Holds func(partition uint16) bool

	MarkEvery time.Duration // how often the place for recovery is written; 1 s by default

	Hooks  Hooks
	Logger zerolog.Logger
}

// Hooks are told what happens, from the goroutine in which it does. They must
// not block. Each may be nil.
type Hooks struct {
	// Attempted: an attempt ended. result is "2xx" to "5xx" or an error class.
	Attempted func(result string, duration time.Duration)
	// Terminal: a delivery reached its end, so long after its event was accepted.
	Terminal func(outcome string, age time.Duration)
	// Behind: an endpoint began (+1) or ceased (-1) to read from the log.
	Behind func(delta int)
	// Local: an attempt could not be made, for a fault of this machine; it does not count and
	// is made again.
	Local func(reason string)
	// Blocked: an attempt was refused by the egress rules, for this reason.
	Blocked func(p *catalog.Project, ep *catalog.Endpoint, reason string)
	// Breaker: an endpoint's circuit breaker opened, or closed again.
	Breaker func(to breaker.State)
}

func (o *Options) ensureDefaults() {
	setDefault(&o.Shards, runtime.NumCPU())
	setDefault(&o.MaxInFlight, 4096)
	setDefault(&o.EndpointCap, 32)
	setDefault(&o.Window, 1024)
	setDefault(&o.QueueBytes, 128<<20)
	setDefault(&o.Eager, 32)
	setDefault(&o.Runnable, 1024)
	setDefault(&o.MarkEvery, time.Second)
	if o.Hooks.Attempted == nil {
		o.Hooks.Attempted = func(string, time.Duration) {}
	}
	if o.Hooks.Terminal == nil {
		o.Hooks.Terminal = func(string, time.Duration) {}
	}
	if o.Hooks.Breaker == nil {
		o.Hooks.Breaker = func(breaker.State) {}
	}
	if o.Hooks.Blocked == nil {
		o.Hooks.Blocked = func(*catalog.Project, *catalog.Endpoint, string) {}
	}
	if o.Hooks.Local == nil {
		o.Hooks.Local = func(string) {}
	}
	if o.Hooks.Behind == nil {
		o.Hooks.Behind = func(int) {}
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
