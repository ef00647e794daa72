package catalog

import (
	"crypto/rand"
	"slices"
	"time"

	"posthaste/event"
	"posthaste/sig"
)

// CreateEndpoint makes an endpoint in the project that e.ProjectID names. Fields
// that are zero get their defaults: a secret is made, the status is active; only
// RateLimit 0 means none. An id that is zero is made.
func (c *Catalog) CreateEndpoint(e event.Endpoint) (*Endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.Snapshot().stored(e.ProjectID)
	if p == nil {
		return nil, notFound("project", e.ProjectID)
	}
	compiled, err := c.newEndpointLocked(e, p, c.timestamp())
	if err != nil {
		return nil, err
	}
	if err := c.commitLocked("create endpoint", created(compiled)); err != nil {
		return nil, err
	}
	return compiled, nil
}

// newEndpointLocked is an endpoint that is not stored yet.
func (c *Catalog) newEndpointLocked(e event.Endpoint, p *Project, now time.Time) (*Endpoint, error) {
	e.ID = newID(e.ID)
	e.CreatedAt, e.UpdatedAt = event.StampOf(now), event.StampOf(now)
	detachEndpoint(&e)
	e.StatusHistory = nil
	if len(e.Secrets) == 0 {
		e.Secrets = []event.Secret{{Value: newSecretFor(e.SignatureMode)}}
	}
	if err := c.normalizeEndpoint(&e, p, nil, now); err != nil {
		return nil, err
	}
	return compileEndpoint(e, nil, 1)
}

// UpdateEndpoint lets change edit a copy of an endpoint of the project, and
// writes it. An error of change is returned as it is, and nothing is written.
// change cannot alter the ids, the creation time and the status history, to which a
// change of the status is added. Secrets that have ended are removed. It runs while
// other writers wait.
func (c *Catalog) UpdateEndpoint(project, id event.ID, change func(*event.Endpoint) error) (*Endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	old, p := snap.endpointOf(project, id), snap.stored(project)
	if old == nil || p == nil {
		return nil, notFound("endpoint", id)
	}
	e := old.Endpoint
	detachEndpoint(&e)
	if err := change(&e); err != nil {
		return nil, err
	}
	detachEndpoint(&e) // from what change put there
	now := c.timestamp()
	e.ID, e.ProjectID, e.CreatedAt, e.UpdatedAt = old.ID, old.ProjectID, old.CreatedAt, event.StampOf(now)
	if err := c.normalizeEndpoint(&e, p, old, now); err != nil {
		return nil, err
	}
	e.StatusHistory = slices.Clone(old.StatusHistory)
	if e.Status != old.Status {
		remember(&e, old.Status, "changed through the API", now)
	}
	return c.replaceEndpointLocked("update endpoint", old, e)
}

// replaceEndpointLocked writes an endpoint's next value.
func (c *Catalog) replaceEndpointLocked(op string, old *Endpoint, e event.Endpoint) (*Endpoint, error) {
	compiled, err := compileEndpoint(e, old.subscriptions, old.rev+1)
	if err != nil {
		return nil, err
	}
	if err := c.commitLocked(op, edit{before: old, after: compiled}); err != nil {
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
	return c.commitLocked("delete endpoint", deletions(e)...)
}

// deletions lists the deletion of an endpoint: its subscriptions, then itself.
func deletions(e *Endpoint) []edit {
	edits := make([]edit, 0, len(e.subscriptions)+1)
	for _, sub := range e.subscriptions {
		edits = append(edits, deleted(sub))
	}
	return append(edits, deleted(e))
}

// endpointOf is the endpoint if it belongs to the project, nil otherwise.
func (s *Snapshot) endpointOf(project, id event.ID) *Endpoint {
	e := s.endpoints.get(id)
	if e == nil || e.ProjectID != project {
		return nil
	}
	return e
}

// newSecretOf is a secret with this text.
func newSecretOf(value string, now time.Time) event.Secret {
	at := event.StampOf(now)
	return event.Secret{ID: event.NewID(), Value: value, CreatedAt: at, UpdatedAt: at}
}

// secretLen is the length of a secret that the catalog makes, as in Convoy.
const secretLen = 25

// newSecret makes a signing secret of 125 random bits.
func newSecret() string { return rand.Text()[:secretLen] }

// newSecretFor makes a secret that fits how the endpoint signs.
func newSecretFor(mode string) string {
	if mode == event.SignStandard {
		return sig.NewStandardSecret()
	}
	return newSecret()
}
