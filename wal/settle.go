package wal

import (
	"errors"

	"posthaste/event"
)

// Settle writes the end of an attempt, or a change of state without one: the
// delivery's new row, its timer if it waits, its entry in the index of the
// exceptional. It returns as soon as the records are in the group that is being
// built; they ride with the next intake's fsync. A crash before that repeats the
// attempt. It waits while the group is full, and keeps no reference to s.
//
// Of a delivery that had ended, nothing is written if it has been removed since, or
// if it is to be owed again and its event or the event's content has. That is
// event.ErrNotFound or event.ErrConflict where no attempt was made, and no error
// where one was: its outcome is of no use any more.
func (l *Log) Settle(s *event.Settlement) error {
	l.findType(s)
	b := scratches.Get().(*scratch)
	defer scratches.Put(b)
	row := outcomeRow(s)
	b.key = appendDeliveryKey(b.key[:0], s.Delivery.ID, l.partitions, row)
	b.val = appendOutcomeBody(append(b.val[:0], make([]byte, recordHeaderLen)...), s)
	seal(b.val, b.key)

	if !s.Was.Owed() {
		return l.settleEnded(s, b)
	}
	g, err := l.reserveFor(&s.Delivery)
	if err != nil {
		return err
	}
	l.addOutcome(g, s, b)
	return nil
}

// addOutcome writes a settlement, encoded in b, into the group, and unlocks mu, which
// the caller holds.
func (l *Log) addOutcome(g *group, s *event.Settlement, b *scratch) {
	first := g.empty()
	_ = g.batch.Set(b.key, b.val, nil)
	l.moveTimer(g, s, b)
	l.moveStatus(g, s, b)
	if l.o.Tail != nil && l.o.Tail.Wanted() {
		g.outcomes = append(g.outcomes, s.Outcome())
	}
	g.settled = append(g.settled, l.settled(s))
	g.stats.Settlements++
	l.mu.Unlock()
	if first {
		poke(l.lazy)
	}
}

// settleEnded settles a delivery that had ended, and that may have been removed
// therefore: it is retried by hand, or was written off before its only attempt.
func (l *Log) settleEnded(s *event.Settlement, b *scratch) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.gate.RUnlock()
	l.freezing.RLock()
	defer l.freezing.RUnlock()
	gone := l.remains(s)
	switch {
	case gone == nil:
	case errors.Is(gone, errContentDeleted) && !s.Delivery.Status.Owed():
		b.val = appendOutcomeBody(b.val[:recordHeaderLen], withoutBodies(s))
		seal(b.val, b.key)
		gone = nil
	case !errors.Is(gone, event.ErrNotFound) && !errors.Is(gone, event.ErrConflict):
		return gone
	}
	g, err := l.reserve()
	if err != nil {
		return err
	}
	if gone == nil {
		l.addOutcome(g, s, b)
		return nil
	}
	l.drop(g, s, b)
	if s.Attempt != nil {
		return nil
	}
	return gone
}

// withoutBodies is a copy of a settlement without what was sent and answered.
func withoutBodies(s *event.Settlement) *event.Settlement {
	if s.Attempt == nil {
		return s
	}
	copied, a := *s, *s.Attempt
	a.RequestHeaders, a.ResponseHeaders, a.ResponseBody = nil, nil, nil
	copied.Attempt = &a
	return &copied
}

// drop takes a delivery that is gone off the timer index. The Sink is told of the
// retry it may wait for, which it will not find. The caller holds mu, which drop
// unlocks.
func (l *Log) drop(g *group, s *event.Settlement, b *scratch) {
	d := &s.Delivery
	first := g.empty()
	_ = g.batch.LogData([]byte{kindHeader}, nil)
	l.leaveTimer(g, s, b)
	if d.Status == event.Retry {
		g.timers = append(g.timers, event.Timer{Endpoint: d.EndpointID, DueMilli: timeMillis(d.Due)})
	}
	l.mu.Unlock()
	if first {
		poke(l.lazy)
	}
}

