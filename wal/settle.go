package wal

import "posthaste/event"

// Settle writes the end of an attempt, or a change of state without one: the
// delivery's new row, its timer if it waits, its entry in the index of the
// exceptional. It returns as soon as the records are in the group that is being
// built; they ride with the next intake's fsync. A crash before that repeats the
// attempt. It waits while the group is full, and keeps no reference to s.
func (l *Log) Settle(s *event.Settlement) error {
	b := scratches.Get().(*scratch)
	defer scratches.Put(b)
	row := outcomeRow(s)
	b.key = appendDeliveryKey(b.key[:0], s.Delivery.ID, l.partitions, row)
	b.val = appendOutcomeBody(append(b.val[:0], make([]byte, recordHeaderLen)...), s)
	seal(b.val, b.key)

	g, err := l.reserve()
	if err != nil {
		return err
	}
	first := g.empty()
	_ = g.batch.Set(b.key, b.val, nil)
	l.moveTimer(g, s, b)
	l.moveStatus(g, s, b)
	g.stats.Settlements++
	l.mu.Unlock()
	if first {
		poke(l.lazy)
	}
	return nil
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
	if !s.Timer.IsZero() {
		b.key = appendTimerKey(b.key[:0], d.EndpointID, l.partitions, timeMillis(s.Timer), d.ID)
		_ = g.batch.Delete(b.key, nil)
	}
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
		key := appendWatermarkKey(nil, allPartitions)
		_ = g.batch.Set(key, sealedMillis(key, m.Watermark), nil)
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
// Options.Relaxed committed. For the end of a graceful stop and for tests.
func (l *Log) Flush() error {
	g, err := l.reserve()
	if err != nil {
		return err
	}
	w := waiters.Get().(*waiter)
	_ = g.batch.LogData([]byte{kindHeader}, nil)
	g.waiters = append(g.waiters, w)
	l.mu.Unlock()
	poke(l.wake)
	return l.wait(w)
}
