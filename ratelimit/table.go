package ratelimit

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	tableShards = 64 // a power of two

	// evictionScan is how many entries a full shard looks at to make room, and
	// sweepScan how many any other looks at when a key is new: more than one, so
	// that what has expired goes faster than what is new comes. Go starts the walk
	// of a map at a random place, so both are samples.
	evictionScan = 64
	sweepScan    = 2
)

// Key names whose limit it is: the 16 bytes of an id.
type Key = [16]byte

// Table holds the states of many keys, for limits on what comes in. Any
// goroutine may call any method at any time; calls on one key are in sequence,
// and calls on different keys seldom meet (64 shards, each with its own mutex,
// held for a map look-up). It has no goroutine, no clock and nothing to close,
// and is empty again after a restart, when every key has its whole burst.
//
// Memory is bounded. A TAT in the past says no more than no entry, so those are
// forgotten as new keys come, and first of all by a full shard. If that comes
// across none, it forgets the entry that is nearest to its TAT: that key gets
// its burst back early. So with more keys active at once than there is room
// for, some are limited less strictly; none is limited more. Size the table for
// the keys that are active within a burst's duration.
type Table struct {
	seed     maphash.Seed
	perShard int // the most entries of a shard
	shards   [tableShards]tableShard
}

type tableShard struct {
	mu     sync.Mutex
	levels map[Key]level // guarded by mu
	_      [48]byte      // up to 64 bytes: a cache line for each shard
}

// NewTable makes a table of at most maxEntries keys, rounded up to a multiple
// of 64; below 64 it is 64. An entry takes 50 to 100 bytes. Memory is taken as
// keys come.
func NewTable(maxEntries int) *Table {
	t := &Table{
		seed:     maphash.MakeSeed(),
		perShard: max(1, (maxEntries-1)/tableShards+1),
	}
	for i := range t.shards {
		t.shards[i].levels = make(map[Key]level)
	}
	return t
}

// Take asks for n tokens of key under limit l at now: all of them are taken, or
// none. More than the limit's burst are given when the whole burst is there,
// and leave a debt: the next token comes when all of them are paid for. An n of
// 0 takes nothing and tells the state. Without a limit nothing is looked up or
// stored, and the state is zero.
//
// now must come from a clock that is not set back, such as
// start.Add(time.Since(start)): a debt cannot be told from another clock's TAT.
// A key whose limit has changed starts with no more than a used-up burst held
// against it. Take allocates only to make room for a key that is new.
func (t *Table) Take(key Key, l Limit, n int, now time.Time) State {
	if l.Unlimited() {
		return State{}
	}
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	v, known := s.levels[key]
	state := v.take(l, n, now)
	if !known {
		if n <= 0 || state.Wait > 0 {
			return state
		}
		s.makeRoomLocked(t.perShard, now.UnixNano())
	}
	s.levels[key] = v
	return state
}

// Give takes n tokens of key back that a Take under l gave a moment ago and that
// were not used.
func (t *Table) Give(key Key, l Limit, n int) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, known := s.levels[key]; known {
		v.give(l, n)
		s.levels[key] = v
	}
}

// Len is how many keys are remembered, the expired ones included.
func (t *Table) Len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.levels)
		s.mu.Unlock()
	}
	return n
}

func (t *Table) shard(key Key) *tableShard {
	return &t.shards[maphash.Bytes(t.seed, key[:])%tableShards]
}

// makeRoomLocked is called before a new key comes, when the shard may hold most.
func (s *tableShard) makeRoomLocked(most int, now int64) {
	if len(s.levels) < most {
		s.dropLocked(now, sweepScan)
		return
	}
	if earliest, dropped := s.dropLocked(now, evictionScan); dropped == 0 {
		delete(s.levels, earliest)
	}
}

// dropLocked looks at some entries and drops those whose TAT is not after now.
// It returns the key with the earliest TAT of the others. The look is bounded,
// so a table full of active keys does not stall its callers.
func (s *tableShard) dropLocked(now int64, look int) (earliest Key, dropped int) {
	var earliestTAT int64
	seen := 0
	for key, v := range s.levels {
		if v.tat <= now {
			delete(s.levels, key)
			dropped++
		} else if seen == dropped || v.tat < earliestTAT {
			earliest, earliestTAT = key, v.tat
		}
		if seen++; seen == look {
			break
		}
	}
	return earliest, dropped
}
