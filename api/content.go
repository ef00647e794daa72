package api

import (
	"net/http"
)

var errNoContent = &httpError{http.StatusNotImplemented, "this server does not delete the content of events"}

// deleteContent removes what an event says, and what was recorded of its requests and
// answers, and keeps that it happened.
func (a *API) deleteContent(c *call) (reply, error) {
	if a.o.DeleteContent == nil {
		return reply{}, errNoContent
	}
	e, err := a.event(c)
	if err != nil {
		return reply{}, err
	}
	if err := a.o.DeleteContent(c.project.ID, e.ID); err != nil {
		return reply{}, err
	}
	c.did("event.erase", "event", e.ID, e.Type)
	return respond(http.StatusOK, "Event content deleted successfully", nil)
}
