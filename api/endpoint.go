package api

import (
	"net/http"
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
	match := func(e *catalog.Endpoint) bool {
		return (owner == "" || e.OwnerID == owner) && strings.Contains(strings.ToLower(e.Name), name)
	}
	p, err := readPage(q, listing[*catalog.Endpoint]{
		fetch: func(r event.Range) ([]*catalog.Endpoint, error) {
			return c.snap.Endpoints(c.project.ID, r, match), nil
		},
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

func (a *API) createEndpoint(c *call) (reply, error) {
	body, err := a.readEndpointBody(c)
	if err != nil {
		return reply{}, err
	}
	e := event.Endpoint{
		ProjectID:          c.project.ID,
		Status:             event.EndpointActive,
		AdvancedSignatures: !c.version.simpleSignatures() || c.project.Type == "incoming",
		HTTPTimeout:        event.DefaultHTTPTimeout,
		RateLimit:          defaultRateLimit,
		RateLimitDuration:  defaultRateLimitSeconds,
		ContentType:        "application/json",
	}
	if err := body.apply(&e, c.project.Config.Strategy); err != nil {
		return reply{}, err
	}
	created, err := a.o.Catalog.CreateEndpoint(e)
	return a.respondEndpoint(c, http.StatusCreated, "Endpoint created successfully", created, err)
}

func (a *API) getEndpoint(c *call) (reply, error) {
	e, err := c.endpoint()
	return a.respondEndpoint(c, http.StatusOK, "Endpoint fetched successfully", e, err)
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
		return body.apply(e, c.project.Config.Strategy)
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
	if e == nil || e.ProjectID != c.project.ID {
		return nil, event.ErrNotFound
	}
	return e, nil
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

// respondEndpoint answers with one endpoint and its secrets.
func (a *API) respondEndpoint(c *call, code int, message string, e *catalog.Endpoint, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return respond(code, message, a.fullEndpointView(&e.Endpoint, c.version, true))
}
