package api

import (
	"net/http"

	"posthaste/event"
)

// pauseEndpoint pauses an active endpoint and lets a paused one go on. Its body is
// ignored: some of Convoy's clients send one.
func (a *API) pauseEndpoint(c *call) (reply, error) {
	return a.changeStatus(c, "endpoint status updated successfully", togglePause)
}

// activateEndpoint makes an endpoint take deliveries again, whatever stopped it.
func (a *API) activateEndpoint(c *call) (reply, error) {
	return a.changeStatus(c, "endpoint status successfully activated", activate)
}

// togglePause is the state that pausing leads to, and why.
func togglePause(s event.EndpointStatus) (event.EndpointStatus, string, error) {
	switch s {
	case event.EndpointActive:
		return event.EndpointPaused, "paused through the API", nil
	case event.EndpointPaused:
		return event.EndpointActive, "resumed through the API", nil
	}
	return s, "", event.Invalid("", "an endpoint that is %s cannot be paused; activate it first", s)
}

func activate(event.EndpointStatus) (event.EndpointStatus, string, error) {
	return event.EndpointActive, "activated through the API", nil
}

// changeStatus changes the state of the endpoint in the path from the one that the
// request found. If it became another meanwhile, to would mean something else.
func (a *API) changeStatus(c *call, message string, to func(event.EndpointStatus) (event.EndpointStatus, string, error)) (reply, error) {
	e, err := c.endpoint()
	if err != nil {
		return reply{}, err
	}
	next, reason, err := to(e.Status)
	if err != nil {
		return reply{}, err
	}
	found := e.Status
	e, err = a.o.Catalog.ChangeStatus(c.project.ID, e.ID, reason, func(now event.EndpointStatus) (event.EndpointStatus, error) {
		if now != found {
			return now, event.ErrConflict
		}
		return next, nil
	})
	return a.respondEndpoint(c, http.StatusAccepted, message, e, err)
}
