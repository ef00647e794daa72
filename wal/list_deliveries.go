package wal

import (
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// Deliveries lists a project's deliveries in a range, with the state each is
// in, newest first if it is descending. The filter decides what it reads:
//
//	event            the rows of the event and of its replays
//	statuses         those of Retry, Failure and Discarded have an index; what is Scheduled
//	                 is younger than the watermark, or of an endpoint that is behind
//	endpoints        the endpoints' rows, merged, unless there are very many, or the index
//	                 of events knows more of what is wanted
//	otherwise        the project's events, which name what they owe; where retention
//	                 took them away, the rows of all endpoints, merged
//
// By type, key, source and subscription the index of events leads all of them past what
// is not wanted. A delivery whose event is gone passes every filter but these of
// the event's: type, key and source.
func (l *Log) Deliveries(project event.ID, r event.Range, f event.DeliveryFilter) ([]event.Delivery, event.Scan, error) {
	if r.To == (event.ID{}) {
		r.To = maxID
	}
	c := &deliveryList{l: l, project: project, r: r, f: &f, m: newMeter(r), rows: []event.Delivery{}, endpoints: newIDSet(f.Endpoints)}
	c.words = eventWords{kind: f.EventType, key: f.IdempotencyKey, subscription: f.SubscriptionID, endpoints: c.endpoints}
	if f.SourceID != (event.ID{}) {
		c.words.sources = newIDSet([]event.ID{f.SourceID})
	}
	if err := c.readMark(); err != nil { // in front of the rows that it vouches for
		return nil, event.Scan{}, err
	}
	err := l.withView(func(v *view) (err error) {
		if c.it, err = v.iter(kindDelivery); err != nil {
			return err
		}
		c.v = v
		return c.list()
	})
	return c.rows, c.m.scan(), err
}

// maxMerged is how many sources a listing merges; of more endpoints it reads the
// project's events and leaves out what is of others.
const maxMerged = 64

func (c *deliveryList) list() error {
	f := c.f
	switch {
	case f.EventID != (event.ID{}):
		return c.ofEvent()
	case len(f.Statuses) > 0 && !slices.ContainsFunc(f.Statuses, ordinary):
		return c.ofSources(c.r, c.statusWalks)
	case c.pending():
		return c.ofPending()
	case len(f.Endpoints) > 0 && len(f.Endpoints) <= maxMerged && !c.asksEvents():
		return c.ofSources(c.r, c.endpointWalks)
	}
	return c.ofProject(c.r)
}

func ordinary(s event.Status) bool { return !s.Exceptional() }

// deliveryList is one listing.
type deliveryList struct {
	l         *Log
	v         *view
	it        *pebble.Iterator // reads deliveries
	project   event.ID
	r         event.Range // with both ends
	f         *event.DeliveryFilter
	endpoints *idSet
	hashes    map[uint32]bool // of the endpoints, once they are needed
	words     eventWords
	m         meter
	mark      uint64         // of a listing of what is pending
	behind    []event.Behind // likewise
	few       bool           // behind are all
	rows      []event.Delivery

	byEvent bool     // what is added was found by its event, which passes
	asked   event.ID // the event that was asked last, and whether it passes
	passed  bool
}

// done reports whether the listing is full or at the end of its budget.
func (c *deliveryList) done() bool { return len(c.rows) >= c.r.Limit || c.m.stopped }

// add reads a delivery and lists it if it passes the filter.
func (c *deliveryList) add(id event.ID) error {
	if id.Compare(c.r.From) < 0 || id.Compare(c.r.To) > 0 || !c.m.row(id) {
		return nil
	}
	c.m.moved = true
	d, err := c.l.readDelivery(c.it, id)
	if errors.Is(err, event.ErrNotFound) && c.it.Error() == nil {
		return nil
	}
	if err != nil {
		return err
	}
	passes, err := c.passes(&d)
	if passes {
		c.rows = append(c.rows, d)
	}
	return err
}

func (c *deliveryList) passes(d *event.Delivery) (bool, error) {
	f := c.f
	if d.ProjectID != c.project || !c.endpoints.has(d.EndpointID) ||
		f.SubscriptionID != (event.ID{}) && f.SubscriptionID != d.SubscriptionID ||
		len(f.Statuses) > 0 && !slices.Contains(f.Statuses, d.Status) {
		return false, nil
	}
	if c.byEvent || !c.asksEvents() {
		return true, nil
	}
	if c.asked == d.EventID {
		return c.passed, nil
	}
	passed, err := c.l.storedHead(d.ProjectID, d.EventID, c.words.pass)
	c.asked, c.passed = d.EventID, passed
	return passed, err
}

// asksEvents reports whether the filter has something that only the event knows.
func (c *deliveryList) asksEvents() bool {
	return c.f.EventType != "" || c.f.IdempotencyKey != "" || c.f.SourceID != (event.ID{})
}

func (c *deliveryList) before(a, b event.ID) bool {
	if c.r.Descending {
		return a.Compare(b) > 0
	}
	return a.Compare(b) < 0
}

func (c *deliveryList) addAll(ids []event.ID) error {
	slices.SortFunc(ids, func(a, b event.ID) int {
		if c.r.Descending {
			return b.Compare(a)
		}
		return a.Compare(b)
	})
	for _, id := range ids {
		if c.done() {
			return nil
		}
		if err := c.add(id); err != nil {
			return err
		}
	}
	return nil
}

func owedIDs(ev *event.Event, ids []event.ID) []event.ID {
	for i := range ev.Owed {
		ids = append(ids, ev.Owed[i].ID)
	}
	return ids
}

// startOf is where the deliveries of a millisecond begin in the listing's direction.
func (c *deliveryList) startOf(ms uint64) event.ID {
	if c.r.Descending {
		return lastOf(ms)
	}
	return event.DeliveryID(ms, 0, 0)
}

// lastOf is the greatest id of a millisecond.
func lastOf(ms uint64) event.ID { return event.DeliveryID(ms, 0xFFFFFFFF, event.MaxDeliverySeq) }

// finder leads from one time at which there may be something wanted to the next; nil if
// there may be at all times.
func (c *deliveryList) finder(r event.Range) *finder {
	f := newFinder(c.l, c.project, r.Descending, c.words.groups(), &c.m, c.v.iter)
	if f != nil {
		f.from, f.to = event.DeliveryID(r.From.Time(), 0, 0), lastOf(r.To.Time())
	}
	return f
}
