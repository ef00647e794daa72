package ratelimit

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	tableShards = 64 // a power of two

	// evictionScan is how many entries a full shard looks at to make room. Go
	// starts the walk of a map at a random place, so it is a sample.
	evictionScan = 64
)

// Key names whose limit it is: the 16 bytes of an id.
type Key = [16]byte

// Table holds the TATs of many keys, for limits on what comes in. Any goroutine
// may call any method at any time; calls on one key are in sequence, and calls
// on different keys seldom meet (64 shards, each with its own mutex, held for
// a map look-up). It has no goroutine, no clock and nothing to close, and is
// empty again after a restart, when every key has its whole burst.
//
// Memory is bounded. A TAT in the past says no more than no entry, so a full
// shard forgets those first. If it comes across none, it forgets the entry
// that is nearest to its TAT: that key gets its burst back early. So with more
// keys active at once than there is room for, some are limited less strictly;
// none is limited more. Size the table for the keys that are active within a
// burst's duration.
type Table struct {
	seed     maphash.Seed
	perShard int // the most entries of a shard
	shards   [tableShards]tableShard
}

type tableShard struct {
	mu   sync.Mutex
	tats map[Key]int64 // guarded by mu
	_    [48]byte      // up to 64 bytes: a cache line for each shard
}

// NewTable makes a table of at most maxEntries keys, rounded up to a multiple
// of 64; below 64 it is 64. An entry takes 30 to 60 bytes. Memory is taken as
// keys come.
func NewTable(maxEntries int) *Table {
	t := &Table{
		seed:     maphash.MakeSeed(),
		perShard: max(1, (maxEntries-1)/tableShards+1),
	}
	for i := range t.shards {
		t.shards[i].tats = make(map[Key]int64)
	}
	return t
}

// Take asks for one token of key under limit l at now. 0 means that it is
// taken; otherwise it is not and will be there after the returned time, if
// nobody else takes it first. Without a limit nothing is looked up or stored.
// It allocates only to make room for a key that is new.
func (t *Table) Take(key Key, l Limit, now time.Time) (wait time.Duration) {
	if l.Unlimited() {
		return 0
	}
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	tat, known := s.tats[key]
	newTAT, wait := l.Take(tat, now)
	if wait > 0 {
		return wait
	}
	if !known && len(s.tats) >= t.perShard {
		s.evictLocked(now.UnixNano())
	}
	s.tats[key] = newTAT
	return 0
}

// Len is how many keys are remembered, the expired ones included.
func (t *Table) Len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.tats)
		s.mu.Unlock()
	}
	return n
}

func (t *Table) shard(key Key) *tableShard {
	return &t.shards[maphash.Bytes(t.seed, key[:])%tableShards]
}

// evictLocked makes room for at least one entry: of those it looks at, it drops
// all whose TAT is not after now, or else the one with the earliest TAT. The
// look is bounded, so a table full of active keys does not stall its callers.
func (s *tableShard) evictLocked(now int64) {
	var earliest Key
	var earliestTAT int64
	seen, dropped := 0, 0
	for key, tat := range s.tats {
		if tat <= now {
			delete(s.tats, key)
			dropped++
		} else if seen == dropped || tat < earliestTAT {
			earliest, earliestTAT = key, tat
		}
		if seen++; seen == evictionScan {
			break
		}
	}
	if dropped == 0 {
		delete(s.tats, earliest)
	}
}
