package api

import (
	"net/http"
	"strings"

	"posthaste/catalog"
	"posthaste/event"
)

const (
	requestIDHeader = "X-Request-Id"
	versionHeader   = "X-Convoy-Version"
)

// call is one admitted request: who asks, about which project, in which version,
// against which state of the catalog.
type call struct {
	r       *http.Request
	version version
	grant   event.Grant // what the caller may do; zero on an open route
	snap    *catalog.Snapshot
	project *catalog.Project // nil on a route of the instance
}

// admit authenticates a request and finds its project. A project that the key
// does not reach is not found, so that keys cannot be used to probe for projects.
func (a *API) admit(r *http.Request, rt *route) (*call, error) {
	var grant event.Grant
	if rt.scope != ofNobody {
		var err error
		if grant, err = a.authenticate(r); err != nil {
			return nil, err
		}
	}
	v, err := a.versionOf(r)
	if err != nil {
		return nil, err
	}
	if err := checkQuery(r.URL.RawQuery); err != nil {
		return nil, err
	}
	c := &call{r: r, version: v, grant: grant, snap: a.o.Catalog.Snapshot()}
	switch rt.scope {
	case ofNobody:
		return c, nil
	case ofInstance:
		return c, c.admitToInstance(rt)
	case ofPortal:
		return c, c.admitToPortal(rt)
	}
	return c, c.admitToProject(rt)
}

// admitToInstance lets the instance's keys in and, to the few routes that serve it in a
// way of its own, a project's key.
func (c *call) admitToInstance(rt *route) error {
	switch {
	case c.grant.Portal:
		return event.ErrNotFound
	case c.grant.Instance:
	case forProjectKeys[rt.pattern] == nil:
		return errInstanceOnly
	default:
		if c.project = c.snap.Project(c.grant.ProjectID); c.project == nil {
			return event.ErrNotFound
		}
	}
	return checkScope(c.grant.Scopes, rt)
}

// admitToProject finds the project in the path.
func (c *call) admitToProject(rt *route) error {
	id, err := pathID(c.r, "projectID")
	if err != nil {
		return err
	}
	if c.project = c.snap.Project(id); c.project == nil || c.project.IsMeta() || !c.grant.Allows(id) {
		return event.ErrNotFound
	}
	return checkScope(c.grant.Scopes, rt)
}

// admitToPortal finds the project of a portal grant.
func (c *call) admitToPortal(rt *route) error {
	if !c.grant.Portal {
		return errPortalOnly
	}
	if c.project = c.snap.Project(c.grant.ProjectID); c.project == nil || c.project.IsMeta() {
		return event.ErrNotFound
	}
	return checkScope(c.grant.Scopes, rt)
}

// mayManage reports whether the caller may change things, and so see the secrets of
// what it reads.
func (c *call) mayManage() bool { return c.grant.Scopes.Has(event.ScopeManage) }

// authenticate reads "Authorization: Bearer <key>", and checks where the request comes
// from.
func (a *API) authenticate(r *http.Request) (event.Grant, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return event.Grant{}, errNoKey
	}
	scheme, key, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return event.Grant{}, errBadKey
	}
	grant, ok := a.o.Catalog.Authenticate([]byte(strings.TrimSpace(key)))
	if !ok {
		return event.Grant{}, errBadKey
	}
	return grant, checkAddress(&grant, r.RemoteAddr)
}

func (a *API) versionOf(r *http.Request) (version, error) {
	text := r.Header.Get(versionHeader)
	if text == "" {
		text = a.o.APIVersion
	}
	return parseVersion(text)
}

// requestID takes the request's own id if it is a short plain word, else makes one.
func requestID(r *http.Request) string {
	id := r.Header.Get(requestIDHeader)
	if id == "" || len(id) > 128 || strings.ContainsFunc(id, notInRequestID) {
		return event.NewID().String()
	}
	return id
}

func notInRequestID(c rune) bool {
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	return !letter && (c < '0' || c > '9') && !strings.ContainsRune("-_.:", c)
}
