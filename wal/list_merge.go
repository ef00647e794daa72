package wal

import (
	"bytes"

	"posthaste/event"
)

// source is ids of deliveries in the listing's order.
type source interface {
	head() (event.ID, bool)
	next()
	seek(id event.ID) // moves on to the first id from there on
}

// ofSources lists what sources have in a range.
func (c *deliveryList) ofSources(r event.Range, open func(event.Range) ([]source, error)) error {
	sources, err := open(r)
	if err != nil {
		return err
	}
	find := c.finder(r)
	if c.asksEvents() || c.f.SubscriptionID != (event.ID{}) {
		return c.merge(sources, find)
	}
	return c.merge(sources, nil) // the endpoints alone say nothing that the ids do not
}

// statusWalks are the index's ranges of the wanted states that have one.
func (c *deliveryList) statusWalks(r event.Range) ([]source, error) {
	var sources []source
	for _, s := range c.f.Statuses {
		if ordinary(s) {
			continue
		}
		it, err := c.v.iter(kindStatus)
		if err != nil {
			return nil, err
		}
		prefix := append(bytes.Clone(c.project[:]), byte(s))
		sources = append(sources, newBucketWalk(it, kindStatus, prefix, r))
	}
	return sources, nil
}

// endpointWalks are the endpoints' own rows.
func (c *deliveryList) endpointWalks(r event.Range) ([]source, error) {
	var sources []source
	for _, endpoint := range c.f.Endpoints {
		s, err := c.endpointWalk(endpoint, r)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	return sources, nil
}

func (c *deliveryList) endpointWalk(endpoint event.ID, r event.Range) (source, error) {
	it, err := c.v.iter(kindDelivery)
	if err != nil {
		return nil, err
	}
	return newEndpointWalk(c.l, it, event.EndpointHash(endpoint), r), nil
}

// How many ids of other endpoints are passed over before the wanted ones' rows are asked
// for the next that may be theirs: the more, the less that led to.
const (
	leastPatience = 64
	mostPatience  = 8192
	farMillis     = 60_000
)

// merge lists from sorted sources in order. What several of them have, such as two
// endpoints with one hash, is listed once.
func (c *deliveryList) merge(sources []source, find *finder) error {
	leap := leap{c: c, patience: leastPatience}
	for !c.done() {
		first, id := firstOf(sources, c.before)
		if first == nil {
			return nil
		}
		to, ok, err := c.possible(id, find)
		if err == nil && ok && to == id && !c.hashed(id) {
			to, ok, err = leap.over(id)
		}
		if err != nil || !ok {
			return err
		}
		if to == id {
			err = c.add(id)
			to = beside(id, c.r.Descending)
		}
		if err != nil || c.done() {
			return err
		}
		moveOn(sources, to, c.before)
	}
	return nil
}

func firstOf(sources []source, before func(a, b event.ID) bool) (first source, id event.ID) {
	for _, s := range sources {
		if head, ok := s.head(); ok && (first == nil || before(head, id)) {
			first, id = s, head
		}
	}
	return first, id
}

// moveOn moves all sources to a place.
func moveOn(sources []source, to event.ID, before func(a, b event.ID) bool) {
	for _, s := range sources {
		head, ok := s.head()
		if !ok || !before(head, to) {
			continue
		}
		s.next() // mostly that is enough
		if head, ok = s.head(); ok && before(head, to) {
			s.seek(to)
		}
	}
}

// beside is the id that follows in a direction.
func beside(id event.ID, down bool) event.ID {
	if down {
		return event.Before(id)
	}
	return idAfter(id)
}

// possible is the first place from id on at which there may be a wanted event; false if
// there is none, or the budget ended.
func (c *deliveryList) possible(id event.ID, find *finder) (event.ID, bool, error) {
	if find == nil {
		return id, true, nil
	}
	find.hold = id.Time()
	at, ok, err := find.next(c.startOf(id.Time()))
	if c.m.stopped {
		at = c.m.next
	}
	if at.Time() == id.Time() {
		at = id
	} else {
		at = c.startOf(at.Time())
	}
	if c.m.stopped {
		c.m.next = at
	}
	return at, ok, err
}

// hashed reports whether an id may be of a wanted endpoint.
func (c *deliveryList) hashed(id event.ID) bool {
	if c.endpoints.empty() {
		return true
	}
	if c.hashes == nil {
		c.hashes = make(map[uint32]bool, len(c.f.Endpoints))
		for _, endpoint := range c.f.Endpoints {
			c.hashes[event.EndpointHash(endpoint)] = true
		}
	}
	return c.hashes[event.DeliveryEndpointHash(id)]
}

// leap leads past ids that are not of the wanted endpoints.
type leap struct {
	c        *deliveryList
	passed   int
	patience int
	own      []source // the endpoints' rows, once they are needed
}

// over is where to go on from an id that is not wanted: one further, or where the wanted
// endpoints' next row is.
func (p *leap) over(id event.ID) (event.ID, bool, error) {
	c := p.c
	if !c.m.allow(id) {
		return id, false, nil
	}
	c.m.left -= costKey
	c.m.moved = true
	next := beside(id, c.r.Descending)
	if p.passed++; p.passed < p.patience || len(c.f.Endpoints) > maxMerged {
		return next, true, nil
	}
	p.passed = 0
	c.m.left -= costRow * len(c.f.Endpoints) / 2
	if p.own == nil {
		var err error
		if p.own, err = c.endpointWalks(c.r); err != nil {
			return id, false, err
		}
	}
	for _, s := range p.own {
		if head, ok := s.head(); ok && c.before(head, next) {
			s.seek(next)
		}
	}
	first, at := firstOf(p.own, c.before)
	if first != nil && max(at.Time(), id.Time())-min(at.Time(), id.Time()) < farMillis {
		p.patience = min(2*p.patience, mostPatience)
	}
	return at, first != nil, nil
}
