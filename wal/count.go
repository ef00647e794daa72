package wal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
	"posthaste/stats"
)

// What happened is counted as it is committed, and the counts are exact whatever ends the
// process:
//
//	group ──its counts, one record Q, in the same batch──► disk
//	      ──durable──► pending, in memory ──every 10 s──► rows N, and the records Q go, in one batch
//
// A start adds what it finds in records Q to the rows. Who reads adds what is pending.
const (
	foldEvery    = 10 * time.Second
	pendingPages = 1 << 16 // with more they are folded at once: about 20 MiB
	ageEvery     = time.Hour

	maxTypes    = 1000    // of a project that are counted by name, since the start
	maxAllTypes = 100_000 // of all projects
)

// counter is the part of the counts that is not in rows yet.
type counter struct {
	seq        uint64 // of the last record; the committer's, as are the next
	types      typeNames
	key, value []byte // of a record that is being made

	mu      sync.Mutex // guards what follows
	pending stats.Book // of groups that are durable
	upTo    uint64     // the record of the last of them

	// folding is locked while counts go from pending to rows, and read-locked by those
	// who read both.
	folding sync.RWMutex
	folded  uint64 // records up to here are in rows; under folding
	full    chan struct{}
	quit    chan struct{} // closed by Close
	done    chan struct{} // closed when foldLoop is gone
}

func (c *counter) init() {
	c.full, c.quit, c.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	c.types.seen = make(map[event.ID]map[string]struct{})
}

// typeNames bounds how many types are counted by name. It is the committer's.
type typeNames struct {
	seen map[event.ID]map[string]struct{}
	all  int
}

// of is the name under which a type is counted: its own, or "" for those beyond the bound.
func (t *typeNames) of(project event.ID, name string) string {
	names := t.seen[project]
	if _, known := names[name]; known {
		return name
	}
	if len(name) > stats.MaxTypeBytes || len(names) >= maxTypes || t.all >= maxAllTypes {
		return ""
	}
	if names == nil {
		names = make(map[string]struct{})
		t.seen[project] = names
	}
	name = strings.Clone(name) // it may be a part of a whole request
	names[name] = struct{}{}
	t.all++
	return name
}

// count writes what a group changes of the counts into its batch. Only the committer
// calls it, before it applies the group.
func (l *Log) count(g *group) {
	c := &l.counter
	for _, subs := range g.events {
		for i := range subs {
			if accepted(&subs[i]) {
				c.created(&g.book, &subs[i].Event)
			}
		}
	}
	for i := range g.settled {
		s := &g.settled[i]
		s.Type = c.types.of(s.Project, s.Type)
		g.book.Settle(s)
	}
	if g.book.Len() == 0 {
		return
	}
	c.seq++
	g.counted = c.seq
	c.key = appendCountedKey(c.key[:0], c.seq)
	c.value = stats.AppendBook(append(c.value[:0], make([]byte, recordHeaderLen)...), &g.book)
	seal(c.value, c.key)
	_ = g.batch.Set(c.key, c.value, nil)
}

func (c *counter) created(b *stats.Book, ev *event.Event) {
	if len(ev.Owed) == 0 {
		return
	}
	name := c.types.of(ev.ProjectID, ev.Type)
	for i := range ev.Owed {
		b.Created(&ev.Owed[i], name)
	}
}

// absorb takes up the counts of a group that is durable.
func (c *counter) absorb(g *group) {
	if g.counted == 0 {
		return
	}
	c.mu.Lock()
	c.pending.AddBook(&g.book)
	c.upTo = g.counted
	full := c.pending.Len() > pendingPages
	c.mu.Unlock()
	if full {
		poke(c.full)
	}
}

// settled is what the counts need of a settlement.
func (l *Log) settled(s *event.Settlement) stats.Settled {
	d := &s.Delivery
	c := stats.Settled{
		Project: d.ProjectID, Endpoint: d.EndpointID, Type: s.Type,
		Created: d.ID.Time(), Was: s.Was, Is: d.Status,
	}
	if a := s.Attempt; a != nil {
		c.Attempt, c.First = true, a.Number == 1
		c.Result, c.Took = stats.ResultField(a.Class, a.StatusCode), a.Duration
		c.Ended = timeMillis(a.StartedAt.Add(a.Duration))
	}
	return c
}

// findType reads the type of a settlement's event if the caller did not have it.
func (l *Log) findType(s *event.Settlement) {
	if s.Type != "" || s.Was == s.Delivery.Status && s.Attempt == nil {
		return
	}
	if !l.gate.TryRLock() {
		return // it closes
	}
	defer l.gate.RUnlock()
	if l.over() {
		return
	}
	key := appendEventKey(make([]byte, 0, eventKeyLen), s.Delivery.ProjectID, s.Delivery.EventID)
	value, closer, err := l.get(key)
	if err != nil {
		return // it is gone; then its type is counted as ""
	}
	defer closer.Close()
	if h, err := readHead(key, value); err == nil {
		s.Type = string(h.kind)
	}
}

