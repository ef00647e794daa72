package console

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	onceTime = 5 * time.Minute
	maxOnce  = 1000
)

// once keeps values under names that nobody can guess. Each can be taken one time, within
// onceTime. Of more than maxOnce at a time all are forgotten: those who wait for one begin
// again. Any goroutine may call it.
type once[V any] struct {
	now  func() time.Time
	mu   sync.Mutex
	live map[[sha256.Size]byte]kept[V]
}

type kept[V any] struct {
	value V
	until time.Time
}

func newOnce[V any](now func() time.Time) *once[V] {
	return &once[V]{now: now, live: make(map[[sha256.Size]byte]kept[V])}
}

// keep returns the name under which the value can be taken.
func (o *once[V]) keep(value V) string {
	name := rand.Text() + rand.Text()
	o.mu.Lock()
	defer o.mu.Unlock()
	now := o.now()
	if len(o.live) >= maxOnce {
		for key, k := range o.live {
			if now.After(k.until) {
				delete(o.live, key)
			}
		}
		if len(o.live) >= maxOnce {
			clear(o.live)
		}
	}
	o.live[sha256.Sum256([]byte(name))] = kept[V]{value, now.Add(onceTime)}
	return name
}

// take is the value; false if the name is of none, or not any more.
func (o *once[V]) take(name string) (V, bool) {
	return o.takeIf(name, func(V) bool { return true })
}

// takeIf is take for a value that fits; another stays.
func (o *once[V]) takeIf(name string, fits func(V) bool) (none V, some bool) {
	key := sha256.Sum256([]byte(name))
	o.mu.Lock()
	defer o.mu.Unlock()
	k, known := o.live[key]
	if !known || o.now().After(k.until) || !fits(k.value) {
		return none, false
	}
	delete(o.live, key)
	return k.value, true
}

// flash is what a form led to and the page after it shows, once: the text of a key. It is
// never in an address, and only the session that made it is shown it.
type flash struct {
	of    *session
	value any
}

// flash keeps a value for the page that the session is sent to.
func (c *Console) flash(of *session, value any) string { return c.flashes.keep(flash{of, value}) }

// flashed is the value; nil if there is none any more, or it is another session's.
func (c *Console) flashed(of *session, name string) any {
	f, _ := c.flashes.takeIf(name, func(f flash) bool { return f.of == of })
	return f.value
}
