package catalog

import (
	"crypto/rand"
	"slices"

	"posthaste/event"
)

// CreateEndpoint makes an endpoint in the project that e.ProjectID names. Fields
// that are zero get their defaults: a secret is made, the status is active; only
// RateLimit 0 means none. An id that is zero is made.
func (c *Catalog) CreateEndpoint(e event.Endpoint) (*Endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.Snapshot().Project(e.ProjectID)
	if p == nil {
		return nil, notFound("project", e.ProjectID)
	}
	now := c.timestamp()
	e.ID = newID(e.ID)
	e.CreatedAt, e.UpdatedAt, e.DeletedAt = now, now, nil
	detach(&e)
	if len(e.Secrets) == 0 {
		e.Secrets = []event.Secret{{Value: newSecret()}}
	}
	if err := c.normalizeEndpoint(&e, p, nil, now); err != nil {
		return nil, err
	}
	compiled := compileEndpoint(e, nil, 1)
	if err := c.commitLocked("create endpoint", created(compiled)); err != nil {
		return nil, err
	}
	return compiled, nil
}

// UpdateEndpoint lets change edit a copy of an endpoint of the project, and
// writes it. An error of change is returned as it is, and nothing is written.
// change cannot alter the ids and the creation time. Secrets that have ended are
// removed. It runs while other writers wait.
func (c *Catalog) UpdateEndpoint(project, id event.ID, change func(*event.Endpoint) error) (*Endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	old, p := snap.endpointOf(project, id), snap.Project(project)
	if old == nil || p == nil {
		return nil, notFound("endpoint", id)
	}
	e := old.Endpoint
	detach(&e)
	if err := change(&e); err != nil {
		return nil, err
	}
	now := c.timestamp()
	e.ID, e.ProjectID, e.CreatedAt, e.UpdatedAt = old.ID, old.ProjectID, old.CreatedAt, now
	if err := c.normalizeEndpoint(&e, p, old, now); err != nil {
		return nil, err
	}
	compiled := compileEndpoint(e, old.subscriptions, old.rev+1)
	if err := c.commitLocked("update endpoint", edit{before: old, after: compiled}); err != nil {
		return nil, err
	}
	return compiled, nil
}

// DeleteEndpoint deletes an endpoint of the project and its subscriptions in one
// write.
func (c *Catalog) DeleteEndpoint(project, id event.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	e := snap.endpointOf(project, id)
	if e == nil {
		return notFound("endpoint", id)
	}
	return c.commitLocked("delete endpoint", deletions(snap, e)...)
}

// deletions lists the deletion of an endpoint: its subscriptions, then itself.
func deletions(s *Snapshot, e *Endpoint) []edit {
	edits := make([]edit, 0, len(e.subscriptions)+1)
	for _, sub := range e.subscriptions {
		_, stored, _ := s.subscriptions.Get(sub.ID)
		edits = append(edits, deleted(stored))
	}
	return append(edits, deleted(e))
}

// endpointOf is the endpoint if it belongs to the project, nil otherwise.
func (s *Snapshot) endpointOf(project, id event.ID) *Endpoint {
	e := s.Endpoint(id)
	if e == nil || e.ProjectID != project {
		return nil
	}
	return e
}

// detach gives e its own copy of what it shares with another endpoint value.
func detach(e *event.Endpoint) {
	e.Secrets = slices.Clone(e.Secrets)
	if e.Authentication != nil {
		auth := *e.Authentication
		if auth.APIKey != nil {
			key := *auth.APIKey
			auth.APIKey = &key
		}
		e.Authentication = &auth
	}
}

// secretLen is the length of a secret that the catalog makes, as in Convoy.
const secretLen = 25

// newSecret makes a signing secret of 125 random bits.
func newSecret() string { return rand.Text()[:secretLen] }
