package engine

import (
	"time"

	"posthaste/event"
)

// The engine goes by two clocks. What is due, and what is told of when something was, goes
// by the log's, which dates ids too and is never set back. What has to wait or to rest, or
// takes its time, goes by the monotonic clock, which nobody sets.

// now is the log's time.
func (e *Engine) now() time.Time { return e.o.Store.Now() }

// ClockSet looks again at the retries that wait: the log's clock has been moved on, because
// the machine's was set ahead or the machine slept, and some may be due. They are made
// as windows, rates and slots allow. It takes each shard's lock for as long as it has
// endpoints to look at. Any goroutine.
func (e *Engine) ClockSet() {
	for _, s := range e.shards {
		s.mu.Lock()
		for _, ep := range s.endpoints {
			if ep.retry.Active() {
				s.setRetry(ep)
			}
		}
		s.mu.Unlock()
	}
}

// recalled is a time that the log remembers, as one of this process: as far from the
// present as it is from the log's, and not further than most. The zero time stays zero.
func (e *Engine) recalled(milli uint64, most time.Duration) time.Time {
	if milli == 0 {
		return time.Time{}
	}
	wait := time.UnixMilli(int64(milli)).Sub(e.now())
	return time.Now().Add(min(wait, most))
}

// noted is recalled the other way round.
func (e *Engine) noted(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(e.now().Add(time.Until(t)).UnixMilli())
}

// age is how long ago a delivery was created, by the log's clock.
func age(id event.ID, now time.Time) time.Duration {
	return now.Sub(time.UnixMilli(int64(id.Time())))
}
