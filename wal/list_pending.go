package wal

import (
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"posthaste/event"
)

// ofPending lists what is Scheduled, and perhaps Retry, Failure or Discarded, but not
// Success. Before the watermark a first attempt is owed to endpoints that are
// behind only, which are few as a rule, and all else has an index:
//
//	── index of the states ─────────────┐ watermark
//	── rows of what is behind ──────────┼── the project's events ──►
func (c *deliveryList) ofPending() error {
	if !c.few {
		return c.ofProject(c.r)
	}
	seam := event.DeliveryID(c.mark, 0, 0)
	old, young := c.r, c.r
	old.To, young.From = earlierOf(c.r.To, event.Before(seam)), laterOf(c.r.From, seam)
	parts := []func() error{
		func() error { return c.ofSources(old, c.pendingWalks) },
		func() error { return c.ofProject(young) },
	}
	if c.mark == 0 {
		parts[0] = func() error { return nil }
	}
	if c.r.Descending {
		parts[0], parts[1] = parts[1], parts[0]
	}
	for _, part := range parts {
		if c.done() {
			return nil
		}
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// pending reports whether a filter wants what is Scheduled, and nothing that succeeded.
func (c *deliveryList) pending() bool {
	return slices.ContainsFunc(c.f.Statuses, ordinary) && !slices.Contains(c.f.Statuses, event.Success)
}

// readMark reads how far first attempts have got, if that is of use.
func (c *deliveryList) readMark() (err error) {
	if !c.pending() {
		return nil
	}
	marks, err := readWatermarks(c.l.db)
	if err != nil {
		return err
	}
	c.mark = marks.least(c.l.partitions)
	c.behind, c.few, err = c.l.someBehind(maxMerged)
	return err
}

// pendingWalks are the wanted states' index and the rows of the endpoints that are behind.
func (c *deliveryList) pendingWalks(r event.Range) ([]source, error) {
	if r.From.Compare(r.To) > 0 {
		return nil, nil
	}
	sources, err := c.statusWalks(r)
	if err != nil {
		return nil, err
	}
	for _, b := range c.behind {
		unread := r
		unread.From = laterOf(r.From, b.After)
		if !c.endpoints.has(b.Endpoint) || unread.From.Compare(unread.To) > 0 {
			continue
		}
		s, err := c.endpointWalk(b.Endpoint, unread)
		if err != nil {
			return nil, err
		}
		sources = append(sources, s)
	}
	return sources, nil
}

// someBehind reads the endpoints that are behind; false if there are more than most.
func (l *Log) someBehind(most int) (some []event.Behind, few bool, err error) {
	it, err := l.db.NewIter(&pebble.IterOptions{LowerBound: []byte{kindBehind}, UpperBound: []byte{kindBehind + 1}})
	if err != nil {
		return nil, false, err
	}
	for valid := it.First(); valid && err == nil && len(some) <= most; valid = it.Next() {
		var b event.Behind
		b, err = decodeBehind(it.Key(), it.Value())
		some = append(some, b)
	}
	return some, len(some) <= most, errors.Join(err, it.Error(), it.Close())
}

func earlierOf(a, b event.ID) event.ID {
	if a.Compare(b) < 0 {
		return a
	}
	return b
}

func laterOf(a, b event.ID) event.ID {
	if a.Compare(b) > 0 {
		return a
	}
	return b
}
