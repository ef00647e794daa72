package console

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"posthaste/client"
)

// portalInfo is what the API says of a portal: whose it is, what it may do and how it
// looks.
type portalInfo struct {
	CanManage         bool     `json:"can_manage_endpoint"`
	AllowedParents    []string `json:"allowed_parents"`
	Brand             *brand   `json:"brand"`
	SignatureHeader   string   `json:"signature_header"`
	SignatureVersions []struct {
		Hash     string `json:"hash"`
		Encoding string `json:"encoding"`
	} `json:"signature_versions"`
	Retry schedule `json:"retry"`
}

// Name is what the portal calls itself.
func (i *portalInfo) Name() string {
	if i == nil || i.Brand == nil || i.Brand.Name == "" {
		return "Webhooks"
	}
	return i.Brand.Name
}

// Logo reports whether there is a picture.
func (i *portalInfo) Logo() bool { return i != nil && i.Brand != nil && len(i.Brand.Logo) > 0 }

// Accent reports whether there is a colour.
func (i *portalInfo) Accent() bool { return i != nil && i.Brand != nil && i.Brand.Accent != "" }

// enterPortal takes a link's token out of the address and into a session.
func (c *Console) enterPortal(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead || strings.Contains(r.Header.Get("Sec-Purpose"), "prefetch") {
		w.WriteHeader(http.StatusNoContent) // who only looks uses no link up
		return
	}
	if c.tooMany(w, r) {
		return
	}
	token := r.URL.Query().Get("token")
	if token == "" {
		token = r.URL.Query().Get("owner_token")
	}
	n, err := c.openPortal(withRemote(r.Context(), r.RemoteAddr), token)
	switch {
	case err == nil:
	case codeOf(err) == http.StatusUnauthorized || token == "":
		c.tries.failed(r.RemoteAddr)
		c.portalOver(w, r, http.StatusUnauthorized, "This link no longer works", "It has expired, was used already, or was revoked.")
		return
	default:
		c.o.Logger.Error().Err(err).Msg("a portal link could not be checked")
		c.portalOver(w, r, http.StatusBadGateway, "The link could not be checked", "Try again in a moment.")
		return
	}
	c.enter(w, r, n)
}

// tooMany refuses whoever had too many links refused lately.
func (c *Console) tooMany(w http.ResponseWriter, r *http.Request) bool {
	wait := c.tries.wait(r.RemoteAddr)
	if wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		c.portalOver(w, r, http.StatusTooManyRequests, "Too many links were refused", "Wait "+short(wait)+", then open the link again.")
	}
	return wait > 0
}

