package wal

import (
	"errors"

	"posthaste/event"
)

// ofProject lists from the project's events, which name what they owe, and from the
// deliveries themselves where retention may have taken the events away. There is nothing
// to be found there of which the event is asked.
func (c *deliveryList) ofProject(r event.Range) error {
	hour, err := c.l.goneBefore(c.project)
	if err != nil {
		return err
	}
	if c.asksEvents() {
		hour = 0
	}
	seam := firstOfBucket(hour) // the first id that has its event
	parts := []func(event.Range, event.ID) error{c.withoutEvents, c.fromEvents}
	if r.Descending {
		parts[0], parts[1] = parts[1], parts[0]
	}
	for _, part := range parts {
		if c.done() {
			return nil
		}
		if err := part(r, seam); err != nil {
			return err
		}
	}
	return nil
}

// withoutEvents lists the deliveries before the seam, hour by hour.
func (c *deliveryList) withoutEvents(r event.Range, seam event.ID) error {
	from, to := bucketOf(r.From.Time()), min(bucketOf(seam.Time()), bucketOf(r.To.Time())+1)
	if from >= to {
		return nil
	}
	it, err := c.v.iter(kindDelivery)
	if err != nil {
		return err
	}
	for from < to && !c.done() {
		var hour uint32
		if r.Descending {
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
		if !c.m.allow(c.startOfHour(hour, r)) {
			return nil
		}
		w, err := newHourWalk(c.l, it, c.project, hour, r)
		if err != nil {
			return err
		}
		c.takeHour(w)
		for id, ok := w.next(); ok && !c.done(); id, ok = w.next() {
			if err := c.add(id); err != nil {
				return err
			}
		}
		if w.err != nil {
			return w.err
		}
		c.m.moved = true
	}
	return it.Error()
}

// startOfHour is where an hour begins in the listing's direction, within its range.
func (c *deliveryList) startOfHour(hour uint32, r event.Range) event.ID {
	if r.Descending {
		return earlierOf(r.To, event.Before(firstOfBucket(hour+1)))
	}
	return laterOf(r.From, firstOfBucket(hour))
}

// takeHour takes the cost of an hour's endpoints, of whatever project. The first hour of a
// listing leaves half the budget for its rows: the next page pays for the hour again.
func (c *deliveryList) takeHour(w *hourWalk) {
	cost := w.asked * costRow / 2
	if !c.m.moved {
		cost = min(cost, c.m.left/2)
	}
	c.m.left -= cost
}

// fromEvents walks the project's events from the seam on. Deliveries of one millisecond
// are put in the order of their ids before they are listed, so of one all events are
// read, whatever the budget says.
func (c *deliveryList) fromEvents(r event.Range, seam event.ID) error {
	r.From = laterOf(r.From, seam)
	if r.From.Compare(r.To) > 0 {
		return nil
	}
	it, err := c.v.iter(kindEvent)
	if err != nil {
		return err
	}
	c.byEvent = true
	defer func() { c.byEvent = false }()
	find := c.finder(r)
	if find != nil {
		find.hold = c.startingTime(r)
	}
	walk := r
	walk.From, walk.To = event.DeliveryID(r.From.Time(), 0, 0), lastOf(r.To.Time())
	var ids []event.ID
	var ms uint64
	var moved bool // the listing had, when it came to this millisecond
	w := newEventWalk(it, find, c.project, walk)
	for ; w.valid(); w.next() {
		h, err := readHead(it.Key(), it.Value())
		if err != nil {
			return err
		}
		if now := h.id.Time(); now != ms {
			if err := c.flush(ids, moved); err != nil || c.done() {
				return err
			}
			c.m.moved = c.m.moved || ms != 0
			moved = c.m.moved
			if !c.m.row(c.startOf(now)) {
				return nil
			}
			ids, ms = ids[:0], now
			if find != nil {
				find.hold = ms
			}
		} else {
			c.m.looked++
		}
		if c.words.pass(&h) {
			ids = h.appendOwed(ids, c.endpoints)
		}
	}
	return c.finish(w, ids, moved)
}

func (c *deliveryList) startingTime(r event.Range) uint64 {
	if r.Descending {
		return r.To.Time()
	}
	return r.From.Time()
}

// flush lists the deliveries of a millisecond. What the index passed over behind it is no
// progress yet.
func (c *deliveryList) flush(ids []event.ID, moved bool) error {
	if len(ids) == 0 {
		return nil
	}
	later := c.m.moved
	c.m.moved = moved
	err := c.addAll(ids)
	c.m.moved = c.m.moved || later
	return err
}

// finish lists the deliveries of the last millisecond. Where the index gave up, what is
// behind it is yet to be looked at.
func (c *deliveryList) finish(w *eventWalk, ids []event.ID, moved bool) error {
	if w.err != nil {
		return w.err
	}
	stopped, next := c.m.stopped, c.m.next
	c.m.stopped, c.m.next = false, event.ID{}
	if err := c.flush(ids, moved); err != nil || !stopped || c.done() {
		return err
	}
	c.m.stop(c.startOf(next.Time()))
	return nil
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
	it, err := c.v.iter(kindDelivery)
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
	return ids, errors.Join(w.err, it.Error())
}
