package wal

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"sync"
	"time"

	"posthaste/event"
)

// Append makes submissions durable: each event that has no Err, and a delivery
// for each endpoint in its Owed, all of them in one atomic batch. It sets their
// ids, which rise in commit order, and returns after the fsync; the Sink gets
// them right after. A submission whose idempotency key was seen before becomes a
// Duplicate, of which a row of its own is kept, or gets an Err if its content
// differs. Only what was posted is looked for: a replay carries its event's key.
//
// An error means that nothing was accepted: event.ErrClosed, the context's
// error while it waited for room, or the log's failure, which is final. The
// context does not cut short the wait for the disk: what is on its way is
// accepted.
func (l *Log) Append(ctx context.Context, subs []event.Submission) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	keyed, err := l.claimKeys(ctx, subs)
	if err != nil {
		return err
	}
	switch {
	case anyReplay(subs):
		err = l.commitReplays(subs, keyed)
	case slices.ContainsFunc(subs, kept):
		err = l.commit(subs, keyed)
	}
	if keyed != nil {
		l.idem.release(keyed.keys)
	}
	return err
}

// commit puts the submissions into the group and waits until it is durable.
func (l *Log) commit(subs []event.Submission, keyed *claims) error {
	o, err := l.enqueue(subs, keyed)
	if err != nil {
		return err
	}
	return o.wait()
}

func anyReplay(subs []event.Submission) bool {
	for i := range subs {
		if subs[i].Event.Origin == event.Replayed {
			return true
		}
	}
	return false
}

// commitReplays is commit for a request with replays. Between the look at what they
// repeat and their place in a group, nothing of that is removed.
func (l *Log) commitReplays(subs []event.Submission, keyed *claims) error {
	o, err := l.enqueueReplays(subs, keyed)
	if o == nil {
		return err
	}
	return o.wait()
}

// enqueueReplays returns nil if there is nothing to wait for.
func (l *Log) enqueueReplays(subs []event.Submission, keyed *claims) (*outcome, error) {
	if err := l.enter(); err != nil {
		return nil, err
	}
	defer l.gate.RUnlock()
	l.freezing.RLock()
	defer l.freezing.RUnlock()
	if err := l.refuseReplays(subs); err != nil || !slices.ContainsFunc(subs, kept) {
		return nil, err
	}
	return l.enqueue(subs, keyed)
}

func (l *Log) enqueue(subs []event.Submission, keyed *claims) (*outcome, error) {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	s.prepare(subs)
	now := uint64(l.o.Clock.Now().UnixMilli())

	g, err := l.reserve()
	if err != nil {
		return nil, err
	}
	l.clock = max(l.clock, now)
	for i := range subs {
		if !accepted(&subs[i]) {
			continue
		}
		l.addEvent(g, &subs[i].Event, s, i)
	}
	if keyed != nil {
		l.addKeys(g, keyed, subs)
		l.addDuplicates(g, subs, s)
	}
	o := g.outcome
	g.events = append(g.events, subs)
	g.ids = true
	l.mu.Unlock()
	poke(l.wake)
	if s.ended {
		poke(l.index)
	}
	return o, nil
}

// accepted reports whether the submission is an event of its own.
func accepted(s *event.Submission) bool { return s.Err == nil && !s.Duplicate }

// kept reports whether the submission leaves a record: all do that were not refused.
func kept(s event.Submission) bool { return s.Err == nil }

