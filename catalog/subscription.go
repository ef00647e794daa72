package catalog

import (
	"slices"

	"posthaste/event"
)

// subscription is a stored subscription. Readers see the noun in it.
type subscription struct {
	event.Subscription
	rev uint64
}

func (s *subscription) ref() Change {
	return Change{Kind: KindSubscription, ID: s.ID, ProjectID: s.ProjectID}
}
func (s *subscription) revision() uint64 { return s.rev }
func (s *subscription) noun() any        { return &s.Subscription }

// list enters the subscription into the trees, but not into its endpoint.
func (s *subscription) list(st *state) {
	st.subscriptions.ReplaceOrInsert(s.ID, s)
	st.subListing.ReplaceOrInsert(s, struct{}{})
	st.changed.subscriptions = true
}

func (s *subscription) insertInto(st *state) {
	s.list(st)
	_, e, _ := st.endpoints.Get(s.EndpointID)
	at, _ := slices.BinarySearchFunc(e.subscriptions, s.ID, compareSubscriptionID)
	subs := slices.Insert(slices.Clone(e.subscriptions), at, &s.Subscription)
	e.withSubscriptions(slices.Clip(subs)).insertInto(st)
}

func (s *subscription) removeFrom(st *state) {
	st.subscriptions.Delete(s.ID)
	st.subListing.Delete(s)
	st.changed.subscriptions = true
	_, e, _ := st.endpoints.Get(s.EndpointID)
	if at, found := slices.BinarySearchFunc(e.subscriptions, s.ID, compareSubscriptionID); found {
		e.withSubscriptions(slices.Concat(e.subscriptions[:at], e.subscriptions[at+1:])).insertInto(st)
	}
}

func compareSubscriptionID(s *event.Subscription, id event.ID) int { return compareID(s.ID, id) }

// CreateSubscription makes a subscription in the project that s.ProjectID names.
// Without event types it takes all; an id that is zero is made.
func (c *Catalog) CreateSubscription(s event.Subscription) (*event.Subscription, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.createSubscriptionLocked(s)
}

func (c *Catalog) createSubscriptionLocked(s event.Subscription) (*event.Subscription, error) {
	p := c.Snapshot().Project(s.ProjectID)
	if p == nil {
		return nil, notFound("project", s.ProjectID)
	}
	now := c.timestamp()
	s.ID = newID(s.ID)
	s.CreatedAt, s.UpdatedAt, s.DeletedAt = now, now, nil
	if err := c.normalizeSubscription(&s, p); err != nil {
		return nil, err
	}
	stored := &subscription{Subscription: s, rev: 1}
	if err := c.commitLocked("create subscription", created(stored)); err != nil {
		return nil, err
	}
	return &stored.Subscription, nil
}

// UpdateSubscription lets change edit a copy of a subscription of the project,
// and writes it. An error of change is returned as it is, and nothing is
// written. change cannot alter the ids of subscription and project and the
// creation time; it may move the subscription to another endpoint.
func (c *Catalog) UpdateSubscription(project, id event.ID, change func(*event.Subscription) error) (*event.Subscription, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	old, p := snap.subscriptionOf(project, id), snap.Project(project)
	if old == nil || p == nil {
		return nil, notFound("subscription", id)
	}
	s := old.Subscription
	s.FilterConfig.EventTypes = slices.Clone(s.FilterConfig.EventTypes)
	if err := change(&s); err != nil {
		return nil, err
	}
	s.ID, s.ProjectID, s.CreatedAt, s.UpdatedAt = old.ID, old.ProjectID, old.CreatedAt, c.timestamp()
	if err := c.normalizeSubscription(&s, p); err != nil {
		return nil, err
	}
	stored := &subscription{Subscription: s, rev: old.rev + 1}
	if err := c.commitLocked("update subscription", edit{before: old, after: stored}); err != nil {
		return nil, err
	}
	return &stored.Subscription, nil
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
		return e.subscriptions[0], nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e = c.Snapshot().endpointOf(project, endpoint); e == nil {
		return nil, notFound("endpoint", endpoint)
	}
	if len(e.subscriptions) > 0 {
		return e.subscriptions[0], nil
	}
	return c.createSubscriptionLocked(event.Subscription{
		Name:       cutName(e.Name, " subscription"),
		ProjectID:  project,
		EndpointID: endpoint,
	})
}

// subscriptionOf is the subscription if it belongs to the project, nil otherwise.
func (s *Snapshot) subscriptionOf(project, id event.ID) *subscription {
	_, sub, _ := s.subscriptions.Get(id)
	if sub == nil || sub.ProjectID != project {
		return nil
	}
	return sub
}
