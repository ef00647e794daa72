package wal

import (
	"bytes"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// Deliveries lists a project's deliveries in a range, with the state each is
// in, newest first if it is descending. Whichever of the filter's fields has an index
// decides where it reads:
//
//	event            the rows of the event and of its replays
//	endpoints        the endpoints' rows, merged
//	statuses         the index of the exceptional, merged
//	otherwise        the project's events, which name what they owe; where retention
//	                 took them away, the rows of all endpoints, merged
//
// A delivery whose event is gone passes every filter but one by event type.
func (l *Log) Deliveries(project event.ID, r event.Range, f event.DeliveryFilter) ([]event.Delivery, error) {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindDelivery}, UpperBound: []byte{kindDelivery + 1}})
	if err != nil {
		return nil, err
	}
	c := &deliveryList{l: l, it: it, iters: []*pebble.Iterator{it}, project: project, r: r, f: &f, rows: []event.Delivery{}}
	switch {
	case f.EventID != (event.ID{}):
		err = c.ofEvent()
	case len(f.Endpoints) > 0:
		err = c.ofEndpoints()
	case len(f.Statuses) > 0 && !slices.ContainsFunc(f.Statuses, ordinary):
		err = c.ofStatuses()
	default:
		err = c.ofProject()
	}
	return c.rows, errors.Join(err, c.close())
}

func ordinary(s event.Status) bool { return !s.Exceptional() }

// deliveryList is one listing.
type deliveryList struct {
	l       *Log
	it      *pebble.Iterator   // reads deliveries
	iters   []*pebble.Iterator // all that are open, of one view of the store
	project event.ID
	r       event.Range
	f       *event.DeliveryFilter
	rows    []event.Delivery
}

func (c *deliveryList) full() bool { return len(c.rows) >= c.r.Limit }

// add reads a delivery and lists it if it passes the filter.
func (c *deliveryList) add(id event.ID) error {
	if id.Compare(c.r.From) < 0 || c.r.To != (event.ID{}) && id.Compare(c.r.To) > 0 {
		return nil
	}
	d, err := c.l.readDelivery(c.it, id)
	if errors.Is(err, event.ErrNotFound) {
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
	if d.ProjectID != c.project ||
		len(f.Endpoints) > 0 && !slices.Contains(f.Endpoints, d.EndpointID) ||
		f.SubscriptionID != (event.ID{}) && f.SubscriptionID != d.SubscriptionID ||
		len(f.Statuses) > 0 && !slices.Contains(f.Statuses, d.Status) {
		return false, nil
	}
	if f.EventType == "" {
		return true, nil
	}
	ev, err := c.l.Event(d.ProjectID, d.EventID)
	if errors.Is(err, event.ErrNotFound) {
		return false, nil
	}
	return err == nil && ev.Type == f.EventType, err
}

func (c *deliveryList) order(ids []event.ID) {
	slices.SortFunc(ids, func(a, b event.ID) int {
		if c.r.Descending {
			return b.Compare(a)
		}
		return a.Compare(b)
	})
}

func (c *deliveryList) addAll(ids []event.ID) error {
	c.order(ids)
	for _, id := range ids {
		if c.full() {
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

// iter opens an iterator over a kind of rows, in the listing's own view.
func (c *deliveryList) iter(kind byte) (*pebble.Iterator, error) {
	it, err := c.it.Clone(pebble.CloneOptions{IterOptions: &pebble.IterOptions{LowerBound: []byte{kind}, UpperBound: []byte{kind + 1}}})
	if err == nil {
		c.iters = append(c.iters, it)
	}
	return it, err
}

// close closes the iterators, and tells of rows that could not be read.
func (c *deliveryList) close() error {
	var err error
	for _, it := range c.iters {
		err = errors.Join(err, it.Close())
	}
	return err
}

// ofStatuses merges the index's ranges of the wanted states.
func (c *deliveryList) ofStatuses() error {
	walks := make([]*bucketWalk, 0, len(c.f.Statuses))
	for _, s := range c.f.Statuses {
		it, err := c.iter(kindStatus)
		if err != nil {
			return err
		}
		prefix := append(bytes.Clone(c.project[:]), byte(s))
		walks = append(walks, newBucketWalk(it, kindStatus, prefix, c.r))
	}
	return c.merge(len(walks), func(i int) (event.ID, bool) {
		if !walks[i].valid() {
			return event.ID{}, false
		}
		return walks[i].id(), true
	}, func(i int) { walks[i].next() })
}

// ofEndpoints merges the endpoints' own rows.
func (c *deliveryList) ofEndpoints() error {
	walks := make([]*endpointWalk, 0, len(c.f.Endpoints))
	for _, ep := range c.f.Endpoints {
		it, err := c.iter(kindDelivery)
		if err != nil {
			return err
		}
		walks = append(walks, newEndpointWalk(c.l, it, event.EndpointHash(ep), c.r))
	}
	return c.merge(len(walks), func(i int) (event.ID, bool) {
		return walks[i].id, walks[i].ok
	}, func(i int) { walks[i].next() })
}

// merge lists from n sorted sources in order. What several of them have, such as
// two endpoints with one hash, is listed once.
func (c *deliveryList) merge(n int, head func(int) (event.ID, bool), next func(int)) error {
	var last event.ID
	for !c.full() {
		best, id := -1, event.ID{}
		for i := range n {
			if candidate, ok := head(i); ok && (best < 0 || c.comesBefore(candidate, id)) {
				best, id = i, candidate
			}
		}
		if best < 0 {
			return nil
		}
		if id != last {
			if err := c.add(id); err != nil {
				return err
			}
		}
		last = id
		next(best)
	}
	return nil
}

func (c *deliveryList) comesBefore(a, b event.ID) bool {
	if c.r.Descending {
		return a.Compare(b) > 0
	}
	return a.Compare(b) < 0
}
