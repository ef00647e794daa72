package bench

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	// holdLimit is how long a request is withheld an answer from a sender that
	// does not give up.
	holdLimit = time.Minute

	// maxHeld bounds the requests withheld an answer at one time, and with them
	// the receiver's memory: about 10 KiB each. Beyond it they end at once.
	maxHeld = 10_000
)

// held are the connections on which an answer is withheld.
type held struct {
	mu struct {
		sync.Mutex
		endpoints map[net.Conn]uint64
	}
}

// add reports whether there is room for one more.
func (h *held) add(conn net.Conn, endpoint uint64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.mu.endpoints) >= maxHeld {
		return false
	}
	if h.mu.endpoints == nil {
		h.mu.endpoints = make(map[net.Conn]uint64)
	}
	h.mu.endpoints[conn] = endpoint
	return true
}

func (h *held) remove(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.mu.endpoints, conn)
}

// release wakes whoever waits on the connections of the endpoints from up to,
// not including, to.
func (h *held) release(from, to int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for conn, endpoint := range h.mu.endpoints {
		if endpoint >= uint64(from) && endpoint < uint64(to) {
			_ = conn.SetReadDeadline(time.Unix(1, 0)) // fails on a closed one
		}
	}
}

func (h *held) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.mu.endpoints)
}

// outlast waits until t and reports whether the sender is still there then and
// nothing has changed. changed is asked after the deadline is set, so that
// whoever changes something first and releases then is not missed.
func outlast(conn net.Conn, t time.Time, changed func() bool) bool {
	if conn.SetReadDeadline(t) != nil || changed() {
		return false
	}
	var next [1]byte
	_, err := conn.Read(next[:]) // a sender that gives up closes
	return errors.Is(err, os.ErrDeadlineExceeded) && !changed()
}
