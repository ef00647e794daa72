package console

import (
	"net"
	"sync"
	"time"
)

// Attempts to sign in that fail: so many at once from one address, and one more each
// few seconds.
const (
	triesAtOnce  = 10
	tryEvery     = 6 * time.Second
	maxAddresses = 10_000
)

// tries limits how often sign-in may fail, as a token bucket for each address: what is
// kept is when the bucket will be full again.
type tries struct {
	now  func() time.Time
	mu   sync.Mutex
	full map[string]time.Time
}

func newTries(now func() time.Time) *tries { return &tries{now: now, full: make(map[string]time.Time)} }

// wait is how long an address has to wait before it may try again; 0 if it may.
func (t *tries) wait(remote string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	full, some := t.full[addressOf(remote)]
	if !some {
		return 0
	}
	return max(0, full.Sub(t.now())-(triesAtOnce-1)*tryEvery)
}

// failed takes a token.
func (t *tries) failed(remote string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.full) >= maxAddresses {
		for a, full := range t.full {
			if !full.After(now) {
				delete(t.full, a)
			}
		}
		if len(t.full) >= maxAddresses {
			clear(t.full) // better some tries too many than all of the memory
		}
	}
	a := addressOf(remote)
	from := t.full[a]
	if from.Before(now) {
		from = now
	}
	t.full[a] = from.Add(tryEvery)
}

func addressOf(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}
