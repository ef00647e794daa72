package console

import (
	"net/http"
	"net/url"
	"time"

	"posthaste/client"
)

// portalLink lets one owner's people in. Pages read it masked: then its URL is where the
// portal is, and opens nothing.
type portalLink struct {
	client.PortalLink
	Endpoints      []string   `json:"endpoints"` // chosen ones; none: all of the owner's
	EndpointCount  int        `json:"endpoint_count"`
	Reached        []endpoint `json:"endpoints_metadata"` // the first of those that it shows
	AllowedParents []string   `json:"allowed_parents"`
	Brand          *brand     `json:"brand"`
	UsedAt         *time.Time `json:"used_at"`
}

// Kind is how the link is used, in words.
func (l portalLink) Kind() string {
	switch l.AuthType {
	case "one_time":
		return "for one use"
	case "refresh_token":
		return "by short-lived tokens"
	}
	return "as often as wanted"
}

// Ended reports whether the link opens nothing any more.
func (l portalLink) Ended(now time.Time) bool {
	return l.ExpiresAt != nil && !l.ExpiresAt.After(now) || l.AuthType == "one_time" && l.UsedAt != nil
}

// Openable reports whether the link itself is a way in: of the others only short-lived
// tokens are.
func (l portalLink) Openable() bool { return l.AuthType != "refresh_token" }

// More is how many endpoints it shows beside those that are named.
func (l portalLink) More() int { return l.EndpointCount - len(l.Reached) }

// portalLinksView is the list.
type portalLinksView struct {
	Rows    []portalLink
	Now     time.Time
	Q       string
	Owner   string   // only this one's
	Parents []string // whose pages may frame a portal that names none
	Next    string
	First   bool
	Token   *portalToken // asked for just now
}

// portalToken is an address with a token: the link's own, or one that lives for an hour.
type portalToken struct {
	Name, URL string
	Hour      bool
}

func (c *Console) portalLinks(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "portal-links", "Portal links")
	asked := r.URL.Query()
	d := portalLinksView{Now: c.o.Now(), Q: asked.Get("q"), Owner: asked.Get("owner"), Parents: c.o.PortalParents, First: asked.Get("cursor") == ""}
	if made, ok := c.flashed(v.session, asked.Get("token")).(portalToken); ok {
		d.Token = &made
	}
	query, self := url.Values{"perPage": {"100"}, "masked": {"true"}}, url.Values{}
	for name, value := range map[string]string{"q": d.Q, "owner": d.Owner} {
		if value != "" {
			self.Set(name, value)
			query.Set(map[string]string{"q": "q", "owner": "ownerId"}[name], value)
		}
	}
	if !d.First {
		query.Set("next_page_cursor", asked.Get("cursor"))
	}
	rows, paging, err := list[portalLink](r.Context(), v, "/portal-links", query)
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	if paging.HasNextPage {
		self.Set("cursor", paging.NextPageCursor)
		d.Next = v.base + "/portal-links?" + self.Encode()
	}
	d.Rows = rows
	p.D = d
	c.render(w, r, "portallinks.html", p)
}

func (v *visit) portalLink(r *http.Request) (portalLink, error) {
	return masked[portalLink](r.Context(), v, portalLinkPath(r))
}

func portalLinkPath(r *http.Request) string {
	return "/portal-links/" + url.PathEscape(r.PathValue("id"))
}

// portalToken asks for a short-lived token of a link, and shows the address with it, once.
func (c *Console) portalToken(w http.ResponseWriter, r *http.Request, v *visit) {
	a, err := v.change(r.Context(), http.MethodGet, portalLinkPath(r)+"/refresh_token", nil, nil)
	var token string
	if err == nil {
		err = a.Into(&token)
	}
	var l portalLink
	if err == nil {
		l, err = v.portalLink(r)
	}
	if err != nil {
		c.failed(w, r, c.page(r, v, "portal-links", "Portal links"), err)
		return
	}
	address := url.URL{Path: "/portal"}
	if u, err := url.Parse(l.URL); err == nil && u.Path != "" {
		address = *u
	}
	address.RawQuery = url.Values{"token": {token}}.Encode()
	c.showPortalToken(w, r, v, portalToken{l.Name, address.String(), true})
}

// showPortalLink shows a link, to be copied. No list has it in its page, and the API
// records who asked.
func (c *Console) showPortalLink(w http.ResponseWriter, r *http.Request, v *visit) {
	l, err := get[portalLink](r.Context(), v, portalLinkPath(r))
	if err != nil {
		c.failed(w, r, c.page(r, v, "portal-links", "Portal links"), err)
		return
	}
	c.showPortalToken(w, r, v, portalToken{l.Name, l.URL, false})
}

// showPortalToken leads to the list, which shows the token once. Where the operator has not
// said where the portal is, it is where this page is.
func (c *Console) showPortalToken(w http.ResponseWriter, r *http.Request, v *visit, t portalToken) {
	if u, err := url.Parse(t.URL); err == nil && u.Host == "" {
		u.Scheme, u.Host = "http", r.Host
		if secure(r) {
			u.Scheme = "https"
		}
		t.URL = u.String()
	}
	back(w, r, v.base+"/portal-links?token="+c.flash(v.session, t))
}

func (c *Console) revokePortalLink(w http.ResponseWriter, r *http.Request, v *visit) {
	if _, err := v.change(r.Context(), http.MethodDelete, portalLinkPath(r), nil, nil); err != nil {
		c.failed(w, r, c.page(r, v, "portal-links", "Portal links"), err)
		return
	}
	back(w, r, v.base+"/portal-links?done=revoked")
}

// portalLinkLogo is the picture of a link's portal.
func (c *Console) portalLinkLogo(w http.ResponseWriter, r *http.Request, v *visit) {
	l, err := v.portalLink(r)
	if err != nil {
		c.failed(w, r, c.page(r, v, "portal-links", "Portal links"), err)
		return
	}
	l.Brand.writeLogo(w, r)
}
