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
	route   *route
	version version
	grant   event.Grant // what the caller may do; zero on an open route
	snap    *catalog.Snapshot
	project *catalog.Project // nil on a route of the instance
	done    event.Audit      // what was done that the catalog knows nothing of, see did
}

// admit authenticates a request and finds its project. A project that the key
// does not reach is not found, so that keys cannot be used to probe for projects. The
// call is nil where nobody is known to ask.
func (a *API) admit(r *http.Request, rt *route) (c *call, err error) {
	c = &call{r: r, route: rt, snap: a.o.Catalog.Snapshot()}
	if rt.scope != ofNobody {
		if c.grant, err = a.authenticate(r); err != nil {
			return nil, err
		}
	}
	if err := checkAddress(&c.grant, r.RemoteAddr); err != nil {
		return c, err
	}
	if c.version, err = a.versionOf(r); err != nil {
		return c, err
	}
	if err := checkQuery(r.URL.RawQuery); err != nil {
		return c, err
	}
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
		return refused(event.ErrNotFound)
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
	if !c.grant.Allows(id) {
		return refused(event.ErrNotFound)
	}
	if c.project = c.snap.Project(id); c.project == nil || c.project.IsMeta() {
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

// shown reports whether what a request reads is answered with its secrets: it is to those
// who may manage, as Convoy does, unless they ask for masks. A page does, which shows a
// secret only when it is told to; and the audit log has no record of one that nobody saw.
func (c *call) shown() (bool, error) {
	hidden, err := truthParam(c.r.URL.Query(), "masked")
	return c.mayManage() && !hidden, err
}

// authenticate reads "Authorization: Bearer <key>".
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
	return grant, nil
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
