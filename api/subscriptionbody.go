package api

import (
	"encoding/json"

	"posthaste/event"
)

// subscriptionBody is a subscription in a request. nil is a field that was not sent, or
// was null: it stays as it is.
type subscriptionBody struct {
	Name            *string     `json:"name"`
	EndpointID      *string     `json:"endpoint_id"` // "": as before
	AppID           *string     `json:"app_id"`      // at creation, in the place of endpoint_id
	SourceID        *string     `json:"source_id"`   // "": as before
	Function        *string     `json:"function"`    // "": none
	FilterConfig    *filterBody `json:"filter_config"`
	DeliveryMode    *string     `json:"delivery_mode"` // "": as before
	AlertConfig     *alertBody  `json:"alert_config"`
	RateLimitConfig *limitBody  `json:"rate_limit_config"`
	RetryConfig     *retryBody  `json:"retry_config"`
}

type filterBody struct {
	EventTypes []string `json:"event_types"` // null: as before; empty: all
	Filter     struct {
		Headers json.RawMessage `json:"headers"` // each of them: null: as before; {}: none
		Body    json.RawMessage `json:"body"`
		Query   json.RawMessage `json:"query"`
		Path    json.RawMessage `json:"path"`

		IsFlattened json.RawMessage `json:"is_flattened"` // ignored: Convoy's clients send it back
	} `json:"filter"`
}

// readSubscriptionBody reads a request's subscription.
func (a *API) readSubscriptionBody(c *call) (*subscriptionBody, error) {
	b := &subscriptionBody{}
	if err := a.readJSON(c.r, b); err != nil {
		return nil, err
	}
	if b.Function != nil && *b.Function != "" {
		return b, a.checkFunction(*b.Function)
	}
	return b, nil
}

// applyFor is apply, within what the caller may reach.
func (b *subscriptionBody) applyFor(c *call, s *event.Subscription) error {
	if err := b.apply(s); err != nil || !c.grant.Portal {
		return err
	}
	switch {
	case !s.EndpointID.IsZero() && !c.sees(c.snap.Endpoint(s.EndpointID)):
		return event.Invalid("endpoint_id", "the project has no endpoint with this id; create it first")
	case b.SourceID != nil && *b.SourceID != "", b.AppID != nil && *b.AppID != "":
		return event.Invalid("", "source_id and app_id are not for the portal; leave them out")
	}
	return nil
}

// apply changes s as the body says. The catalog validates the outcome.
func (b *subscriptionBody) apply(s *event.Subscription) error {
	set(&s.Name, b.Name)
	set(&s.Function, b.Function)
	setText(&s.DeliveryMode, b.DeliveryMode)
	if b.FilterConfig != nil {
		b.FilterConfig.apply(&s.FilterConfig)
	}
	if err := editExtra(s, b.applyExtra); err != nil {
		return err
	}
	if b.EndpointID == nil || *b.EndpointID == "" {
		return nil
	}
	id, err := event.ParseID(*b.EndpointID)
	if err != nil {
		return event.Invalid("endpoint_id", "%s", err)
	}
	s.EndpointID = id
	return nil
}

func (b *filterBody) apply(c *event.FilterConfig) {
	if b.EventTypes != nil {
		c.EventTypes = b.EventTypes
	}
	var f event.Filter
	if c.Filter != nil {
		f = *c.Filter
	}
	setConditions(&f.Headers, b.Filter.Headers)
	setConditions(&f.Body, b.Filter.Body)
	setConditions(&f.Query, b.Filter.Query)
	setConditions(&f.Path, b.Filter.Path)
	if c.Filter = &f; f.Headers == nil && f.Body == nil && f.Query == nil && f.Path == nil {
		c.Filter = nil
	}
}

// setConditions changes one part of a filter if the request named it. Empty conditions
// are none.
func setConditions(part *json.RawMessage, sent json.RawMessage) {
	switch {
	case len(sent) == 0 || string(sent) == "null":
	case isEmpty(sent):
		*part = nil
	default:
		*part = sent
	}
}
