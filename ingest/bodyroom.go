package ingest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// bodyRoom is the memory that large bodies may take, together, while they arrive and are
// handled. fasthttp takes what a head claims at once, whether or not it is ever sent,
// so it is what is claimed that counts.
type bodyRoom struct {
	limit    int           // bytes
	patience time.Duration // after which a body has arrived or been given up
	guests   atomic.Int32  // how many are in of, so that others need not ask for mu

	mu   sync.Mutex
	held int                                     // guarded by mu
	of   map[*fasthttp.RequestHeader]reservation // by the request; guarded by mu
}

type reservation struct {
	n       int
	refused bool // there was no room
	since   time.Time
}

func newBodyRoom(limit int, patience time.Duration) *bodyRoom {
	return &bodyRoom{limit: limit, patience: patience, of: make(map[*fasthttp.RequestHeader]reservation)}
}

// take reserves n bytes for a request, until leave. It reports whether there is room.
// One that asks for more than all has it while nobody else has any.
func (r *bodyRoom) take(h *fasthttp.RequestHeader, n int, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leaveLocked(h)
	if r.held > 0 && r.held+n > r.limit {
		r.sweepLocked(now)
	}
	refused := r.held > 0 && r.held+n > r.limit
	if refused {
		n = 0
	}
	r.held += n
	r.of[h] = reservation{n, refused, now}
	r.guests.Add(1)
	return !refused
}

// leave ends a request's reservation, if it has one, and reports whether it was refused.
func (r *bodyRoom) leave(h *fasthttp.RequestHeader) (refused bool) {
	if r.guests.Load() == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.leaveLocked(h)
}

func (r *bodyRoom) leaveLocked(h *fasthttp.RequestHeader) (refused bool) {
	v, ok := r.of[h]
	if ok {
		r.held -= v.n
		delete(r.of, h)
		r.guests.Add(-1)
	}
	return v.refused
}

// sweepLocked forgets reservations whose request ended without a word: fasthttp tells
// nobody when a client leaves after "Expect: 100-continue", or before a chunk.
func (r *bodyRoom) sweepLocked(now time.Time) {
	for h, v := range r.of {
		if now.Sub(v.since) > r.patience {
			r.leaveLocked(h)
		}
	}
}
