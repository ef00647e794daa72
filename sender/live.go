package sender

import (
	"sync"
	"sync/atomic"
)

const liveShards = 16

// liveConns is the set of open connections, for Cancel. A connection is in it
// from the moment TCP is up until it is closed.
type liveConns struct {
	aborted atomic.Bool
	next    atomic.Uint32 // spreads connections over the shards
	shards  [liveShards]struct {
		sync.Mutex
		conns map[*conn]struct{}
	}
}

func (l *liveConns) init() {
	for i := range l.shards {
		l.shards[i].conns = make(map[*conn]struct{})
	}
}

// add reports false, and adds nothing, once abort was called.
func (l *liveConns) add(c *conn) bool {
	c.shard = l.next.Add(1) % liveShards
	sh := &l.shards[c.shard]
	sh.Lock()
	defer sh.Unlock()
	if l.aborted.Load() {
		return false
	}
	sh.conns[c] = struct{}{}
	return true
}

func (l *liveConns) remove(c *conn) {
	sh := &l.shards[c.shard]
	sh.Lock()
	delete(sh.conns, c)
	sh.Unlock()
}

// abort breaks every connection. The flag is set first: an add either sees it,
// or has its connection in the shard by the time the shard is locked here.
func (l *liveConns) abort() {
	l.aborted.Store(true)
	l.each((*conn).abort)
}

// each calls fn with every open connection, under its shard's lock.
func (l *liveConns) each(fn func(*conn)) {
	for i := range l.shards {
		sh := &l.shards[i]
		sh.Lock()
		for c := range sh.conns {
			fn(c)
		}
		sh.Unlock()
	}
}

func (l *liveConns) count() int {
	n := 0
	for i := range l.shards {
		sh := &l.shards[i]
		sh.Lock()
		n += len(sh.conns)
		sh.Unlock()
	}
	return n
}
