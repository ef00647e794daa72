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
	snap    *catalog.Snapshot
	project *catalog.Project // nil on a route of the instance
}

// admit authenticates a request and finds its project. A project that the key
// does not reach is not found, so that keys cannot be used to probe for projects.
func (a *API) admit(r *http.Request, s scope) (*call, error) {
	grant, err := a.authenticate(r)
	if err != nil {
		return nil, err
	}
	v, err := a.versionOf(r)
	if err != nil {
		return nil, err
	}
	c := &call{r: r, version: v, snap: a.o.Catalog.Snapshot()}
	if s == ofInstance {
		if !grant.Instance {
			return nil, errInstanceOnly
		}
		return c, nil
	}
	id, err := pathID(r, "projectID")
	if err != nil {
		return nil, err
	}
	if c.project = c.snap.Project(id); c.project == nil || c.project.IsMeta() || !grant.Allows(id) {
		return nil, event.ErrNotFound
	}
	return c, nil
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
