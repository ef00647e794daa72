package engine

import (
	"sync"
	"sync/atomic"
	"time"
)

// maxPace bounds how long a producer is held back for one request.
const maxPace = time.Second

// pace holds producers back, after their events are durable, while more
// deliveries could be sent at once than this machine gets round to. Then a
// faster intake would only take the processor from the deliveries, and make
// them wait in the log. Deliveries that wait for their endpoint, because it is
// slow, limited or down, do not count: no endpoint slows a producer.
type pace struct {
	limit    int64        // deliveries that may be ready before producers wait
	runnable atomic.Int64 // fresh deliveries in the queues of endpoints that may send
	off      atomic.Bool  // every worker of the pool waits for some endpoint
	waiting  atomic.Int64 // producers that wait

	mu   sync.Mutex
	ease chan struct{} // closed, and replaced, when producers may go on
}

func (p *pace) init(limit int) {
	p.limit = int64(limit)
	p.ease = make(chan struct{})
}

// hold returns when deliveries have caught up, or after maxPace.
func (p *pace) hold() {
	if p.runnable.Load() <= p.limit || p.off.Load() {
		return
	}
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	p.mu.Lock()
	ease := p.ease
	p.mu.Unlock()
	if p.runnable.Load() <= p.limit {
		return // it may have been closed just before
	}
	t := time.NewTimer(maxPace)
	defer t.Stop()
	select {
	case <-ease:
	case <-t.C:
	}
}

// add counts deliveries that became ready, or, below zero, that are ready no
// longer. It takes no time worth mentioning and may be called under any lock.
func (p *pace) add(n int) {
	if p.runnable.Add(int64(n)) > p.limit/2 || n > 0 || p.waiting.Load() == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.ease)
	p.ease = make(chan struct{})
}
