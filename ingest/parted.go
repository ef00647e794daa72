package ingest

import (
	"net"
	"sync"
	"time"
)

const maxParted = 64 // connections; beyond that the oldest is closed

// parted are connections that were answered without being read, and are closed a little
// later: their clients may be in the middle of a request, and would be reset, see
// conn.linger. Nobody reads them.
type parted struct {
	after time.Duration // all are closed by then

	mu    sync.Mutex
	conns []net.Conn  // the oldest first
	timer *time.Timer // nil while there are none
	over  bool
}

// add ends the answer, and takes the connection.
func (p *parted) add(c net.Conn) {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		_ = c.Close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.over:
		_ = c.Close()
		return
	case p.timer == nil:
		p.timer = time.AfterFunc(p.after, p.closeAll)
	case len(p.conns) == maxParted:
		_ = p.conns[0].Close()
		p.conns = append(p.conns[:0], p.conns[1:]...)
	}
	p.conns = append(p.conns, c)
}

func (p *parted) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns, p.timer = nil, nil
}

// end closes all, and what comes later at once.
func (p *parted) end() {
	p.mu.Lock()
	if p.over = true; p.timer != nil {
		p.timer.Stop()
	}
	p.mu.Unlock()
	p.closeAll()
}
