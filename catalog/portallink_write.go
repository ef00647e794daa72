package catalog

import (
	"fmt"
	"slices"
	"time"

	"posthaste/event"
)

// CreatePortalLink makes a portal link in the project that l.ProjectID names. Its token
// is made, and a zero id.
func (c *Catalog) CreatePortalLink(l event.PortalLink) (*event.PortalLink, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	if snap.stored(l.ProjectID) == nil {
		return nil, notFound("project", l.ProjectID)
	}
	now := c.timestamp()
	l.ID, l.Token = newID(l.ID), c.newLinkTokenLocked()
	l.CreatedAt, l.UpdatedAt, l.UsedAt = now, now, nil
	detachLink(&l)
	if err := normalizeLink(snap, &l, &event.PortalLink{}, now); err != nil {
		return nil, err
	}
	return c.writeLinkLocked("create portal link", nil, l)
}

// UpdatePortalLink lets change edit a copy of a portal link of the project, and writes
// it. An error of change is returned as it is, and nothing is written. change cannot
// alter the ids, the token, when it was used, and the creation time; a link that is no
// more of the type PortalOneTime was not used.
func (c *Catalog) UpdatePortalLink(project, id event.ID, change func(*event.PortalLink) error) (*event.PortalLink, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	snap := c.Snapshot()
	old := snap.linkOf(project, id)
	if old == nil {
		return nil, notFound("portal link", id)
	}
	l := old.PortalLink
	detachLink(&l)
	if err := change(&l); err != nil {
		return nil, err
	}
	detachLink(&l) // from what change put there
	now := c.timestamp()
	l.ID, l.ProjectID, l.Token, l.UsedAt = old.ID, old.ProjectID, old.Token, cloned(old.UsedAt)
	l.CreatedAt, l.UpdatedAt = old.CreatedAt, now
	if err := normalizeLink(snap, &l, &old.PortalLink, now); err != nil {
		return nil, err
	}
	if l.AuthType != event.PortalOneTime {
		l.UsedAt = nil
	}
	return c.writeLinkLocked("update portal link", old, l)
}

// RevokePortalLink deletes a portal link of the project. Its token, and all that were
// made for it, are no keys from now on.
func (c *Catalog) RevokePortalLink(project, id event.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.Snapshot().linkOf(project, id)
	if l == nil {
		return notFound("portal link", id)
	}
	return c.commitLocked("revoke portal link", deleted(l))
}

// writeLinkLocked writes a link in the place of old, which is nil for a new one.
func (c *Catalog) writeLinkLocked(op string, old *portalLink, l event.PortalLink) (*event.PortalLink, error) {
	e, rev := edit{}, uint64(1)
	if old != nil {
		e.before, rev = old, old.rev+1
	}
	compiled, err := compileLink(l, &c.digest, rev)
	if err != nil {
		return nil, err
	}
	e.after = compiled
	if err := c.commitLocked(op, e); err != nil {
		return nil, err
	}
	return &compiled.PortalLink, nil
}

// newLinkTokenLocked makes a token with a mask id that no link has.
func (c *Catalog) newLinkTokenLocked() string {
	for {
		m := mask(randomAlphanumeric(maskLen))
		if _, taken := c.mu.state.linkMasks.get(maskedLink{mask: m}); !taken {
			return linkPrefix + string(m[:]) + "." + string(randomAlphanumeric(linkSecretLen))
		}
	}
}

// normalizeLink fills defaults in and checks the rest. before is the link as it was, a
// zero one for a new one: what it has already is not checked against endpoints that
// were deleted or given to others since.
func normalizeLink(s *Snapshot, l, before *event.PortalLink, now time.Time) error {
	if l.AuthType == "" {
		l.AuthType = event.PortalStatic
	}
	if err := checkName("name", l.Name); err != nil {
		return err
	}
	switch l.AuthType {
	case event.PortalStatic, event.PortalRefresh, event.PortalOneTime:
	default:
		return event.Invalid("auth_type", "must be %q, %q or %q", event.PortalStatic, event.PortalRefresh, event.PortalOneTime)
	}
	if l.OwnerID == "" && len(l.Endpoints) == 0 {
		return event.Invalid("owner_id", "is empty; give the owner whose endpoints the link is for, 1 to %d bytes", event.MaxNameBytes)
	}
	if err := checkText("owner_id", l.OwnerID, event.MaxNameBytes); err != nil {
		return err
	}
	if err := normalizeLinkEndpoints(s, l, before); err != nil {
		return err
	}
	if err := checkLinkParents(l.AllowedParents); err != nil {
		return err
	}
	if err := normalizeBrand(l); err != nil {
		return err
	}
	return normalizeLinkEnd(l, before, now)
}

// normalizeLinkEndpoints lists each endpoint once.
func normalizeLinkEndpoints(s *Snapshot, l, before *event.PortalLink) error {
	if n := len(l.Endpoints); n > event.MaxPortalEndpoints {
		return event.Invalid("endpoints", "has %d entries; at most %d are allowed", n, event.MaxPortalEndpoints)
	}
	had := make(map[event.ID]bool, len(before.Endpoints))
	if l.OwnerID == before.OwnerID {
		for _, id := range before.Endpoints {
			had[id] = true
		}
	}
	var list []event.ID
	seen := make(map[event.ID]bool, len(l.Endpoints))
	for i, id := range l.Endpoints {
		if seen[id] {
			continue
		}
		seen[id] = true
		list = append(list, id)
		if had[id] {
			continue
		}
		field := fmt.Sprintf("endpoints[%d]", i)
		e := s.endpointOf(l.ProjectID, id)
		if e == nil {
			return event.Invalid(field, "the project has no endpoint with this id")
		}
		if l.OwnerID != "" && e.OwnerID != l.OwnerID {
			return event.Invalid(field, "is an endpoint that does not belong to the link's owner_id; set its owner_id, or leave it out")
		}
	}
	l.Endpoints = slices.Clip(list)
	return nil
}

func normalizeLinkEnd(l, before *event.PortalLink, now time.Time) error {
	if l.ExpiresAt == nil {
		return nil
	}
	end := l.ExpiresAt.UTC().Round(0)
	l.ExpiresAt = &end
	if before.ExpiresAt != nil && end.Equal(*before.ExpiresAt) || end.After(now) {
		return nil
	}
	return event.Invalid("expires_at", "is not in the future; leave it out for a link that does not end, or revoke the link")
}
