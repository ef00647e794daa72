package api

import (
	"net/http"

	"posthaste/event"
)

// listAttempts answers all attempts of a delivery, oldest first. It is not paged:
// event.MaxAttempts bounds them.
func (a *API) listAttempts(c *call) (reply, error) {
	d, attempts, err := a.attempts(c)
	if err != nil {
		return reply{}, err
	}
	views := make([]attemptView, len(attempts))
	mask := c.headerMask(d.EndpointID)
	for i := range attempts {
		views[i] = newAttemptView(&attempts[i], d, mask)
	}
	return respond(http.StatusOK, "Event delivery attempts fetched successfully", views)
}

func (a *API) getAttempt(c *call) (reply, error) {
	id, err := pathID(c.r, "deliveryAttemptID")
	if err != nil {
		return reply{}, err
	}
	d, attempts, err := a.attempts(c)
	if err != nil {
		return reply{}, err
	}
	for i := range attempts {
		if attemptID(&attempts[i], d.ID) == id {
			view := newAttemptView(&attempts[i], d, c.headerMask(d.EndpointID))
			return respond(http.StatusOK, "Event delivery attempt fetched successfully", view)
		}
	}
	return reply{}, event.ErrNotFound
}

func (a *API) attempts(c *call) (event.Delivery, []event.Attempt, error) {
	d, err := a.delivery(c)
	if err != nil {
		return event.Delivery{}, nil, err
	}
	attempts, err := a.o.Reader.Attempts(c.project.ID, d.ID)
	return d, attempts, err
}
