package ratelimit

import (
	"sync"
	"time"
)

// Bucket is a limit's state, for tokens that are taken many at a time. The zero
// value is full. Any goroutine may call any method.
type Bucket struct {
	mu    sync.Mutex
	level level // guarded by mu
}

// Take asks for n tokens under limit l at now, as Table.Take does for one key.
func (b *Bucket) Take(l Limit, n int, now time.Time) State {
	if l.Unlimited() {
		return State{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.level.take(l, n, now)
}

// Give takes n tokens back that a Take under l gave a moment ago and that were
// not used.
func (b *Bucket) Give(l Limit, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.level.give(l, n)
}
