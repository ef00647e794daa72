package api

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"posthaste/catalog"
	"posthaste/event"
)

func (a *API) listEndpoints(c *call) (reply, error) {
	params := c.r.URL.Query()
	q, err := parsePageQuery(params)
	if err != nil {
		return reply{}, err
	}
	owner, name := params.Get("ownerId"), strings.ToLower(params.Get("q"))
	states, err := endpointStates(params)
	if err != nil {
		return reply{}, err
	}
	match := func(e *catalog.Endpoint) bool {
		return c.sees(e) && (owner == "" || e.OwnerID == owner) && strings.Contains(strings.ToLower(e.Name), name) &&
			(len(states) == 0 || slices.Contains(states, e.Status))
	}
	p, err := readPage(q, listing[*catalog.Endpoint]{
		fetch: snapshotFetch(func(r event.Range) []*catalog.Endpoint { return c.snap.Endpoints(c.project.ID, r, match) }),
		id:    func(e *catalog.Endpoint) event.ID { return e.ID },
		bytes: endpointBytes,
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, e *catalog.Endpoint) ([]byte, error) {
		return appendObject(dst, a.fullEndpointView(&e.Endpoint, c.version, false))
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Endpoints fetched successfully", data)
}

// endpointStates reads the states that listed endpoints may have, each in a parameter of
// its own or several in one; all if there are none.
func endpointStates(params url.Values) ([]event.EndpointStatus, error) {
	var states []event.EndpointStatus
	for text := range wordsOf(params["status"]) {
		s := event.EndpointStatus(text)
		if !slices.Contains(event.EndpointStatuses, s) {
			return nil, event.Invalid("status", "must be one of %q", event.EndpointStatuses)
		}
		states = append(states, s)
	}
	return states, nil
}

func (a *API) createEndpoint(c *call) (reply, error) {
	body, err := a.readEndpointBody(c)
	if err != nil {
		return reply{}, err
	}
	app, err := body.app()
	if err != nil {
		return reply{}, err
	}
	created, err := a.makeEndpoint(c, body, app)
	return a.respondEndpoint(c, http.StatusCreated, "Endpoint created successfully", created, err)
}

// makeEndpoint makes the endpoint that a body describes, of an application if app is
// not nil.
func (a *API) makeEndpoint(c *call, body *endpointBody, app *event.ID) (*catalog.Endpoint, error) {
	e, err := a.newEndpoint(c, body, app)
	if err != nil {
		return nil, err
	}
	return a.o.Catalog.CreateEndpoint(e)
}

// newEndpoint is the endpoint that a body describes, which is not made yet.
func (a *API) newEndpoint(c *call, body *endpointBody, app *event.ID) (event.Endpoint, error) {
	if app != nil && a.o.Catalog.Snapshot().Application(c.project.ID, *app) == nil {
		return event.Endpoint{}, event.Invalid("app_id", "the project has no application with this id; create it first")
	}
	e := event.Endpoint{
		ProjectID:          c.project.ID,
		AppID:              app,
		Status:             event.EndpointActive,
		AdvancedSignatures: !c.version.simpleSignatures() || c.project.Type == "incoming",
		HTTPTimeout:        event.DefaultHTTPTimeout,
		RateLimit:          defaultRateLimit,
		RateLimitDuration:  defaultRateLimitSeconds,
		ContentType:        "application/json",
	}
	if err := body.apply(&e, c.project.Config.Strategy); err != nil {
		return e, err
	}
	if c.grant.Portal {
		e.OwnerID = c.grant.OwnerID
	}
	return e, nil
}

// makeSubscribed makes an endpoint and its subscription in one write.
func (a *API) makeSubscribed(c *call, e event.Endpoint, types []string) (*catalog.Endpoint, error) {
	made, err := a.o.Catalog.CreateSubscribed(c.project.ID, []catalog.Subscribed{{
		Endpoint:     e,
		Subscription: event.Subscription{Name: e.Name, FilterConfig: event.FilterConfig{EventTypes: types}},
	}})
	if row := (*catalog.RowError)(nil); errors.As(err, &row) {
		return nil, row.Err
	}
	if err != nil {
		return nil, err
	}
	return made[0], nil
}

func (a *API) getEndpoint(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	secrets, err := c.shown()
	if err != nil {
		return reply{}, err
	}
	if secrets {
		c.reveals("endpoint", e.ID, e.Name)
	}
	return respond(http.StatusOK, "Endpoint fetched successfully", a.fullEndpointView(&e.Endpoint, c.version, secrets))
}

// updateEndpoint changes what the body names and leaves the rest.
func (a *API) updateEndpoint(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	body, err := a.readEndpointBody(c)
	if err != nil {
		return reply{}, err
	}
	e, err = a.o.Catalog.UpdateEndpoint(c.project.ID, e.ID, func(e *event.Endpoint) error {
		owner := e.OwnerID
		err := body.apply(e, c.project.Config.Strategy)
		if c.grant.Portal {
			e.OwnerID = owner
		}
		return err
	})
	return a.respondEndpoint(c, http.StatusAccepted, "Endpoint updated successfully", e, err)
}

func (a *API) deleteEndpoint(c *call) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	if err := a.o.Catalog.DeleteEndpoint(c.project.ID, e.ID); err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Endpoint deleted successfully", nil)
}

// endpoint is the endpoint in the path, if the project has it.
func (c *call) endpoint() (*catalog.Endpoint, error) {
	id, err := pathID(c.r, "endpointID")
	if err != nil {
		return nil, err
	}
	e := c.snap.Endpoint(id)
	if e == nil || e.ProjectID != c.project.ID || !c.sees(e) {
		return nil, event.ErrNotFound
	}
	return e, nil
}

// sees reports whether the caller may know of an endpoint of the project: of a nil
// endpoint, one that is gone, only those may who see all.
func (c *call) sees(e *catalog.Endpoint) bool {
	if e == nil {
		return !c.grant.Portal
	}
	return c.grant.SeesEndpoint(&e.Endpoint)
}

// endpointBytes is what an endpoint's long texts hold.
func endpointBytes(e *catalog.Endpoint) int {
	n := len(e.CACert)
	if e.ClientCert != nil {
		n += len(e.ClientCert.Cert)
	}
	for _, h := range e.CustomHeaders {
		n += len(h.Name) + len(h.Value)
	}
	return n
}

// respondEndpoint answers with one endpoint and, for those who may change it, its
// secrets.
func (a *API) respondEndpoint(c *call, code int, message string, e *catalog.Endpoint, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return respond(code, message, a.fullEndpointView(&e.Endpoint, c.version, c.mayManage()))
}
