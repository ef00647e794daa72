package engine

import (
	"slices"
	"time"

	"posthaste/event"
)

// read is called at the start of each read; it leaves mu locked unless it fails.
func (f *fakeStore) read(op string) error {
	if f.reading != nil {
		f.reading()
	}
	if f.broken != nil {
		if err := f.broken(op); err != nil {
			return err
		}
	}
	f.mu.Lock()
	if op != "event" {
		f.reads++
	}
	return nil
}

func (f *fakeStore) Event(_, id event.ID) (*event.Event, error) {
	if err := f.read("event"); err != nil {
		return nil, err
	}
	defer f.mu.Unlock()
	ev := f.state.events[id]
	if ev == nil {
		return nil, event.ErrNotFound
	}
	c := *ev
	c.Owed = f.state.owedFor[id]
	return &c, nil
}

func (f *fakeStore) ReadOwed(dst []event.Delivery, endpoint, after, upTo event.ID, limit int) ([]event.Delivery, event.ID, error) {
	if err := f.read("owed"); err != nil {
		return dst, after, err
	}
	defer f.mu.Unlock()
	if limit <= 0 {
		f.state.complain("ReadOwed with limit %d", limit)
	}
	rows := f.state.owed[endpoint]
	i, found := slices.BinarySearchFunc(rows, after, func(r *row, id event.ID) int { return r.created.ID.Compare(id) })
	if found {
		i++
	}
	const maxScanned = 512
	last := after
	for looked := 0; i < len(rows) && rows[i].created.ID.Compare(upTo) <= 0; i, looked = i+1, looked+1 {
		if limit == 0 || looked == maxScanned {
			return dst, last, nil
		}
		last = rows[i].created.ID
		if rows[i].outcomes == 0 && rows[i].created.Status.Owed() {
			dst = append(dst, rows[i].created)
			limit--
		}
	}
	if limit == 0 {
		return dst, last, nil
	}
	return dst, upTo, nil
}

func (f *fakeStore) ReadTimers(dst []event.Delivery, endpoint event.ID, afterDue uint64, afterID event.ID, until uint64, limit int) ([]event.Delivery, uint64, error) {
	if err := f.read("timers"); err != nil {
		return dst, 0, err
	}
	defer f.mu.Unlock()
	if limit <= 0 {
		f.state.complain("ReadTimers with limit %d", limit)
	}
	list := f.state.timers[endpoint]
	i, found := slices.BinarySearchFunc(list, timer{due: afterDue, id: afterID}, compareTimers)
	if found {
		i++
	}
	for ; i < len(list); i++ {
		if list[i].due > until || limit == 0 {
			return dst, list[i].due, nil
		}
		dst = append(dst, list[i].d)
		limit--
	}
	return dst, 0, nil
}

func (f *fakeStore) Recover(owns func(uint16) bool, behind func(event.Behind), timer func(event.Timer), health func(event.Health)) error {
	first, newest := f.recoverDeliveries()
	f.mu.Lock()
	f.horizon = max(f.clock, newest)
	f.clock = f.horizon + 1
	var timers []event.Timer
	for ep, list := range f.state.timers {
		if len(list) > 0 {
			timers = append(timers, event.Timer{Endpoint: ep, DueMilli: list[0].due})
		}
	}
	f.mu.Unlock()
	for ep, after := range first {
		behind(event.Behind{Endpoint: ep, After: after})
	}
	for _, t := range timers {
		timer(t)
	}
	for _, h := range f.ill() {
		health(h)
	}
	return nil
}

func (f *fakeStore) recoverDeliveries() (first map[event.ID]event.ID, newest uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first = make(map[event.ID]event.ID)
	for ep, after := range f.state.behind {
		first[ep] = after
	}
	for ep, rows := range f.state.owed {
		for _, r := range rows {
			id := r.created.ID
			if id.Time() < f.state.watermark {
				continue
			}
			newest = max(newest, id.Time())
			if r.outcomes > 0 || !r.created.Status.Owed() {
				continue
			}
			if after, known := first[ep]; !known || id.Compare(after) <= 0 {
				first[ep] = event.Before(id)
			}
		}
	}
	return first, newest
}

func (f *fakeStore) Now() time.Time {
	return time.Now().Round(0).UTC().Add(time.Duration(f.ahead.Load()))
}

func (f *fakeStore) Horizon(endpoint event.ID) event.ID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return event.DeliveryID(f.horizon, event.EndpointHash(endpoint), event.MaxDeliverySeq)
}

func (f *fakeStore) Partitions() int { return testPartitions }
