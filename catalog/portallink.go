package catalog

import (
	"fmt"
	"time"

	"posthaste/event"
	"posthaste/internal/seal"
)

// A portal link's own token has the form of a key, PL.<mask id, 16>.<secret, 32>: it is
// part of a URL that people see, so it is shorter. Its secret holds 190 random bits.
const (
	linkPrefix    = "PL."
	linkSecretLen = 32
	linkTextLen   = len(linkPrefix) + maskLen + 1 + linkSecretLen
)

// portalLink is a stored portal link, ready to be compared. Its token is kept, since it
// is shown again; its digest is made when it is loaded.
type portalLink struct {
	event.PortalLink
	mask    mask
	digest  [digestBytes]byte
	expires time.Time // zero: never
	grant   event.Grant
	rev     uint64
}

// maskedLink is a portal link beside its mask id.
type maskedLink struct {
	mask mask
	link *portalLink
}

func compareLinkMasks(a, b maskedLink) int {
	return compareMasks(masked{mask: a.mask}, masked{mask: b.mask})
}

func compileLink(l event.PortalLink, d *digester, rev uint64) (*portalLink, error) {
	c := &portalLink{PortalLink: l, rev: rev}
	var ok bool
	if c.mask, ok = maskOf([]byte(l.Token), linkPrefix, linkTextLen); !ok {
		return nil, fmt.Errorf("portal link %s: its token does not have the form of one", l.ID)
	}
	c.digest = d.sum([]byte(l.Token))
	if l.ExpiresAt != nil {
		c.expires = *l.ExpiresAt
	}
	c.grant = event.Grant{
		KeyID: l.ID, ProjectID: l.ProjectID, Scopes: event.ScopeRead, Portal: true, OwnerID: l.OwnerID, Endpoints: l.Endpoints,
	}
	if l.CanManageEndpoint {
		c.grant.Scopes |= event.ScopeManage
	}
	return c, nil
}

func (l *portalLink) noun() *event.PortalLink { return &l.PortalLink }

func (l *portalLink) ref() Change {
	return Change{Kind: KindPortalLink, ID: l.ID, ProjectID: l.ProjectID}
}
func (l *portalLink) revision() uint64 { return l.rev }

func (l *portalLink) encode(box *seal.Box) ([]byte, error) { return encodeLink(box, &l.PortalLink) }

func encodeLink(box *seal.Box, l *event.PortalLink) ([]byte, error) {
	open := *l
	open.Token = ""
	body, err := marshal(&open)
	if err != nil {
		return nil, err
	}
	return join(box, KindPortalLink, l.ID, body, []byte(l.Token)), nil
}

func decodeLink(box *seal.Box, id event.ID, value []byte) (l event.PortalLink, err error) {
	token, err := decodeSplit(box, KindPortalLink, id, value, &l)
	l.Token = string(token)
	return l, err
}

func (l *portalLink) insertInto(s *state) {
	s.links.put(l.ID, l)
	s.linkListing.put(l.ProjectID, l.ID, l)
	s.linkMasks.put(maskedLink{l.mask, l})
	s.changed.links = true
}

func (l *portalLink) removeFrom(s *state) {
	s.links.remove(l.ID)
	s.linkListing.remove(l.ProjectID, l.ID)
	s.linkMasks.remove(maskedLink{mask: l.mask})
	s.changed.links = true
}

// PortalLink is the project's portal link with this id; nil if there is none.
func (s *Snapshot) PortalLink(project, id event.ID) *event.PortalLink {
	l := s.linkOf(project, id)
	if l == nil {
		return nil
	}
	return &l.PortalLink
}

// linkOf is the portal link if it belongs to the project, nil otherwise.
func (s *Snapshot) linkOf(project, id event.ID) *portalLink {
	l := s.links.get(id)
	if l == nil || l.ProjectID != project {
		return nil
	}
	return l
}

// PortalLinks lists the portal links of a project by id, which is by age; match
// selects, nil takes all.
func (s *Snapshot) PortalLinks(project event.ID, r event.Range, match func(*event.PortalLink) bool) []*event.PortalLink {
	return selected(s.linkListing.within(project, r), r.Limit, (*portalLink).noun, match)
}