// enter begins a portal's session and leads to its first page. In a frame the browser may
// keep no cookie: a ticket says then who it was.
func (c *Console) enter(w http.ResponseWriter, r *http.Request, n session) {
	if old := cookie(r, portalCookie); old != "" {
		c.sessions.end(old)
	}
	setCookie(w, r, portalCookie, c.sessions.begin(n), portalMemory)
	to, more := "/portal/endpoints", url.Values{}
	if r.Header.Get("Sec-Fetch-Dest") == "iframe" {
		to = "/portal/enter"
		more.Set("ticket", c.tickets.keep(n))
	}
	if theme := r.URL.Query().Get("theme"); theme == "dark" || theme == "light" {
		more.Set("theme", theme)
	}
	if len(more) > 0 {
		to += "?" + more.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// openPortal asks the API what a link's token opens. A token that is no key itself is
// exchanged for one: a one-time link's, which that uses up.
func (c *Console) openPortal(ctx context.Context, token string) (session, error) {
	n := session{portal: true}
	info, backend, err := c.portalOf(ctx, token)
	if codeOf(err) == http.StatusUnauthorized {
		var short string
		if short, err = c.exchange(ctx, token); err == nil {
			info, backend, err = c.portalOf(ctx, short)
		}
	}
	if err == nil {
		n.backend, n.parents = backend, info.AllowedParents
	}
	return n, err
}

func (c *Console) portalOf(ctx context.Context, token string) (info portalInfo, backend *client.Client, err error) {
	if backend, err = c.newBackend(token); err == nil {
		info, err = get[portalInfo](ctx, &visit{session: &session{backend: backend}, api: "/portal-api"}, "/portal")
	}
	return info, backend, err
}

func (c *Console) exchange(ctx context.Context, token string) (string, error) {
	backend, err := c.newBackend(token)
	if err != nil {
		return "", err
	}
	a, err := backend.Do(ctx, client.Request{Method: http.MethodPost, Path: "/portal-api/token", Body: map[string]string{"token": token}})
	var made struct {
		Token string `json:"token"`
	}
	if err == nil {
		err = a.Into(&made)
	}
	return made.Token, err
}

// entered is where a frame finds out whether its cookie came back. If it did not, the
// portal still opens in a tab of its own, by the ticket.
func (c *Console) entered(w http.ResponseWriter, r *http.Request) {
	if n := c.sessions.find(cookie(r, portalCookie)); n != nil && n.portal {
		c.tickets.take(r.URL.Query().Get("ticket"))
		to := "/portal/endpoints"
		if theme := r.URL.Query().Get("theme"); theme == "dark" || theme == "light" {
			to += "?theme=" + theme
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	p := c.newPage(r, nil, "", "Open in a new tab")
	p.Portal, p.D = true, r.URL.Query().Get("ticket")
	c.render(w, r, "portalblocked.html", p)
}

// enterByTicket begins a session for who came by a ticket.
func (c *Console) enterByTicket(w http.ResponseWriter, r *http.Request) {
	if c.tooMany(w, r) {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	n, known := c.tickets.take(r.PostFormValue("ticket"))
	if !known {
		c.tries.failed(r.RemoteAddr)
		c.portalOver(w, r, http.StatusUnauthorized, "This page is over", "It was opened already, or it was left alone for too long.")
		return
	}
	r.Header.Del("Sec-Fetch-Dest") // this page is a tab's
	c.enter(w, r, n)
}

// overView is the page of a portal that is not open any more.
type overView struct {
	Text    string
	Parents string // the origins that are told of it, between spaces
}

// portalOver says why the portal shows nothing, and tells the page around it.
func (c *Console) portalOver(w http.ResponseWriter, r *http.Request, code int, title, text string) {
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", "/portal/endpoints") // which says so as a whole page
		w.WriteHeader(code)
		return
	}
	p := c.newPage(r, nil, "", title)
	p.Portal, p.Code = true, code
	p.Embed = r.Header.Get("Sec-Fetch-Dest") == "iframe"
	p.D = overView{Text: text, Parents: strings.Join(c.parentsOf(r), " ")}
	c.render(w, r, "portalover.html", p)
}

// parentsOf are the origins of pages that may show this portal in a frame: its link's,
// else those that the operator names. A session that has ended still says whose it was.
func (c *Console) parentsOf(r *http.Request) []string {
	if parents := c.sessions.parentsOf(cookie(r, portalCookie)); len(parents) > 0 {
		return parents
	}
	return c.o.PortalParents
}

// forOwners serves those who came by a portal link, as long as the link is there. What
// changes something is refused where the link does not let its people manage.
func (c *Console) forOwners(serve handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token := cookie(r, portalCookie)
		n := c.sessions.find(token)
		if n == nil || !n.portal {
			c.portalOver(w, r, http.StatusUnauthorized, "This page is over", "It shows what is yours for an hour, and the link may have expired since or been revoked. It may also be that this browser keeps no cookies here.")
			return
		}
		r = r.WithContext(withRemote(r.Context(), r.RemoteAddr))
		v := &visit{session: n, base: "/portal", api: "/portal-api"}
		info, err := get[portalInfo](r.Context(), v, "/portal")
		if err != nil { // also of a link that is gone, see failed
			c.failed(w, r, c.page(r, v, "", "Portal"), err)
			return
		}
		v.portalInfo = &info
		c.sessions.remember(token, info.AllowedParents)
		if r.Method != http.MethodGet && !info.CanManage {
			c.failed(w, r, c.page(r, v, "", "Not allowed"), errLooksOnly)
			return
		}
		serve(c, w, r, v)
	}
}

var errLooksOnly = &client.Error{Status: http.StatusForbidden, Message: "This link lets you look, but change nothing. Ask for one that may manage endpoints."}

// manages reports whether the pages offer changes.
func (v *visit) manages() bool { return !v.portal || v.portalInfo != nil && v.portalInfo.CanManage }

// portalMemory is how long a browser keeps a portal's cookie: longer than it opens
// anything, so that the page which says that it is over knows whom to tell.
const portalMemory = 24 * time.Hour