// maxRow is the last row of a delivery. All that come later take its place;
// event.MaxAttempts is far below it.
const maxRow = 0xFFFE

func outcomeRow(s *event.Settlement) uint16 {
	row := 2*s.Delivery.Attempts + 1
	if s.Attempt != nil {
		row = 2 * s.Attempt.Number
	}
	return uint16(min(row, maxRow))
}

// moveTimer takes the delivery off the timer index, or puts it at its new time.
// The caller holds mu.
func (l *Log) moveTimer(g *group, s *event.Settlement, b *scratch) {
	d := &s.Delivery
	l.leaveTimer(g, s, b)
	if d.Status != event.Retry {
		return
	}
	due := timeMillis(d.Due)
	b.key = appendTimerKey(b.key[:0], d.EndpointID, l.partitions, due, d.ID)
	b.val = appendTimerBody(append(b.val[:0], make([]byte, recordHeaderLen)...), d)
	seal(b.val, b.key)
	_ = g.batch.Set(b.key, b.val, nil)
	g.timers = append(g.timers, event.Timer{Endpoint: d.EndpointID, DueMilli: due})
}

func (l *Log) leaveTimer(g *group, s *event.Settlement, b *scratch) {
	if s.Timer.IsZero() {
		return
	}
	b.key = appendTimerKey(b.key[:0], s.Delivery.EndpointID, l.partitions, timeMillis(s.Timer), s.Delivery.ID)
	_ = g.batch.Delete(b.key, nil)
}

// moveStatus keeps the index of the exceptional. The caller holds mu.
func (l *Log) moveStatus(g *group, s *event.Settlement, b *scratch) {
	d := &s.Delivery
	if s.Was == d.Status {
		return
	}
	if s.Was.Exceptional() {
		b.key = appendStatusKey(b.key[:0], d.ProjectID, s.Was, d.ID)
		_ = g.batch.Delete(b.key, nil)
	}
	if d.Status.Exceptional() {
		b.key = appendStatusKey(b.key[:0], d.ProjectID, d.Status, d.ID)
		_ = g.batch.Set(b.key, nil, nil)
	}
}

// SetMark moves the places from which recovery reads. Like a settlement it joins
// the group that is being built, behind every settlement that came before it, so
// that a mark is never durable before what it vouches for.
func (l *Log) SetMark(m event.Mark) error {
	g, err := l.reserve()
	if err != nil {
		return err
	}
	defer l.mu.Unlock()
	first := g.empty()
	if m.Watermark != 0 {
		l.setWatermark(g, m.Watermark, m.Partitions)
	}
	for i := range m.Behind {
		key := appendBehindKey(nil, m.Behind[i].Endpoint, l.partitions)
		value := append(make([]byte, recordHeaderLen), m.Behind[i].After[:]...)
		seal(value, key)
		_ = g.batch.Set(key, value, nil)
	}
	for i := range m.CaughtUp {
		_ = g.batch.Delete(appendBehindKey(nil, m.CaughtUp[i], l.partitions), nil)
	}
	for i := range m.Health {
		l.setHealth(g, &m.Health[i])
	}
	if first && !g.empty() {
		poke(l.lazy)
	}
	return nil
}

func sealedMillis(key []byte, ms uint64) []byte {
	value := appendMillis(make([]byte, recordHeaderLen), ms)
	seal(value, key)
	return value
}

// Flush returns when everything that was settled before is durable, or with
// Options.Relaxed committed. What was acknowledged before, by Append or an earlier
// Flush, has been handed to the Sink by then.
func (l *Log) Flush() error {
	g, err := l.reserve()
	if err != nil {
		return err
	}
	o := g.outcome
	_ = g.batch.LogData([]byte{kindHeader}, nil)
	l.mu.Unlock()
	poke(l.wake)
	return o.wait()
}
