package wal

import (
	"context"
	"runtime/pprof"
	"sync/atomic"
	"time"
)

// Values are written once while there is traffic: a flush compresses them with MinLZ,
// which is fast, and compactions pass references to them on, however many files these
// lead to. When the log has had nothing to do for a while they are packed: compactions of
// what was written since rewrite the values too, in order and with zstd, which leaves
// two thirds of what MinLZ does and costs four times as much.
//
// A log that is never idle is not packed. That costs disk and no more. Packing an hour
// again writes what is packed of it again, so there must be half as much that is new.
const (
	packEvery = time.Second // how often the packer looks
	packIdle  = 3           // looks in a row at which nothing had been committed
	packBytes = 32 << 20    // less than that waits for more
)

// packer packs a log's values in idle times.
type packer struct {
	committed atomic.Int64 // bytes of groups since Open
	packing   atomic.Bool  // compactions rewrite values
	off       atomic.Bool  // there is no space for it
	packed    int64        // committed at the last packing
	from      uint32       // the first bucket with something to pack
	again     int64        // bytes that are packed and lie in that bucket or later ones
	last      int64        // committed at the last look
	idle      int          // looks at which that was so
	cancel    context.CancelFunc
	gone      chan struct{} // closed when packLoop is
}

// startPacker starts the packer. It does not look for what earlier processes left, but
// for this hour's.
func (l *Log) startPacker() {
	ctx, cancel := context.WithCancel(context.Background())
	l.packer.cancel, l.packer.gone = cancel, make(chan struct{})
	l.packer.from = bucketOf(l.now())
	go l.packLoop(ctx)
}

// SaveSpace keeps the log from rewriting, while it is on, what does not have to be
// rewritten. That makes it smaller in the end, and larger before. Any goroutine.
func (l *Log) SaveSpace(on bool) { l.packer.off.Store(on) }

// Packing says what the packer does: idle, running, or off while there is no space for it.
func (l *Log) Packing() string {
	switch {
	case l.packer.off.Load():
		return "off"
	case l.packer.packing.Load():
		return "running"
	}
	return "idle"
}

// end stops the packer and waits for it. A compaction that it began goes on; the store's
// Close waits for that.
func (p *packer) end() {
	p.cancel()
	<-p.gone
}

// packLoop packs when there is time, until ctx ends.
func (l *Log) packLoop(ctx context.Context) {
	defer close(l.packer.gone)
	pprof.SetGoroutineLabels(pprof.WithLabels(ctx, pprof.Labels("posthaste", "packer")))
	t := time.NewTicker(packEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if !l.packer.due() {
			continue
		}
		if err := l.pack(ctx); err != nil && ctx.Err() == nil {
			l.o.Logger.Warn().Err(err).Msg("values were not packed; they take more disk until they are")
		}
	}
}

// due notes one look, and reports whether it is time to pack.
func (p *packer) due() bool {
	now := p.committed.Load()
	if now != p.last {
		p.last, p.idle = now, 0
		return false
	}
	p.idle++
	return p.idle >= packIdle && !p.off.Load() && now-p.packed >= max(packBytes, p.again/2)
}

// pack rewrites what was written since the last time. Only the packer calls it, and tests.
func (l *Log) pack(ctx context.Context) error {
	p := &l.packer
	p.packing.Store(true)
	defer p.packing.Store(false)
	fresh, to := p.committed.Load()-p.packed, bucketOf(l.now())+1
	p.packed += fresh
	for _, kind := range []byte{kindDelivery, kindEvent} {
		if err := l.db.Compact(ctx, appendBucket(nil, kind, p.from), appendBucket(nil, kind, to), false); err != nil {
			return err
		}
	}
	if p.again += fresh; p.from != to-1 {
		p.from, p.again = to-1, 0
	}
	return nil
}
