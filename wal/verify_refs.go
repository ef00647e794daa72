package wal

import (
	"errors"

	"posthaste/event"
)

// What records say of each other, as FORMAT.md promises it. All of it is written in one
// batch, so no crash can tear it apart; retention removes whole hours, and what it may
// have removed is not missed.

// event looks for the deliveries that an event owes.
func (r *rowVerifier) event(ev *event.Event) {
	r.newest = max(r.newest, ev.ID.Time())
	if bucketOf(ev.ID.Time()) < r.most[history] {
		return
	}
	for i := range ev.Owed {
		d := &ev.Owed[i]
		if !r.exists(appendDeliveryKey(nil, d.ID, r.l.partitions, 0)) {
			r.refs.find(Broken, "event %s of project %s owes delivery %s to endpoint %s, and that is gone: it will not be made; %s", ev.ID, ev.ProjectID, d.ID, d.EndpointID, restore)
		}
	}
}

// endDelivery looks at what the rows of a delivery lead to, once all were read.
func (r *rowVerifier) endDelivery() {
	if r.rows == 0 {
		return
	}
	d, rows := &r.delivery, r.rows
	r.rows = 0
	r.newest = max(r.newest, d.ID.Time())
	bucket := bucketOf(d.ID.Time())
	if bucketOf(d.EventID.Time()) >= r.goneBefore(d.ProjectID) && !r.exists(appendEventKey(nil, d.ProjectID, d.EventID)) {
		r.refs.find(Broken, "delivery %s of project %s has no event: %s is gone; %s", d.ID, d.ProjectID, d.EventID, restore)
	}
	if d.Status.Exceptional() && bucket >= r.most[history] && !r.exists(appendStatusKey(nil, d.ProjectID, d.Status, d.ID)) {
		r.refs.find(Broken, "delivery %s of project %s is in %s, and listings by status do not find it", d.ID, d.ProjectID, d.Status)
	}
	if d.Status == event.Retry && !r.exists(appendTimerKey(nil, d.EndpointID, r.l.partitions, timeMillis(d.Due), d.ID)) {
		r.refs.find(Broken, "delivery %s to endpoint %s waits for a retry and has no timer: it will not be made; retry it by hand", d.ID, d.EndpointID)
	}
	if rows == 1 && d.Status.Owed() && d.ID.Time() < r.mark {
		if after, behind := r.behind[d.EndpointID]; !behind || d.ID.Compare(after) <= 0 {
			r.refs.find(Broken, "delivery %s to endpoint %s is owed, and the watermark has passed it: it will not be made; retry it by hand", d.ID, d.EndpointID)
		}
	}
}

// goneBefore is the hour before which events of a project may have been removed.
func (r *rowVerifier) goneBefore(project event.ID) uint32 {
	if p, own := r.gone[project]; own {
		return p[gone]
	}
	return r.gone[event.ID{}][gone]
}

// timer looks for the delivery that a timer is of.
func (r *rowVerifier) timer(t *event.Delivery) {
	d, err := r.stored(t.ID)
	switch {
	case errors.Is(err, event.ErrNotFound):
		r.refs.find(Warning, "a timer of endpoint %s leads to delivery %s, which is gone", t.EndpointID, t.ID)
	case err == nil && (d.Status != event.Retry || timeMillis(d.Due) != timeMillis(t.Due)):
		r.refs.find(Broken, "a timer of delivery %s is due at %s, and the delivery is in %s, due at %s: it may be made once more than it should", t.ID, t.Due, d.Status, d.Due)
	}
}

// status looks for the delivery of an entry in the status index.
func (r *rowVerifier) status(key []byte) {
	var id event.ID
	copy(id[:], key[statusKeyLen-16:])
	is := event.Status(key[21])
	d, err := r.stored(id)
	switch {
	case errors.Is(err, event.ErrNotFound):
		r.refs.find(Warning, "the listing of %s has delivery %s, which is gone", is, id)
	case err == nil && d.Status != is:
		r.refs.find(Broken, "the listing of %s has delivery %s, which is in %s", is, id, d.Status)
	}
}

// errUnreadable: a record lies in a damaged file, which is reported.
var errUnreadable = errors.New("in a damaged file")

// stored reads a delivery; event.ErrNotFound only if it is certain that there is none.
func (r *rowVerifier) stored(id event.ID) (event.Delivery, error) {
	if r.values || r.inBroken(appendDeliveryKey(nil, id, r.l.partitions, 0)) {
		r.notRead++
		return event.Delivery{}, errUnreadable
	}
	d, err := r.l.readDelivery(r.look, id)
	if r.unreadable() {
		err = errUnreadable
	}
	return d, err
}
