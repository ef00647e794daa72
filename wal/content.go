package wal

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// DeleteContent removes the data of an event and of its replays, and what was recorded
// of the requests and answers of their deliveries, and keeps what describes them:
// types, times, states, sizes of attempts. It is durable when DeleteContent
// returns; the bytes leave the disk when their files are compacted or rewritten.
//
// It is an event.ErrConflict while one of the deliveries is owed, and for a duplicate,
// which has no content of its own; event.ErrNotFound if the project has no such
// event. A second call finds nothing more to do.
func (l *Log) DeleteContent(project, id event.ID) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.gate.RUnlock()
	ev, err := l.stored(project, id)
	if err != nil {
		return err
	}
	switch ev.Origin {
	case event.Duplicate:
		return &event.StateError{Reason: fmt.Sprintf("the event repeats event %s: delete that one's content", ev.Of)}
	case event.Replayed:
		id = ev.Of // all that carry the data
	}
	l.freezing.Lock()
	defer l.freezing.Unlock()
	if err := l.Flush(); err != nil { // what was settled can be read from here on
		return err
	}
	family, err := l.family(project, id, ev.ID)
	if err != nil {
		return err
	}
	c := contentDeletion{l: l, batch: l.db.NewBatch()}
	defer func() { _ = c.batch.Close() }()
	for _, ev := range family {
		if err := c.owesNothing(ev); err != nil {
			return err
		}
	}
	for _, ev := range family {
		if err := c.event(ev); err != nil {
			return err
		}
	}
	return c.commit()
}

// family reads an event and its replays, as far as they are there. One of them is
// known to be.
func (l *Log) family(project, original, one event.ID) ([]*storedEvent, error) {
	ids, err := l.replaysOf(project, original)
	if err != nil {
		return nil, err
	}
	ids = append([]event.ID{original}, ids...)
	var family []*storedEvent
	found := false
	for _, id := range ids {
		ev, err := l.stored(project, id)
		if errors.Is(err, event.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		family, found = append(family, ev), found || id == one
	}
	if !found { // its entry went with the history of the original
		ev, err := l.stored(project, one)
		if err != nil {
			return nil, err
		}
		family = append(family, ev)
	}
	return family, nil
}

// contentDeletion collects rewritten rows, and commits them now and then.
type contentDeletion struct {
	l     *Log
	batch *pebble.Batch
}

func (c *contentDeletion) owesNothing(ev *storedEvent) error {
	return c.l.withIter(func(it *pebble.Iterator) error {
		for i := range ev.Owed {
			d, err := c.l.readDelivery(it, ev.Owed[i].ID)
			if errors.Is(err, event.ErrNotFound) && it.Error() == nil {
				continue
			}
			if err != nil {
				return err
			}
			if d.Status.Owed() {
				return &event.StateError{Reason: fmt.Sprintf("delivery %s of the event is still owed (%s): its content is needed", d.ID, d.Status)}
			}
		}
		return nil
	})
}

// event rewrites an event and the rows of its deliveries. Its deliveries come first: if
// the process ends in between, the event still says that there is something to do.
func (c *contentDeletion) event(ev *storedEvent) error {
	err := c.l.withIter(func(it *pebble.Iterator) error {
		for i := range ev.Owed {
			if err := c.delivery(it, ev.Owed[i].ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || ev.flags&flagContentDeleted != 0 {
		return err
	}
	key := appendEventKey(nil, ev.ProjectID, ev.ID)
	_ = c.batch.Set(key, withoutContent(ev, key), nil)
	bucket := bucketOf(ev.ID.Time())
	_ = c.batch.Delete(appendSizeKey(nil, bucket, ev.ProjectID), nil)
	c.l.retained.sizes.forget(ev.ProjectID, bucket)
	return c.commit()
}

// withoutContent is an event's record of version 2, without data.
func withoutContent(ev *storedEvent, key []byte) []byte {
	value := appendEventMeta2(nil, &ev.Event)
	copy(value[eventSeqOffset:], ev.meta[eventSeqOffset:eventSeqOffset+6])
	value[eventFlagsOffset] |= ev.flags | flagContentDeleted
	sealEvent(value, key, 0)
	return value
}

// delivery rewrites the rows of a delivery's attempts without what was sent and
// answered.
func (c *contentDeletion) delivery(it *pebble.Iterator, id event.ID) error {
	d, err := c.l.seekDelivery(it, id)
	if errors.Is(err, event.ErrNotFound) && it.Error() == nil {
		return nil
	}
	if err != nil {
		return err
	}
	for it.Next() && isRowOf(it.Key(), id) {
		s, a := event.Settlement{Delivery: d}, event.Attempt{}
		holds, err := decodeOutcome(it.Key(), it.Value(), &s.Delivery, &a)
		if err != nil {
			return err
		}
		if !holds || len(a.RequestHeaders)+len(a.ResponseHeaders)+len(a.ResponseBody) == 0 {
			continue
		}
		a.RequestHeaders, a.ResponseHeaders, a.ResponseBody = nil, nil, nil
		s.Attempt = &a
		key := bytesClone(it.Key())
		value := appendOutcomeBody(make([]byte, recordHeaderLen), &s)
		seal(value, key)
		_ = c.batch.Set(key, value, nil)
	}
	if c.batch.Len() > c.l.o.GroupBytes {
		return c.commit()
	}
	return it.Error()
}

func (c *contentDeletion) commit() error {
	if c.batch.Empty() {
		return nil
	}
	if err := c.l.commitNow(c.batch); err != nil {
		return err
	}
	_ = c.batch.Close()
	c.batch = c.l.db.NewBatch()
	return nil
}
