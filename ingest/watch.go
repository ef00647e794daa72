package ingest

import (
	"sync"
	"sync/atomic"
	"time"
)

// watch ends connections whose client takes longer than ServerOptions allow. Each
// connection notes what it waits for and since when; one timer looks at all of
// them, and runs only while there are any. fasthttp's own timeouts move a timer of
// the runtime three times in every request; BenchmarkKeepAlive has what that costs.
//
// A client has its time in full, and up to an eighth of the shortest time, at most
// a second, more.
type watch struct {
	read, write, idle time.Duration
	every             time.Duration
	began             time.Time    // times are nanoseconds since then: the wall clock may be set
	now               atomic.Int64 // of the last look

	mu    sync.Mutex
	conns map[*conn]struct{} // open; guarded by mu
	timer *time.Timer        // nil while there are none; guarded by mu
}

func newWatch(o *ServerOptions) *watch {
	w := &watch{read: o.ReadTimeout, write: o.WriteTimeout, idle: o.IdleTimeout, began: time.Now(), conns: make(map[*conn]struct{})}
	w.every = min(max(min(w.read, w.write, w.idle)/8, time.Millisecond), time.Second)
	return w
}

// add watches a connection whose first request has to come within the time of a
// whole one.
func (w *watch) add(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil {
		w.now.Store(int64(time.Since(w.began)))
		w.timer = time.AfterFunc(w.every, w.look)
	}
	c.since.Store(w.now.Load())
	w.conns[c] = struct{}{}
}

func (w *watch) remove(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, c)
	if len(w.conns) == 0 && w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}

// look ends what waits for too long.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil {
		return
	}
	now := int64(time.Since(w.began))
	w.now.Store(now)
	for c := range w.conns {
		w.judge(c, time.Duration(now-c.since.Load())-w.every)
	}
	w.timer.Reset(w.every)
}

// judge has what c waits for end as timed out, by a deadline in the past, if it has
// waited for too long.
func (w *watch) judge(c *conn, waited time.Duration) {
	switch waits := c.waits.Load(); {
	case waits == waitsNext && waited > w.idle, waits == waitsRequest && waited > w.read:
		_ = c.SetReadDeadline(past)
	case waits == waitsTaken && waited > w.write:
		_ = c.SetWriteDeadline(past)
	}
}

// part ends the wait of those that are parting.
func (w *watch) part() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		if c.waits.Load() == waitsParting {
			_ = c.SetReadDeadline(past)
		}
	}
}

// past is a deadline that ends a wait.
var past = time.Unix(1, 0)

// What a connection waits for.
const (
	waitsNot     = iota // the request is being served
	waitsNext           // the first byte of another request
	waitsRequest        // the rest of a request, or the first one's first byte
	waitsTaken          // its client to take the answer
	waitsParting        // its client to read why it was refused, see conn.linger
)

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	next := c.answering
	if next {
		c.answering = false
		c.since.Store(c.watch.now.Load())
		c.waits.Store(waitsNext)
	} else {
		c.waits.Store(waitsRequest)
	}
	n, err := c.Conn.Read(b)
	c.waits.Store(waitsNot)
	if next {
		c.since.Store(c.watch.now.Load())
	}
	return n, err
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (int, error) {
	if !c.answering {
		c.answering = true
		c.since.Store(c.watch.now.Load())
	}
	c.waits.Store(waitsTaken)
	n, err := c.Conn.Write(b)
	c.waits.Store(waitsNot)
	return n, err
}