// scratch holds the encoded meta data of a request's events, built before the
// group is locked.
type scratch struct {
	meta    []byte
	ends    []int
	crcs    []uint32
	tags    []tag // of all events, and where each one's end
	tagEnds []int
	ended   bool // stretches of the index did
	key     []byte
	val     []byte
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

const maxScratchBytes = 1 << 20

func (s *scratch) prepare(subs []event.Submission) {
	if cap(s.meta) > maxScratchBytes {
		s.meta, s.tags = nil, nil
	}
	s.meta, s.ends, s.crcs = s.meta[:0], s.ends[:0], s.crcs[:0]
	s.tags, s.tagEnds, s.ended = s.tags[:0], s.tagEnds[:0], false
	for i := range subs {
		var crc uint32
		switch {
		case accepted(&subs[i]):
			s.meta = appendEventMeta(s.meta, &subs[i].Event)
			s.tags = appendTags(s.tags, &subs[i].Event, subs[i].Event.Owed)
			crc = crc32.Checksum(subs[i].Event.Data, castagnoli)
		case subs[i].Duplicate:
			s.meta = appendDuplicateMeta(s.meta, &subs[i].Event)
			s.tags = appendTags(s.tags, &subs[i].Event, nil)
		}
		s.ends, s.crcs = append(s.ends, len(s.meta)), append(s.crcs, crc)
		s.tagEnds = append(s.tagEnds, len(s.tags))
	}
}

func (s *scratch) metaOf(i int) []byte {
	start := 0
	if i > 0 {
		start = s.ends[i-1]
	}
	return s.meta[start:s.ends[i]]
}

func (s *scratch) tagsOf(i int) []tag {
	start := 0
	if i > 0 {
		start = s.tagEnds[i-1]
	}
	return s.tags[start:s.tagEnds[i]]
}

// addEvent gives an event and its deliveries their ids and writes them into the
// group. The caller holds mu.
func (l *Log) addEvent(g *group, ev *event.Event, s *scratch, i int) {
	first := l.nextSeq(len(ev.Owed) + 1)
	ev.ID = event.DeliveryID(l.clock, l.node, first)
	meta := s.metaOf(i)
	putMillis(meta[eventSeqOffset:], first+1)

	s.ended = l.indexer.note(ev.ProjectID, ev.ID, s.tagsOf(i)) || s.ended
	op := g.batch.SetDeferred(eventKeyLen, len(meta)+len(ev.Data))
	appendEventKey(op.Key[:0], ev.ProjectID, ev.ID)
	sealEvent(meta, op.Key, s.crcs[i])
	copy(op.Value[copy(op.Value, meta):], ev.Data)
	_ = op.Finish()
	if ev.Origin == event.Replayed {
		s.key = appendReplayKey(s.key[:0], ev.ProjectID, ev.Of, ev.ID)
		_ = g.batch.Set(s.key, nil, nil)
	}

	for j := range ev.Owed {
		d := &ev.Owed[j]
		d.ID = event.DeliveryID(l.clock, event.EndpointHash(d.EndpointID), first+1+uint64(j))
		d.EventID, d.ProjectID = ev.ID, ev.ProjectID
		d.UpdatedAt = time.UnixMilli(int64(l.clock)).UTC()
		l.addDelivery(g, d, s)
	}
	g.stats.Events++
}

func (l *Log) addDelivery(g *group, d *event.Delivery, s *scratch) {
	s.key = appendDeliveryKey(s.key[:0], d.ID, l.partitions, 0)
	s.val = appendDeliveryBody(append(s.val[:0], make([]byte, recordHeaderLen)...), d)
	seal(s.val, s.key)
	_ = g.batch.Set(s.key, s.val, nil)
	if d.Status.Exceptional() {
		s.key = appendStatusKey(s.key[:0], d.ProjectID, d.Status, d.ID)
		_ = g.batch.Set(s.key, nil, nil)
	}
}

// nextSeq takes n sequence numbers in a row. The caller holds mu.
func (l *Log) nextSeq(n int) uint64 {
	if l.seq+uint64(n) > event.MaxDeliverySeq {
		l.seq = 0
		l.clock++ // ids stay greater than all before
	}
	first := l.seq
	l.seq += uint64(n)
	return first
}

func putMillis(dst []byte, v uint64) {
	binary.BigEndian.PutUint16(dst, uint16(v>>32))
	binary.BigEndian.PutUint32(dst[2:], uint32(v))
}
