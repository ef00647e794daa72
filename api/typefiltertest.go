package api

import (
	"encoding/json"
	"net/http"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/match"
)

// typeFilterTestBody is a made-up event, to see whether a subscription would take it.
type typeFilterTestBody struct {
	Payload json.RawMessage  `json:"payload"` // its body, where request has none
	Request filterTestScopes `json:"request"`
}

// testTypeFilter says whether the subscription would take an event of the type in the
// path that looks like the request: by its event types, its own filter and the filter
// for the type.
func (a *API) testTypeFilter(c *call) (reply, error) {
	s, err := c.subscription()
	if err != nil {
		return reply{}, err
	}
	var in typeFilterTestBody
	if err := a.readJSON(c.r, &in); err != nil {
		return reply{}, err
	}
	if len(in.Request.Body) == 0 {
		in.Request.Body = in.Payload
	}
	if q := &in.Request; len(q.Body)+len(q.Headers)+len(q.Header)+len(q.Query)+len(q.Path) == 0 {
		return reply{}, event.Invalid("payload", "is missing, and so is request: give what the event would look like")
	}
	ev, err := in.Request.event()
	if err != nil {
		return reply{}, err
	}
	ev.Type, ev.SourceID, ev.ProjectID = c.r.PathValue("eventType"), extraOf(s).SourceID, c.project.ID
	var input match.Input
	input.Reset(ev)
	compiled := compiledSubscription(c.snap, s)
	return respond(http.StatusOK, "Filter test completed", struct {
		IsMatch bool `json:"is_match"`
	}{compiled != nil && compiled.Wants(&input)})
}

// compiledSubscription is what decides for a subscription; nil if it is gone.
func compiledSubscription(snap *catalog.Snapshot, s *event.Subscription) *catalog.Subscription {
	for _, sub := range snap.SubscriptionsOf(s.EndpointID) {
		if sub.ID == s.ID {
			return sub
		}
	}
	return nil
}
