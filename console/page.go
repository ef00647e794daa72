package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// page is what every template gets: what is the same on all pages, and D, the page's own.
type page struct {
	Title, Nav, Base string
	Theme            string         // light, dark, or "": as the system has it
	Loc              *time.Location // the zone of all times on the page
	TZ               string
	Portal, Embed    bool        // in the portal; and in a frame of another page
	Link             *portalInfo // of the portal; nil outside of it
	Manage           bool        // changes are offered
	Instance         bool        // the key reaches every project
	Project          string
	URL              *url.URL
	Code             int // of the answer; 0 is 200
	Now              time.Time
	Said             string // what a form before has done
	D                any
}

// newPage is a page for who signed in; v is nil where nobody has.
func (c *Console) newPage(r *http.Request, n *session, nav, title string) page {
	p := page{Title: title, Nav: nav, URL: r.URL, Now: c.o.Now(), Loc: time.UTC, TZ: "UTC"}
	if n != nil {
		p.Instance, p.Portal, p.Project = n.instance, n.portal, n.name
	}
	switch theme := r.URL.Query().Get("theme"); {
	case theme == "light" || theme == "dark":
		p.Theme = theme
	default:
		p.Theme = choice(r, "ph_theme", "light", "dark")
	}
	if zone := plainCookie(r, "ph_tz"); zone != "" && len(zone) < 64 {
		if l, err := time.LoadLocation(zone); err == nil {
			p.Loc, p.TZ = l, l.String()
		}
	}
	p.Embed = p.Portal && r.Header.Get("Sec-Fetch-Dest") == "iframe" // each navigation in a frame says so
	if p.Embed && p.Theme == "" {
		p.Theme = "light" // a page around it that is dark says so in the link
	}
	return p
}

// page is a page of the visit's project.
func (c *Console) page(r *http.Request, v *visit, nav, title string) page {
	p := c.newPage(r, v.session, nav, title)
	p.Base, p.Link, p.Manage, p.Said = v.base, v.portalInfo, v.manages(), done[r.URL.Query().Get("done")]
	if name := c.projectName(r.Context(), v); name != "" {
		p.Project = name
	}
	return p
}

// plainCookie is a cookie that the page's script may have set.
func plainCookie(r *http.Request, name string) string {
	k, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	value, err := url.QueryUnescape(k.Value)
	if err != nil {
		return ""
	}
	return value
}

// choice is a cookie's value if it is one of these.
func choice(r *http.Request, name string, values ...string) string {
	got := plainCookie(r, name)
	for _, v := range values {
		if got == v {
			return v
		}
	}
	return ""
}

// partial reports whether only the changing part of a page is asked for.
func partial(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-History-Restore-Request") == ""
}

// cut splits a pattern into method and path.
func cut(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	return method, path
}
