package api

import (
	"net/http"

	"posthaste/catalog"
	"posthaste/event"
)

// listAppEndpoints is not paged: clients expect an array.
func (a *API) listAppEndpoints(c *call) (reply, error) {
	app, err := c.application()
	if err != nil {
		return reply{}, err
	}
	view := newApplicationView(app, c.snap, event.MaxFanout, false)
	return respond(http.StatusOK, "Endpoints fetched successfully", view.Endpoints)
}

func (a *API) createAppEndpoint(c *call) (reply, error) {
	app, err := c.application()
	if err != nil {
		return reply{}, err
	}
	var b appEndpointBody
	if err := a.readJSON(c.r, &b); err != nil {
		return reply{}, err
	}
	e, err := a.createInApplication(c, app, &b)
	return a.respondAppEndpoint(c, http.StatusCreated, "Endpoint created successfully", e, err)
}

// createInApplication makes an endpoint of an application, and its subscription. An
// endpoint without a name has that of the application; one of an application that is
// disabled is paused.
func (a *API) createInApplication(c *call, app *event.Application, b *appEndpointBody) (*catalog.Endpoint, error) {
	b.useOlderNames()
	setIfNil(&b.Name, app.Name)
	e, err := a.newEndpoint(c, &b.endpointBody, &app.ID)
	if err != nil {
		return nil, err
	}
	made, err := a.makeSubscribed(c, e, b.Events)
	if err != nil || !app.IsDisabled {
		return made, err
	}
	if err := a.pauseApplication(app); err != nil {
		return nil, err
	}
	return a.o.Catalog.Snapshot().Endpoint(made.ID), nil
}

func (a *API) getAppEndpoint(c *call) (reply, error) {
	e, err := c.appEndpoint()
	return a.respondAppEndpoint(c, http.StatusOK, "Endpoint fetched successfully", e, err)
}

// updateAppEndpoint changes what the body names and leaves the rest.
func (a *API) updateAppEndpoint(c *call) (reply, error) {
	e, err := c.appEndpoint()
	if err != nil {
		return reply{}, err
	}
	var b appEndpointBody
	if err := a.readJSON(c.r, &b); err != nil {
		return reply{}, err
	}
	b.useOlderNames()
	e, err = a.o.Catalog.UpdateEndpoint(c.project.ID, e.ID, func(e *event.Endpoint) error {
		return b.apply(e, c.project.Config.Strategy)
	})
	if err == nil && b.Events != nil {
		e, err = a.subscribeTo(e, b.Events)
	}
	return a.respondAppEndpoint(c, http.StatusAccepted, "Endpoint updated successfully", e, err)
}

// subscribeTo lets an endpoint's oldest subscription take these event types.
func (a *API) subscribeTo(e *catalog.Endpoint, types []string) (*catalog.Endpoint, error) {
	s, err := a.o.Catalog.EnsureSubscription(e.ProjectID, e.ID)
	if err != nil {
		return nil, err
	}
	_, err = a.o.Catalog.UpdateSubscription(e.ProjectID, s.ID, func(s *event.Subscription) error {
		s.FilterConfig.EventTypes = types
		return nil
	})
	return a.o.Catalog.Snapshot().Endpoint(e.ID), err
}

func (a *API) deleteAppEndpoint(c *call) (reply, error) {
	e, err := c.appEndpoint()
	if err != nil {
		return reply{}, err
	}
	if err := a.o.Catalog.DeleteEndpoint(c.project.ID, e.ID); err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Endpoint deleted successfully", nil)
}

// appEndpoint is the endpoint in the path, if the application in the path has it.
func (c *call) appEndpoint() (*catalog.Endpoint, error) {
	app, err := c.application()
	if err != nil {
		return nil, err
	}
	e, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	if e.AppID == nil || *e.AppID != app.ID {
		return nil, event.ErrNotFound
	}
	return e, nil
}

func (a *API) respondAppEndpoint(c *call, code int, message string, e *catalog.Endpoint, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	if e == nil {
		return reply{}, event.ErrNotFound // deleted by somebody else meanwhile
	}
	if c.mayManage() {
		c.reveals("endpoint", e.ID, e.Name)
	}
	return respond(code, message, newAppEndpointView(e, c.mayManage()))
}
