package catalog

import (
	"sync/atomic"
	"time"
)

// useSeconds is how exact the last use of a key is.
const useSeconds = 60

// lastUse is when a key was last used, in Unix seconds; 0: never. Any goroutine may
// use it.
type lastUse struct{ seconds atomic.Int64 }

func newLastUse(at *time.Time) *lastUse {
	u := &lastUse{}
	if at != nil {
		u.seconds.Store(at.Unix())
	}
	return u
}

// touch notes a use at now, at most once a minute, so that a busy key is not a busy
// cache line.
func (u *lastUse) touch(now time.Time) {
	if last, seconds := u.seconds.Load(), now.Unix(); seconds-last >= useSeconds {
		u.seconds.CompareAndSwap(last, seconds)
	}
}

// time is nil for never.
func (u *lastUse) time() *time.Time {
	seconds := u.seconds.Load()
	if seconds == 0 {
		return nil
	}
	at := time.Unix(seconds, 0).UTC()
	return &at
}

// FlushKeyUse writes when keys were last used, where that changed since it was written
// last, in one write. Nobody but the store is told: the keys show it already.
func (c *Catalog) FlushKeyUse() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var edits []edit
	for k := range c.mu.state.keyListing.all() {
		if at := k.used.time(); at != nil && (k.LastUsedAt == nil || at.After(*k.LastUsedAt)) {
			next := *k
			next.LastUsedAt = at
			next.rev++
			edits = append(edits, edit{before: k, after: &next})
		}
	}
	if len(edits) == 0 {
		return nil
	}
	return c.writeLocked("note the use of keys", edits)
}
