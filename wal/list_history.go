package wal

import (
	"errors"

	"posthaste/event"
)

// ofProject lists from the project's events, which name what they owe, and from the
// deliveries themselves where retention may have taken the events away.
func (c *deliveryList) ofProject() error {
	hour, err := c.l.goneBefore(c.project)
	if err != nil {
		return err
	}
	seam := event.DeliveryID(uint64(hour)*bucketMillis, 0, 0) // the first id that has its event
	parts := []func(event.ID) error{c.withoutEvents, c.fromEvents}
	if c.r.Descending {
		parts[0], parts[1] = parts[1], parts[0]
	}
	for _, part := range parts {
		if c.full() {
			return nil
		}
		if err := part(seam); err != nil {
			return err
		}
	}
	return nil
}

// withoutEvents lists the deliveries before the seam, hour by hour.
func (c *deliveryList) withoutEvents(seam event.ID) error {
	from, to := bucketOf(c.r.From.Time()), bucketOf(seam.Time())
	if c.r.To != (event.ID{}) {
		to = min(to, bucketOf(c.r.To.Time())+1)
	}
	if from >= to {
		return nil
	}
	it, err := c.iter(kindDelivery)
	if err != nil {
		return err
	}
	for from < to && !c.full() {
		var hour uint32
		if c.r.Descending {
			if !it.SeekLT(appendBucket(nil, kindDelivery, to)) || bucketOfKey(it.Key()) < from {
				return it.Error()
			}
			hour = bucketOfKey(it.Key())
			to = hour
		} else {
			if !it.SeekGE(appendBucket(nil, kindDelivery, from)) || bucketOfKey(it.Key()) >= to {
				return it.Error()
			}
			hour = bucketOfKey(it.Key())
			from = hour + 1
		}
		w, err := newHourWalk(c.l, it, c.project, hour, c.r)
		if err != nil {
			return err
		}
		for id, ok := w.next(); ok && !c.full(); id, ok = w.next() {
			if err := c.add(id); err != nil {
				return err
			}
		}
	}
	return it.Error()
}

// fromEvents walks the project's events from the seam on. Deliveries of one
// millisecond are put in the order of their ids before they are listed.
func (c *deliveryList) fromEvents(seam event.ID) error {
	var ids []event.ID
	var ms uint64
	walk := c.r
	if walk.To != (event.ID{}) {
		walk.To = event.DeliveryID(walk.To.Time(), 0xFFFFFFFF, event.MaxDeliverySeq)
	}
	walk.From = event.DeliveryID(max(walk.From.Time(), seam.Time()), 0, 0)
	it, err := c.iter(kindEvent)
	if err != nil {
		return err
	}
	err = walkEventsOf(it, c.project, walk, func(key, value []byte) (bool, error) {
		ev, _, err := decodeEventMeta(key, value)
		if err != nil {
			return false, err
		}
		if ev.ID.Time() != ms {
			if err := c.addAll(ids); err != nil || c.full() {
				return false, err
			}
			ids, ms = ids[:0], ev.ID.Time()
		}
		ids = owedIDs(ev, ids)
		return true, nil
	})
	if err != nil {
		return err
	}
	return c.addAll(ids)
}

// ofEvent lists what an event and its replays owe.
func (c *deliveryList) ofEvent() error {
	replays, err := c.l.replaysOf(c.project, c.f.EventID)
	if err != nil {
		return err
	}
	var ids []event.ID
	for _, id := range append(replays, c.f.EventID) {
		owed, err := c.owedBy(id)
		if err != nil {
			return err
		}
		ids = append(ids, owed...)
	}
	return c.addAll(ids)
}

// owedBy lists the deliveries of one event: it names them, or, if it is gone, they
// name it.
func (c *deliveryList) owedBy(id event.ID) ([]event.ID, error) {
	ev, err := c.l.stored(c.project, id)
	if err == nil {
		return owedIDs(&ev.Event, nil), nil
	}
	if !errors.Is(err, event.ErrNotFound) {
		return nil, err
	}
	hour, err := c.l.goneBefore(c.project)
	if err != nil || bucketOf(id.Time()) >= hour {
		return nil, err
	}
	it, err := c.iter(kindDelivery)
	if err != nil {
		return nil, err
	}
	sameTime := event.Range{From: event.DeliveryID(id.Time(), 0, 0), To: event.DeliveryID(id.Time(), 0xFFFFFFFF, event.MaxDeliverySeq)}
	w, err := newHourWalk(c.l, it, c.project, bucketOf(id.Time()), sameTime)
	if err != nil {
		return nil, err
	}
	var ids []event.ID
	for d, ok := w.next(); ok; d, ok = w.next() {
		created, err := c.l.seekDelivery(c.it, d)
		if err != nil {
			return nil, err
		}
		if created.EventID == id && created.ProjectID == c.project {
			ids = append(ids, d)
		}
	}
	return ids, it.Error()
}
