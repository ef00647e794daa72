package ratelimit

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func keyOf(i int) (k Key) {
	binary.BigEndian.PutUint64(k[8:], uint64(i))
	return k
}

func TestTableKeepsKeysApart(t *testing.T) {
	table := NewTable(1000)
	l := PerDuration(1, time.Minute, 0)
	for i := range 100 {
		if wait := table.one(keyOf(i), l, start); wait != 0 {
			t.Fatalf("key %d, first: wait %v", i, wait)
		}
		if wait := table.one(keyOf(i), l, start); wait != time.Minute {
			t.Fatalf("key %d, second: wait %v", i, wait)
		}
	}
	if n := table.Len(); n != 100 {
		t.Errorf("%d keys, want 100", n)
	}
}

func TestTableWithoutLimitStoresNothing(t *testing.T) {
	table := NewTable(1000)
	if wait := table.one(keyOf(1), Limit{}, start); wait != 0 || table.Len() != 0 {
		t.Errorf("wait %v, %d keys", wait, table.Len())
	}
}

// TestTableForgetsTheExpiredFirst: a key whose TAT is to come stays limited
// while thousands of others come and expire. The shards are small enough for
// each look to see all of one.
func TestTableForgetsTheExpiredFirst(t *testing.T) {
	table := NewTable(8 * tableShards)
	slow, quick := PerDuration(1, time.Hour, 0), PerDuration(1, time.Millisecond, 0)
	now := start
	if wait := table.one(keyOf(0), slow, now); wait != 0 {
		t.Fatalf("wait %v", wait)
	}
	for i := 1; i <= 5000; i++ {
		now = now.Add(time.Millisecond)
		if wait := table.one(keyOf(i), quick, now); wait != 0 {
			t.Fatalf("key %d: wait %v", i, wait)
		}
	}
	if want := start.Add(time.Hour).Sub(now); table.one(keyOf(0), slow, now) != want {
		t.Error("the key that was not expired is forgotten")
	}
	if n := table.Len(); n > 8*tableShards {
		t.Errorf("%d keys, room for %d", n, 8*tableShards)
	}
}

func TestTableIsBoundedWhenAllAreActive(t *testing.T) {
	l := PerDuration(1, time.Hour, 0)
	for _, room := range []int{-1, 0, 1, 64, 65, 10_000} {
		table := NewTable(room)
		most := max(tableShards, (room+tableShards-1)/tableShards*tableShards)
		for i := range 20_000 {
			if wait := table.one(keyOf(i), l, start); wait != 0 {
				t.Fatalf("room %d, new key %d: wait %v", room, i, wait)
			}
		}
		if n := table.Len(); n > most || n < most/2 {
			t.Errorf("room %d: %d keys, want about %d and no more", room, n, most)
		}
	}
}

// one takes one token and tells how long it is away.
func (t *Table) one(key Key, l Limit, now time.Time) time.Duration {
	return t.Take(key, l, 1, now).Wait
}

// TestTableFullKeepsWhatItHas: only a new key makes another one go.
func TestTableFullKeepsWhatItHas(t *testing.T) {
	table := NewTable(2 * tableShards)
	l := PerDuration(1, time.Hour, 5)
	for i := range 5000 {
		table.one(keyOf(i), l, start)
	}
	full := table.Len()
	for i := range table.shards {
		for key := range table.shards[i].levels {
			if wait := table.one(key, l, start); wait != 0 || table.Len() != full {
				t.Fatalf("wait %v, %d keys of %d", wait, table.Len(), full)
			}
		}
	}
}

func TestEvict(t *testing.T) {
	f := func(now int64, want ...int64) {
		t.Helper()
		s := tableShard{levels: map[Key]level{keyOf(1): {tat: 30}, keyOf(2): {tat: 10}, keyOf(3): {tat: 20}}}
		s.makeRoomLocked(3, now)
		if len(s.levels) != len(want) {
			t.Fatalf("at %d: left %v, want %v", now, s.levels, want)
		}
		for _, tat := range want {
			found := false
			for _, got := range s.levels {
				found = found || got.tat == tat
			}
			if !found {
				t.Errorf("at %d: left %v, want %v", now, s.levels, want)
			}
		}
	}
	for range 20 { // the walk of a map starts anywhere
		f(5, 20, 30)
		f(10, 20, 30)
		f(20, 30)
		f(30)
	}
}

func TestEvictLooksAtFew(t *testing.T) {
	s := tableShard{levels: map[Key]level{}}
	for i := range 10 * evictionScan {
		s.levels[keyOf(i)] = level{tat: 1}
	}
	s.makeRoomLocked(len(s.levels), 1)
	if n := len(s.levels); n != 9*evictionScan {
		t.Errorf("%d left, want %d", n, 9*evictionScan)
	}
	s.makeRoomLocked(10*evictionScan, 1)
	if n := len(s.levels); n != 9*evictionScan-sweepScan {
		t.Errorf("%d left, want %d less", n, sweepScan)
	}
}

// TestTableForgetsWhileThereIsRoom: keys that come once do not pile up.
func TestTableForgetsWhileThereIsRoom(t *testing.T) {
	table := NewTable(1 << 20)
	l := PerDuration(1000, time.Second, 0)
	for i := range 50_000 {
		table.one(keyOf(i), l, start.Add(time.Duration(i)*time.Second))
	}
	if n := table.Len(); n > 10*tableShards {
		t.Errorf("%d keys are remembered, none of them for a reason", n)
	}
}

// TestTableConcurrently: of all who ask at one moment, exactly a burst is let
// through for each key.
func TestTableConcurrently(t *testing.T) {
	const keys, goroutines, rounds = 16, 8, 50
	table := NewTable(keys * tableShards)
	l := PerDuration(100, time.Second, 20)
	var taken [keys]atomic.Int64
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range keys * rounds {
				if table.one(keyOf(i%keys), l, start) == 0 {
					taken[i%keys].Add(1)
				}
				table.Len()
			}
		})
	}
	wg.Wait()
	for i := range taken {
		if n := taken[i].Load(); n != 20 {
			t.Errorf("key %d: %d taken, want 20", i, n)
		}
	}
}

func TestTableTakeDoesNotAllocate(t *testing.T) {
	table := NewTable(1000)
	l := PerDuration(5000, time.Minute, 0)
	now := start
	n := testing.AllocsPerRun(1000, func() {
		table.one(keyOf(1), l, now)
		now = now.Add(5 * time.Millisecond)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
