package console

import (
	"crypto/rand"
	"sync"
	"time"
)

// What waits to be shown once: how long, and how much of it.
const (
	flashTime  = 5 * time.Minute
	maxFlashes = 1000
)

// flashes are what a form led to and the page after it shows, once: the text of a key. It
// is never in an address, and only the session that made it is shown it.
type flashes struct {
	now  func() time.Time
	mu   sync.Mutex
	live map[string]flash
}

type flash struct {
	of    *session
	value any
	ends  time.Time
}

func newFlashes(now func() time.Time) *flashes {
	return &flashes{now: now, live: make(map[string]flash)}
}

// keep returns the name under which the value can be taken.
func (f *flashes) keep(of *session, value any) string {
	name := rand.Text()
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if len(f.live) >= maxFlashes {
		for n, old := range f.live {
			if now.After(old.ends) {
				delete(f.live, n)
			}
		}
		if len(f.live) >= maxFlashes {
			clear(f.live)
		}
	}
	f.live[name] = flash{of, value, now.Add(flashTime)}
	return name
}

// take is the value, once; nil if there is none any more.
func (f *flashes) take(of *session, name string) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	one, some := f.live[name]
	if !some || one.of != of || f.now().After(one.ends) {
		return nil
	}
	delete(f.live, name)
	return one.value
}
