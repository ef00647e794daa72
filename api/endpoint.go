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
		id: func(e *catalog.Endpoint) event.ID { return e.ID },
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, e *catalog.Endpoint) ([]byte, error) {
		return appendObject(dst, newEndpointView(&e.Endpoint, c.version))
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
	body.apply(&e)
	created, err := a.o.Catalog.CreateEndpoint(e)
	return respondEndpoint(c, http.StatusCreated, "Endpoint created successfully", created, err)
}

func (a *API) getEndpoint(c *call) (reply, error) {
	e, err := c.endpoint()
	return respondEndpoint(c, http.StatusOK, "Endpoint fetched successfully", e, err)
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
		body.apply(e)
		return nil
	})
	return respondEndpoint(c, http.StatusAccepted, "Endpoint updated successfully", e, err)
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

// pauseEndpoint pauses an active endpoint and lets a paused one go on. Its body is
// ignored: some of Convoy's clients send one.
func (a *API) pauseEndpoint(c *call) (reply, error) {
	e, err := a.changeStatus(c, togglePause)
	return respondEndpoint(c, http.StatusAccepted, "endpoint status updated successfully", e, err)
}

// activateEndpoint makes an endpoint take deliveries again, whatever stopped it.
func (a *API) activateEndpoint(c *call) (reply, error) {
	e, err := a.changeStatus(c, func(event.EndpointStatus) (event.EndpointStatus, error) {
		return event.EndpointActive, nil
	})
	return respondEndpoint(c, http.StatusAccepted, "endpoint status successfully activated", e, err)
}

func togglePause(s event.EndpointStatus) (event.EndpointStatus, error) {
	switch s {
	case event.EndpointActive:
		return event.EndpointPaused, nil
	case event.EndpointPaused:
		return event.EndpointActive, nil
	}
	return s, event.Invalid("", "an endpoint that is %s cannot be paused; activate it first", s)
}

func (a *API) changeStatus(c *call, to func(event.EndpointStatus) (event.EndpointStatus, error)) (*catalog.Endpoint, error) {
	e, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	return a.o.Catalog.UpdateEndpoint(c.project.ID, e.ID, func(e *event.Endpoint) (err error) {
		e.Status, err = to(e.Status)
		return err
	})
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

func respondEndpoint(c *call, code int, message string, e *catalog.Endpoint, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return respond(code, message, newEndpointView(&e.Endpoint, c.version))
}
