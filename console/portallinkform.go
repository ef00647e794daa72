package console

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// portalLinkParts are the fields of a link's form, but for its end, its endpoints and its
// logo.
var portalLinkParts = []part{
	{"name", aTitle}, {"owner_id", aTitle}, {"auth_type", aTitle}, {"can_manage_endpoint", aBox}, {"allowed_parents", aLines},
	{"brand.name", aTitle}, {"brand.accent", aTitle},
}

// portalLinkView is the form of a link.
type portalLinkView struct {
	L       portalLink // "" in its ID for a new one
	Now     time.Time
	Form    form
	Offered []endpoint // to choose some of
	Cut     bool       // there are more
	Parents []string   // whose pages may frame a portal that names none
	Shades  []shade
}

// Logo reports whether the link has a picture.
func (d portalLinkView) Logo() bool { return d.L.Brand != nil && len(d.L.Brand.Logo) > 0 }

// Looks reports whether the part about the portal's looks has something in it, or wrong.
func (d portalLinkView) Looks() bool {
	return d.Logo() || d.Form.Get("brand.name") != "" || d.Form.Get("brand.accent") != "" || d.Form.WrongIn("brand")
}

// Chosen reports whether only some of the owner's endpoints are, or something is wrong
// with them.
func (d portalLinkView) Chosen() bool {
	return len(d.Form.values["endpoints"]) > 0 || d.Form.WrongIn("endpoints")
}

func (c *Console) newPortalLink(w http.ResponseWriter, r *http.Request, v *visit) {
	c.renderPortalLink(w, r, v, portalLinkView{Form: newForm("owner_id", r.URL.Query().Get("owner"), "auth_type", "static_token", "can_manage_endpoint", "on")})
}

func (c *Console) editPortalLink(w http.ResponseWriter, r *http.Request, v *visit) {
	l, err := v.portalLink(r)
	if err != nil {
		c.failed(w, r, c.page(r, v, "portal-links", "Portal link"), err)
		return
	}
	c.renderPortalLink(w, r, v, portalLinkView{L: l, Form: l.form()})
}

// form is the form of what is stored.
func (l portalLink) form() form {
	f := newForm("name", l.Name, "owner_id", l.OwnerID, "auth_type", l.AuthType, "allowed_parents", strings.Join(l.AllowedParents, "\n"))
	f.values["endpoints"] = l.Endpoints
	if l.CanManageEndpoint {
		f.values.Set("can_manage_endpoint", "on")
	}
	if l.ExpiresAt != nil {
		f.values.Set("expires", "keep")
	}
	if l.Brand != nil {
		f.values.Set("brand.name", l.Brand.Name)
		f.values.Set("brand.accent", l.Brand.Accent)
	}
	return f
}

func (c *Console) renderPortalLink(w http.ResponseWriter, r *http.Request, v *visit, d portalLinkView) {
	p := c.page(r, v, "portal-links", "Add a portal link")
	if d.L.ID != "" {
		p.Title = "Portal link " + d.L.Name
	}
	if err := v.offerEndpoints(r.Context(), &d); err != nil {
		c.failed(w, r, p, err)
		return
	}
	if d.Form.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	d.Now, d.Parents, d.Shades = c.o.Now(), c.o.PortalParents, shadesOf(d.Form.text("brand.accent"))
	p.D = d
	c.render(w, r, "portallink.html", p)
}

// maxOffered bounds how many endpoints a link's form offers.
const maxOffered = 1000

// offerEndpoints fills in the endpoints to choose from: the owner's, or all that have an
// owner as long as none is named; and those that are chosen already, whatever they are.
func (v *visit) offerEndpoints(ctx context.Context, d *portalLinkView) error {
	query := url.Values{}
	if owner := d.Form.text("owner_id"); owner != "" {
		query.Set("ownerId", owner)
	}
	for !d.Cut {
		some, paging, err := v.endpoints(ctx, query)
		if err != nil {
			return err
		}
		d.Offered = append(d.Offered, some...)
		if !paging.HasNextPage {
			break
		}
		d.Cut = len(d.Offered) >= maxOffered
		query.Set("next_page_cursor", paging.NextPageCursor)
	}
	d.Offered = slices.DeleteFunc(d.Offered, func(e endpoint) bool { return e.OwnerID == "" })
	for _, id := range d.Form.values["endpoints"] {
		if !slices.ContainsFunc(d.Offered, func(e endpoint) bool { return e.ID == id }) {
			e := endpoint{ID: id, Name: "…" + cutID(id) + ", deleted or another owner's"}
			if i := slices.IndexFunc(d.L.Reached, func(e endpoint) bool { return e.ID == id }); i >= 0 {
				e = d.L.Reached[i]
			}
			d.Offered = append(d.Offered, e)
		}
	}
	return nil
}

// savePortalLink makes or changes a link. The page after one that was made shows it, once.
func (c *Console) savePortalLink(w http.ResponseWriter, r *http.Request, v *visit) {
	f := readForm(r)
	f.values.Set("brand.logo", "") // a file: so what is wrong with it finds its field
	d := portalLinkView{Form: f}
	method, path := http.MethodPost, "/portal-links"
	if r.PathValue("id") != "" {
		var err error
		if d.L, err = v.portalLink(r); err != nil {
			c.failed(w, r, c.page(r, v, "portal-links", "Portal link"), err)
			return
		}
		method, path = http.MethodPut, portalLinkPath(r)
	}
	a, err := v.change(r.Context(), method, path, nil, portalLinkBody(f, r, d.L.Brand))
	var made portalLink
	if err == nil {
		err = a.Into(&made)
	}
	switch {
	case refused(err):
		d.Form.refuse(err)
		c.renderPortalLink(w, r, v, d)
	case err != nil:
		c.failed(w, r, c.page(r, v, "portal-links", "Portal link"), err)
	case d.L.ID != "":
		back(w, r, v.base+portalLinkPath(r)+"?done=saved")
	case made.Openable():
		c.showPortalToken(w, r, v, portalToken{made.Name, made.URL, false})
	default:
		back(w, r, v.base+"/portal-links?done=made")
	}
}

// portalLinkBody is the request for a form. What the form lacks is as the API has it: all
// of the owner's endpoints, the server's parents, no end, posthaste's own look.
func portalLinkBody(f form, r *http.Request, before *brand) map[string]any {
	body := f.body(portalLinkParts)
	body["endpoints"] = texts(f.values["endpoints"])
	if f.text("expires") == "" {
		body["expires_at"] = ""
	}
	f.putEnd(body)
	put(body, "brand.logo", logoOf(f, r, before))
	return body
}

// logoOf is the picture that was sent with a form, or the one before.
func logoOf(f form, r *http.Request, before *brand) []byte {
	if file, _, err := r.FormFile("brand.logo"); err == nil {
		defer file.Close()
		if logo, err := io.ReadAll(file); err == nil && len(logo) > 0 {
			return logo
		}
	}
	if before == nil || f.Has("logo", "none") {
		return []byte{}
	}
	return before.Logo
}
