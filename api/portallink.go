package api

import (
	"net/http"
	"strings"

	"posthaste/event"
)

func (a *API) listPortalLinks(c *call) (reply, error) {
	params := c.r.URL.Query()
	q, err := parsePageQuery(params)
	if err != nil {
		return reply{}, err
	}
	secrets, err := c.shown()
	if err != nil {
		return reply{}, err
	}
	owner, name := params.Get("ownerId"), strings.ToLower(params.Get("q"))
	match := func(l *event.PortalLink) bool {
		return (owner == "" || l.OwnerID == owner) && strings.Contains(strings.ToLower(l.Name), name)
	}
	p, err := readPage(q, listing[*event.PortalLink]{
		fetch: func(r event.Range) ([]*event.PortalLink, error) {
			return c.snap.PortalLinks(c.project.ID, r, match), nil
		},
		id:    func(l *event.PortalLink) event.ID { return l.ID },
		bytes: func(*event.PortalLink) int { return maxPortalMetadata*1024 + 2*event.MaxPortalLogoBytes },
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, l *event.PortalLink) ([]byte, error) {
		if secrets {
			c.reveals("portal_link", l.ID, l.Name)
		}
		return appendObject(dst, newPortalLinkView(l, c.snap, a.o.PortalURL, secrets))
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Portal links fetched successfully", data)
}

func (a *API) createPortalLink(c *call) (reply, error) {
	var body portalLinkBody
	if err := a.readJSON(c.r, &body); err != nil {
		return reply{}, err
	}
	l := event.PortalLink{ProjectID: c.project.ID, AuthType: event.PortalStatic}
	if err := body.apply(&l, a.o.Now()); err != nil {
		return reply{}, err
	}
	switch {
	case l.OwnerID != "":
	case !c.version.linksWithoutOwner():
		return reply{}, event.Invalid("owner_id", "please provide an owner id; the link is for this owner's endpoints")
	case len(l.Endpoints) == 0:
		return reply{}, event.Invalid("owner_id", "please provide an owner id, or the endpoints that the link is for")
	}
	made, err := a.o.Catalog.CreatePortalLink(l)
	return a.respondPortalLink(c, http.StatusCreated, "Portal link created successfully", made, err)
}

func (a *API) getPortalLink(c *call) (reply, error) {
	l, err := c.portalLink()
	if err != nil {
		return reply{}, err
	}
	secrets, err := c.shown()
	if err != nil {
		return reply{}, err
	}
	if secrets {
		c.reveals("portal_link", l.ID, l.Name)
	}
	return respond(http.StatusOK, "Portal link fetched successfully", newPortalLinkView(l, c.snap, a.o.PortalURL, secrets))
}

// updatePortalLink changes what the body names and leaves the rest. A body that is a
// text revokes the link: so do older Go clients.
func (a *API) updatePortalLink(c *call) (reply, error) {
	l, err := c.portalLink()
	if err != nil {
		return reply{}, err
	}
	raw, err := a.readBody(c.r)
	if err != nil {
		return reply{}, err
	}
	if isText(raw) {
		return a.revokePortalLink(c)
	}
	var body portalLinkBody
	if err := a.decodeFor(c.r, raw, &body); err != nil {
		return reply{}, err
	}
	now := a.o.Now()
	l, err = a.o.Catalog.UpdatePortalLink(c.project.ID, l.ID, func(l *event.PortalLink) error { return body.apply(l, now) })
	return a.respondPortalLink(c, http.StatusAccepted, "Portal link updated successfully", l, err)
}

// revokePortalLink ends a link, and all that was made with it, at once.
func (a *API) revokePortalLink(c *call) (reply, error) {
	l, err := c.portalLink()
	if err != nil {
		return reply{}, err
	}
	if err := a.o.Catalog.RevokePortalLink(c.project.ID, l.ID); err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Portal link revoked successfully", nil)
}

// refreshPortalLink answers with a short-lived token for the link, as a text.
func (a *API) refreshPortalLink(c *call) (reply, error) {
	l, err := c.portalLink()
	if err != nil {
		return reply{}, err
	}
	token, _, err := a.o.Catalog.IssuePortalToken(c.project.ID, l.ID)
	if err != nil {
		return reply{}, err
	}
	c.did("portal_link.token", "portal_link", l.ID, l.Name)
	return respond(http.StatusOK, "Portal link auth token refreshed successfully", token)
}

// portalLink is the portal link in the path, if the project has it.
func (c *call) portalLink() (*event.PortalLink, error) {
	id, err := pathID(c.r, "portalLinkID")
	if err != nil {
		return nil, err
	}
	l := c.snap.PortalLink(c.project.ID, id)
	if l == nil {
		return nil, event.ErrNotFound
	}
	return l, nil
}

func (a *API) respondPortalLink(c *call, code int, message string, l *event.PortalLink, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return respond(code, message, newPortalLinkView(l, a.o.Catalog.Snapshot(), a.o.PortalURL, c.mayManage()))
}
