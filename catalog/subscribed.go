package catalog

import (
	"fmt"

	"posthaste/event"
)

// Subscribed is an endpoint and its subscription, which are made together. The
// subscription's ids of project and endpoint are the endpoint's.
type Subscribed struct {
	Endpoint     event.Endpoint
	Subscription event.Subscription
}

// RowError is what is wrong with one entry of a list, which counts from 0.
type RowError struct {
	Row int
	Err error // an event.InvalidError
}

func (e *RowError) Error() string { return fmt.Sprintf("row %d: %v", e.Row, e.Err) }
func (e *RowError) Unwrap() error { return e.Err }

// CreateSubscribed makes endpoints of a project, each with a subscription, in one
// write: all or none. Of what is wrong with one it says which, as a RowError.
func (c *Catalog) CreateSubscribed(project event.ID, list []Subscribed) ([]*Endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.Snapshot().stored(project)
	if p == nil {
		return nil, notFound("project", project)
	}
	edits := make([]edit, 0, 2*len(list))
	for i := range list {
		pair, err := c.newSubscribedLocked(list[i], p)
		if err != nil {
			return nil, &RowError{i, err}
		}
		edits = append(edits, pair[:]...)
	}
	if err := c.commitLocked("create endpoints with subscriptions", edits...); err != nil {
		return nil, err
	}
	made := make([]*Endpoint, len(list))
	for i := range made {
		made[i] = c.Snapshot().endpoints.get(edits[2*i].after.ref().ID)
	}
	return made, nil
}

func (c *Catalog) newSubscribedLocked(of Subscribed, p *Project) (pair [2]edit, err error) {
	now := c.timestamp()
	of.Endpoint.ProjectID = p.ID
	e, err := c.newEndpointLocked(of.Endpoint, p, now)
	if err != nil {
		return pair, err
	}
	s := of.Subscription
	s.ID, s.ProjectID, s.EndpointID = newID(s.ID), p.ID, e.ID
	s.CreatedAt, s.UpdatedAt = event.StampOf(now), event.StampOf(now)
	detachSubscription(&s)
	if err := c.normalizeSubscriptionAlone(&s, nil, now); err != nil {
		return pair, err
	}
	compiled, err := compileSubscription(s, nil, 1)
	if err != nil {
		return pair, err
	}
	return [2]edit{created(e), created(compiled)}, nil
}
