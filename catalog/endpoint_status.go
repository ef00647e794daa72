package catalog

import (
	"slices"
	"strings"
	"time"

	"posthaste/event"
)

// ChangeStatus gives an endpoint of the project another status, and remembers the
// change with its reason and time. to is given the status of the moment, while other
// writers wait, and says the next; its error is returned as it is and nothing is
// written. Where the status stays as it is, nothing is written either.
func (c *Catalog) ChangeStatus(project, endpoint event.ID, reason string, to func(event.EndpointStatus) (event.EndpointStatus, error)) (*Endpoint, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.Snapshot().endpointOf(project, endpoint)
	if old == nil {
		return nil, notFound("endpoint", endpoint)
	}
	next, err := to(old.Status)
	if err != nil {
		return nil, err
	}
	if next == old.Status {
		return old, nil
	}
	if err := checkStatus(next); err != nil {
		return nil, err
	}
	e, now := old.Endpoint, c.timestamp()
	detachEndpoint(&e)
	e.Status, e.UpdatedAt = next, event.StampOf(now)
	dropEnded(&e, now)
	remember(&e, old.Status, reason, now)
	return c.replaceEndpointLocked("change the status of an endpoint", old, e)
}

// remember adds the change from a status to e's to its history, and drops what is
// too old to be kept. The history must be e's own.
func remember(e *event.Endpoint, from event.EndpointStatus, reason string, now time.Time) {
	if len(reason) > event.MaxNameBytes {
		reason = strings.ToValidUTF8(reason[:event.MaxNameBytes], "")
	}
	e.StatusHistory = append(e.StatusHistory, event.StatusChange{From: from, To: e.Status, Reason: reason, At: now})
	if n := len(e.StatusHistory) - event.MaxStatusHistory; n > 0 {
		e.StatusHistory = slices.Delete(e.StatusHistory, 0, n)
	}
}
