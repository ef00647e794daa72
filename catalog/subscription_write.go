package catalog

import (
	"posthaste/event"
)

// CreateSubscription makes a subscription in the project that s.ProjectID names.
// Without event types it takes all; an id that is zero is made.
func (c *Catalog) CreateSubscription(s event.Subscription) (*event.Subscription, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.createSubscriptionLocked(s)
}

func (c *Catalog) createSubscriptionLocked(s event.Subscription) (*event.Subscription, error) {
	p := c.Snapshot().stored(s.ProjectID)
	if p == nil {
		return nil, notFound("project", s.ProjectID)
	}
	now := c.timestamp()
	s.ID = newID(s.ID)
	s.CreatedAt, s.UpdatedAt = event.StampOf(now), event.StampOf(now)
	detachSubscription(&s)
	if err := c.normalizeSubscription(&s, nil, p, now); err != nil {
		return nil, err
	}
	compiled, err := compileSubscription(s, nil, 1)
	if err != nil {
		return nil, err
	}
	if err := c.commitLocked("create subscription", created(compiled)); err != nil {
		return nil, err
	}
	return &compiled.Subscription, nil
}

// UpdateSubscription lets change edit a copy of a subscription of the project,
// and writes it. An error of change is returned as it is, and nothing is
// written. change cannot alter the ids of subscription and project and the
// creation time; it may move the subscription to another endpoint. Type filters that it
// adds need no id and no dates.
func (c *Catalog) UpdateSubscription(project, id event.ID, change func(*event.Subscription) error) (*event.Subscription, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	old, p := snap.subscriptionOf(project, id), snap.stored(project)
	if old == nil || p == nil {
		return nil, notFound("subscription", id)
	}
	s := old.Subscription
	detachSubscription(&s)
	if err := change(&s); err != nil {
		return nil, err
	}
	detachSubscription(&s) // from what change put there
	now := c.timestamp()
	s.ID, s.ProjectID, s.CreatedAt, s.UpdatedAt = old.ID, old.ProjectID, old.CreatedAt, event.StampOf(now)
	if err := c.normalizeSubscription(&s, &old.Subscription, p, now); err != nil {
		return nil, err
	}
	compiled, err := compileSubscription(s, nil, old.rev+1)
	if err != nil {
		return nil, err
	}
	if err := c.commitLocked("update subscription", edit{before: old, after: compiled}); err != nil {
		return nil, err
	}
	return &compiled.Subscription, nil
}

// DeleteSubscription deletes a subscription of the project.
func (c *Catalog) DeleteSubscription(project, id event.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.Snapshot().subscriptionOf(project, id)
	if old == nil {
		return notFound("subscription", id)
	}
	return c.commitLocked("delete subscription", deleted(old))
}

// EnsureSubscription returns the oldest subscription of an endpoint, and makes
// one that takes all events if it has none. Any number of callers at once make
// one subscription. Where there is one already it costs no write and no lock.
func (c *Catalog) EnsureSubscription(project, endpoint event.ID) (*event.Subscription, error) {
	e := c.Snapshot().endpointOf(project, endpoint)
	if e == nil {
		return nil, notFound("endpoint", endpoint)
	}
	if len(e.subscriptions) > 0 {
		return &e.subscriptions[0].Subscription, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e = c.Snapshot().endpointOf(project, endpoint); e == nil {
		return nil, notFound("endpoint", endpoint)
	}
	if len(e.subscriptions) > 0 {
		return &e.subscriptions[0].Subscription, nil
	}
	return c.createSubscriptionLocked(event.Subscription{
		Name:       cutName(e.Name, " subscription"),
		ProjectID:  project,
		EndpointID: endpoint,
	})
}

// subscriptionOf is the subscription if it belongs to the project, nil otherwise.
func (s *Snapshot) subscriptionOf(project, id event.ID) *Subscription {
	sub := s.subscriptions.get(id)
	if sub == nil || sub.ProjectID != project {
		return nil
	}
	return sub
}
