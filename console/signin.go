package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// signInView is what the sign-in page shows.
type signInView struct {
	Problem string
	Next    string // where to go afterwards
	Plain   bool   // the connection is not safe for a key
}

func (c *Console) signInPage(w http.ResponseWriter, r *http.Request) {
	c.renderSignIn(w, r, http.StatusOK, "")
}

func (c *Console) renderSignIn(w http.ResponseWriter, r *http.Request, code int, problem string) {
	p := c.newPage(r, nil, "", "Sign in")
	p.Code = code
	p.D = signInView{Problem: problem, Next: safeNext(r.FormValue("next")), Plain: !c.mayCarryKeys(r)}
	c.render(w, r, "login.html", p)
}

// safeNext is a path of this console, or "".
func safeNext(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.IsAbs() || u.Host != "" || strings.Contains(text, `\`) {
		return ""
	}
	for _, begin := range []string{"/p/", "/system", "/projects"} {
		if strings.HasPrefix(u.Path, begin) {
			return u.RequestURI()
		}
	}
	return ""
}

// signIn checks a key by using it, and begins a session.
func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	if !c.mayCarryKeys(r) {
		c.renderSignIn(w, r, http.StatusForbidden, "A key would be readable on its way. Use https.")
		return
	}
	if wait := c.tries.wait(r.RemoteAddr); wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(wait.Seconds())+1))
		c.renderSignIn(w, r, http.StatusTooManyRequests, fmt.Sprintf("Too many keys were refused. Try again in %s.", short(wait)))
		return
	}
	n, problem := c.open(r, strings.TrimSpace(r.PostFormValue("key")))
	if problem != "" {
		c.tries.failed(r.RemoteAddr)
		c.renderSignIn(w, r, http.StatusUnauthorized, problem)
		return
	}
	if old := cookie(r, cookieName); old != "" {
		c.sessions.end(old)
	}
	setCookie(w, r, cookieName, c.sessions.begin(n), absoluteTime)
	next := safeNext(r.PostFormValue("next"))
	if next == "" {
		next = "/"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// open asks the API what a key reaches.
func (c *Console) open(r *http.Request, key string) (n session, problem string) {
	backend, err := c.newBackend(key)
	if err != nil || key == "" {
		return n, "That is not a key. The instance's key is in instance.key of the data folder; posthaste key create makes others."
	}
	n.backend = backend
	page, err := backend.Projects().List(withRemote(r.Context(), r.RemoteAddr), nil)
	switch codeOf(err) {
	case http.StatusUnauthorized:
		return n, "This key is not known, was revoked or has ended."
	case http.StatusForbidden:
		return n, "This key may not read: " + refusalText(err)
	}
	if err != nil {
		return n, "The server could not check the key. Try again."
	}
	if len(page.Rows) == 1 {
		n.project, n.name = page.Rows[0].Value.ID, page.Rows[0].Value.Name
	}
	_, err = backend.InstanceKeys().List(withRemote(r.Context(), r.RemoteAddr), nil)
	n.instance = err == nil
	return n, ""
}

func (c *Console) signOut(w http.ResponseWriter, r *http.Request) {
	c.sessions.end(cookie(r, cookieName))
	setCookie(w, r, cookieName, "", 0)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// start leads to the first project.
func (c *Console) start(w http.ResponseWriter, r *http.Request) {
	n := c.sessions.find(cookie(r, cookieName))
	if n == nil || n.portal {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return
	}
	page, err := n.backend.Projects().List(withRemote(r.Context(), r.RemoteAddr), nil)
	if err != nil {
		c.failed(w, r, c.newPage(r, n, "", "Projects"), err)
		return
	}
	if len(page.Rows) == 0 {
		http.Redirect(w, r, "/projects", http.StatusSeeOther)
		return
	}
	project := page.Rows[0].Value.ID
	if last, err := r.Cookie("ph_project"); err == nil {
		for _, row := range page.Rows {
			if row.Value.ID == last.Value {
				project = last.Value
			}
		}
	}
	http.Redirect(w, r, "/p/"+url.PathEscape(project)+"/", http.StatusSeeOther)
}

// handler serves a page for who signed in.
type handler func(c *Console, w http.ResponseWriter, r *http.Request, v *visit)

// visit is one request for a page.
type visit struct {
	*session
	*portalInfo        // of the link, in the portal; else nil
	base        string // of the pages' paths: "/p/{project}" or "/portal"
	api         string // of the API's paths that the pages use
}

// signedIn is the session of who signed in with a key. Who did not is sent to the sign-in
// page, and it is nil.
func (c *Console) signedIn(w http.ResponseWriter, r *http.Request) *session {
	n := c.sessions.find(cookie(r, cookieName))
	if n != nil && !n.portal {
		return n
	}
	to := "/login"
	if r.Method == http.MethodGet && r.Header.Get("HX-Request") == "" {
		to += "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	leave(w, r, to)
	return nil
}

// forOperators serves those who signed in with a key that reaches the project.
func (c *Console) forOperators(serve handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := c.signedIn(w, r)
		if n == nil {
			return
		}
		project := r.PathValue("project")
		r = r.WithContext(withRemote(r.Context(), r.RemoteAddr))
		if r.Method == http.MethodGet && len(project) == 26 {
			http.SetCookie(w, &http.Cookie{Name: "ph_project", Value: project, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), SameSite: http.SameSiteLaxMode, HttpOnly: true})
		}
		serve(c, w, r, &visit{session: n, base: "/p/" + url.PathEscape(project), api: "/api/v1/projects/" + url.PathEscape(project)})
	}
}

// leave sends the browser to another page, also from a request for a part of one.
func leave(w http.ResponseWriter, r *http.Request, to string) {
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}