// over reports whether the log takes no more.
func (l *Log) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed || l.failure() != nil
}

// foldLoop moves counts to rows until quit is closed.
func (l *Log) foldLoop() {
	c := &l.counter
	defer close(c.done)
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	var aged time.Time
	for {
		if now := time.Now(); now.Sub(aged) > ageEvery {
			aged = now
			l.ageCounts(now)
		}
		select {
		case <-tick.C:
		case <-c.full:
		case <-c.quit:
			return
		}
		if err := l.fold(); err != nil && l.failure() == nil && !errors.Is(err, event.ErrClosed) {
			l.o.Logger.Error().Err(err).Msg("counts were not written; trying again")
		}
	}
}

// fold writes what is pending to rows.
func (l *Log) fold() error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.gate.RUnlock()
	c := &l.counter
	c.folding.Lock()
	defer c.folding.Unlock()
	c.mu.Lock()
	book, upTo := c.pending, c.upTo
	c.pending = stats.Book{}
	c.mu.Unlock()
	if upTo == c.folded {
		return nil
	}
	err := l.writeCounts(&book, upTo)
	if err != nil { // the records are still there
		c.mu.Lock()
		c.pending.AddBook(&book)
		c.mu.Unlock()
	}
	return err
}

// writeCounts adds a book to the rows and removes the records up to one.
func (l *Log) writeCounts(book *stats.Book, upTo uint64) error {
	defer l.failOnPanic()
	b := l.db.NewBatch()
	defer b.Close()
	now := uint64(max(0, time.Now().UnixMilli()))
	var key, value []byte
	book.Each(func(p *stats.Page, cell stats.Cell) {
		at := uint64(p.Minute) * uint64(time.Minute/time.Millisecond)
		for i, level := range stats.Levels {
			if at+uint64(level.Keep.Milliseconds()) < now {
				continue // it would be removed
			}
			stretch, slot := level.Place(at)
			key = appendCountsKey(key[:0], i, stretch, &p.Series)
			value = stats.AppendRow(value[:0], stats.Row{{At: slot, Cell: cell}})
			if len(value) > 0 {
				_ = b.Merge(key, appendAddend(nil, key, value), nil)
			}
		}
	})
	_ = b.DeleteRange(appendCountedKey(nil, l.counter.folded), appendCountedKey(nil, upTo+1), nil)
	if err := l.db.Apply(b, pebble.NoSync); err != nil {
		return fmt.Errorf("write counts: %w", err)
	}
	l.counter.folded = upTo
	return nil
}

// ageCounts removes the rows that are older than their level is kept.
func (l *Log) ageCounts(now time.Time) {
	if l.enter() != nil {
		return
	}
	defer l.gate.RUnlock()
	defer l.failOnPanic()
	for i, level := range stats.Levels {
		end := now.Add(-level.Keep).UnixMilli()
		if end <= 0 {
			continue
		}
		stretch, _ := level.Place(uint64(end))
		start := []byte{kindCounts, byte(i)}
		if err := l.db.DeleteRange(start, binary.BigEndian.AppendUint32(start[:2:2], stretch), pebble.NoSync); err != nil {
			l.o.Logger.Error().Err(err).Msg("old counts were not removed")
		}
	}
}

// openCounts adds to the rows what the last process had not.
func (l *Log) openCounts() error {
	c := &l.counter
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindCounted}, UpperBound: []byte{kindCounted + 1}})
	if err != nil {
		return err
	}
	for valid := it.First(); valid && err == nil; valid = it.Next() {
		err = c.reopen(it)
	}
	if err = errors.Join(err, it.Error(), it.Close()); err != nil || c.seq == 0 {
		return err
	}
	err = l.writeCounts(&c.pending, c.seq)
	c.pending.Reset()
	c.upTo = c.seq
	return err
}

func (c *counter) reopen(it *pebble.Iterator) error {
	seq, err := decodeCounted(it.Key(), it.Value(), &c.pending)
	if err != nil {
		return err
	}
	c.seq = seq
	if c.folded == 0 {
		c.folded = seq - 1
	}
	return nil
}

// decodeCounted adds what a record Q counted to a book.
func decodeCounted(key, value []byte, into *stats.Book) (seq uint64, err error) {
	if err := checkKey(key, countedKeyLen); err != nil {
		return 0, err
	}
	r, err := open(key, value)
	if err != nil {
		return 0, err
	}
	if err := into.ParseBook(r.b); err != nil {
		return 0, &CorruptError{bytesClone(key), err.Error()}
	}
	return binary.BigEndian.Uint64(key[1:]), nil
}

// endCounts ends foldLoop. What is pending by then the next Open finds in records Q.
func (l *Log) endCounts() {
	close(l.counter.quit)
	<-l.counter.done
}
