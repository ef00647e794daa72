package catalog

import (
	"posthaste/event"
)

// CreateSource makes a source in the project that s.ProjectID names. Its mask id is
// made; a zero id too.
func (c *Catalog) CreateSource(s event.Source) (*event.Source, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Snapshot().stored(s.ProjectID) == nil {
		return nil, notFound("project", s.ProjectID)
	}
	now := c.timestamp()
	s.ID, s.MaskID = newID(s.ID), c.newSourceMaskLocked()
	s.CreatedAt, s.UpdatedAt, s.CRCVerifiedAt = now, now, nil
	detachSource(&s)
	if err := normalizeSource(&s); err != nil {
		return nil, err
	}
	compiled, err := compileSource(s, 1)
	if err != nil {
		return nil, err
	}
	if err := c.commitLocked("create source", created(compiled)); err != nil {
		return nil, err
	}
	return &compiled.Source, nil
}

// UpdateSource lets change edit a copy of a source of the project, and writes it. An
// error of change is returned as it is, and nothing is written. change cannot alter
// the ids, the mask id, the type and the creation time. It runs while other writers
// wait.
func (c *Catalog) UpdateSource(project, id event.ID, change func(*event.Source) error) (*event.Source, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.Snapshot().sourceOf(project, id)
	if old == nil {
		return nil, notFound("source", id)
	}
	s := old.Source
	detachSource(&s)
	if err := change(&s); err != nil {
		return nil, err
	}
	detachSource(&s) // from what change put there
	s.ID, s.ProjectID, s.MaskID, s.Type = old.ID, old.ProjectID, old.MaskID, old.Type
	s.CreatedAt, s.UpdatedAt = old.CreatedAt, c.timestamp()
	if err := normalizeSource(&s); err != nil {
		return nil, err
	}
	compiled, err := compileSource(s, old.rev+1)
	if err != nil {
		return nil, err
	}
	if err := c.commitLocked("update source", edit{before: old, after: compiled}); err != nil {
		return nil, err
	}
	return &compiled.Source, nil
}

// DeleteSource deletes a source of the project and the subscriptions to it, in one
// write.
func (c *Catalog) DeleteSource(project, id event.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	s := snap.sourceOf(project, id)
	if s == nil {
		return notFound("source", id)
	}
	var edits []edit
	for sub := range snap.SubscriptionsOfSource(project, id) {
		edits = append(edits, deleted(sub))
	}
	return c.commitLocked("delete source", append(edits, deleted(s))...)
}

// newSourceMaskLocked makes a mask id that no source has.
func (c *Catalog) newSourceMaskLocked() string {
	for {
		m := sourceMask(randomAlphanumeric(sourceMaskLen))
		if _, taken := c.mu.state.sourceMasks.get(maskedSource{mask: m}); !taken {
			return string(m[:])
		}
	}
}
