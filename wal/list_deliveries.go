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
//	event            the event's own row
//	endpoints        the endpoints' rows, merged
//	statuses         the index of the exceptional, merged
//	otherwise        the project's events, which name what they owe
func (l *Log) Deliveries(project event.ID, r event.Range, f event.DeliveryFilter) ([]event.Delivery, error) {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindDelivery}, UpperBound: []byte{kindDelivery + 1}})
	if err != nil {
		return nil, err
	}
	c := &deliveryList{l: l, it: it, project: project, r: r, f: &f, rows: []event.Delivery{}}
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
	return c.rows, errors.Join(err, it.Error(), it.Close())
}

func ordinary(s event.Status) bool { return !s.Exceptional() }

// deliveryList is one listing.
type deliveryList struct {
	l       *Log
	it      *pebble.Iterator
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

func (c *deliveryList) ofEvent() error {
	ev, err := c.l.Event(c.project, c.f.EventID)
	if errors.Is(err, event.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return c.addAll(owedIDs(ev, nil))
}

func owedIDs(ev *event.Event, ids []event.ID) []event.ID {
	for i := range ev.Owed {
		ids = append(ids, ev.Owed[i].ID)
	}
	return ids
}

// ofProject walks the project's events. Deliveries of one millisecond are put
// in the order of their ids before they are listed.
func (c *deliveryList) ofProject() error {
	var ids []event.ID
	var ms uint64
	walk := c.r
	if walk.To != (event.ID{}) {
		walk.To = event.DeliveryID(walk.To.Time(), 0xFFFFFFFF, event.MaxDeliverySeq)
	}
	walk.From = event.DeliveryID(walk.From.Time(), 0, 0)
	err := c.l.walkEvents(c.project, walk, func(key, value []byte) (bool, error) {
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

// ofStatuses merges the index's ranges of the wanted states.
func (c *deliveryList) ofStatuses() error {
	walks := make([]*bucketWalk, 0, len(c.f.Statuses))
	for _, s := range c.f.Statuses {
		it, err := c.l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindStatus}, UpperBound: []byte{kindStatus + 1}})
		if err != nil {
			return err
		}
		defer it.Close()
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
		it, err := c.l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindDelivery}, UpperBound: []byte{kindDelivery + 1}})
		if err != nil {
			return err
		}
		defer it.Close()
		walks = append(walks, newEndpointWalk(c.l, it, event.EndpointHash(ep), c.r))
	}
	return c.merge(len(walks), func(i int) (event.ID, bool) {
		return walks[i].id, walks[i].ok
	}, func(i int) { walks[i].next() })
}

// merge lists from n sorted sources in order.
func (c *deliveryList) merge(n int, head func(int) (event.ID, bool), next func(int)) error {
	for !c.full() {
		best := -1
		var bestID event.ID
		for i := range n {
			id, ok := head(i)
			if !ok {
				continue
			}
			if cmp := id.Compare(bestID); best < 0 || (cmp > 0) == c.r.Descending && cmp != 0 {
				best, bestID = i, id
			}
		}
		if best < 0 {
			return nil
		}
		if err := c.add(bestID); err != nil {
			return err
		}
		next(best)
	}
	return nil
}

// endpointWalk steps through the ids of an endpoint's deliveries in a range.
type endpointWalk struct {
	l    *Log
	it   *pebble.Iterator
	hash uint32
	r    event.Range
	id   event.ID
	ok   bool
	key  []byte
}

func newEndpointWalk(l *Log, it *pebble.Iterator, hash uint32, r event.Range) *endpointWalk {
	w := &endpointWalk{l: l, it: it, hash: hash, r: r}
	if w.r.To == (event.ID{}) {
		w.r.To = maxID
	}
	if r.Descending {
		w.seek(w.r.To.Time(), w.bound(w.r.To, 0xFFFF))
	} else {
		w.seek(w.r.From.Time(), w.bound(w.r.From, 0))
	}
	return w
}

// bound is the key at which a range that ends at id begins in id's bucket.
func (w *endpointWalk) bound(id event.ID, row uint16) []byte {
	own := event.DeliveryID(id.Time(), w.hash, millis(id[10:]))
	switch hash := event.DeliveryEndpointHash(id); {
	case hash > w.hash: // all of ours of that millisecond come before id
		own = event.DeliveryID(id.Time(), w.hash, event.MaxDeliverySeq)
		row = 0xFFFF
	case hash < w.hash: // and here after it
		own = event.DeliveryID(id.Time(), w.hash, 0)
		row = 0
	}
	w.key = appendDeliveryKey(w.key[:0], own, w.l.partitions, row)
	return w.key
}

func (w *endpointWalk) seek(ms uint64, key []byte) {
	if w.r.Descending {
		w.ok = w.it.SeekLT(key)
	} else {
		w.ok = w.it.SeekGE(key)
	}
	w.settle(bucketOf(ms))
}

// settle finds the next delivery of the endpoint from where the iterator
// stands, seeking from bucket to bucket.
func (w *endpointWalk) settle(bucket uint32) {
	for w.ok {
		prefix := appendEndpointPrefix(w.key[:0], bucket, w.hash, w.l.partitions)
		w.key = prefix
		if bytes.HasPrefix(w.it.Key(), prefix) {
			w.id, _ = deliveryKeyParts(w.it.Key())
			w.ok = w.id.Compare(w.r.From) >= 0 && w.id.Compare(w.r.To) <= 0
			return
		}
		at := bucketOfKey(w.it.Key())
		if w.r.Descending {
			bucket = w.jumpDown(bucket, at)
		} else {
			bucket = w.jumpUp(bucket, at)
		}
	}
}

func (w *endpointWalk) jumpDown(bucket, at uint32) uint32 {
	if at >= bucket {
		at = bucket - 1
	}
	if bucket == 0 || at < bucketOf(w.r.From.Time()) {
		w.ok = false
		return bucket
	}
	prefix := appendEndpointPrefix(w.key[:0], at, w.hash, w.l.partitions)
	w.key = successor(prefix)
	w.ok = w.it.SeekLT(w.key)
	return at
}

func (w *endpointWalk) jumpUp(bucket, at uint32) uint32 {
	if at <= bucket {
		at = bucket + 1
	}
	if at > bucketOf(w.r.To.Time()) {
		w.ok = false
		return bucket
	}
	w.key = appendEndpointPrefix(w.key[:0], at, w.hash, w.l.partitions)
	w.ok = w.it.SeekGE(w.key)
	return at
}

// next steps over the rows of the delivery it stands on.
func (w *endpointWalk) next() {
	id := w.id
	if w.r.Descending {
		w.key = appendDeliveryKey(w.key[:0], id, w.l.partitions, 0)
		w.ok = w.it.SeekLT(w.key)
	} else {
		w.key = appendDeliveryKey(w.key[:0], id, w.l.partitions, 0xFFFF)
		w.ok = w.it.SeekGE(append(w.key, 0))
	}
	w.settle(bucketOf(id.Time()))
}
