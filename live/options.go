package live

import (
	"cmp"
	"time"
)

// Options bound what a Hub keeps, and for how many. A zero field has its default.
type Options struct {
	Entries int   // messages that are kept for those who come back; 16,384 by default
	Bytes   int64 // what those take, and what waits for one reader; 16 MiB by default

	Queue        int // messages that wait for one reader; 4096 by default
	MaxStreams   int // subscriptions at a time; 64 by default
	MaxPerHolder int // subscriptions at a time of one holder; half of all by default

	// Linger is how long messages are kept after the last reader left; a minute by default.
	Linger time.Duration

	// Flush returns when all that was handed to the log before is durable and was told. A
	// first reader waits for it: from then on it is told of all. Nil: there is nothing to
	// wait for.
	Flush func() error
}

func (o *Options) ensureDefaults() {
	o.Entries = cmp.Or(o.Entries, 16<<10)
	o.Bytes = cmp.Or(o.Bytes, 16<<20)
	o.Queue = cmp.Or(o.Queue, 4096)
	o.MaxStreams = cmp.Or(o.MaxStreams, 64)
	o.MaxPerHolder = cmp.Or(o.MaxPerHolder, (o.MaxStreams+1)/2)
	o.Linger = cmp.Or(o.Linger, time.Minute)
	if o.Flush == nil {
		o.Flush = func() error { return nil }
	}
}
