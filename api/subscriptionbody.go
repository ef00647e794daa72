package api

import (
	"encoding/json"

	"posthaste/event"
)

// subscriptionBody is a subscription in a request. nil is a field that was not sent, or
// was null. alert_config, rate_limit_config and retry_config are ignored, as Convoy
// ignores them.
type subscriptionBody struct {
	Name         *string     `json:"name"`
	EndpointID   *string     `json:"endpoint_id"`
	SourceID     string      `json:"source_id"`
	Function     *string     `json:"function"` // "": none
	FilterConfig *filterBody `json:"filter_config"`
	DeliveryMode *string     `json:"delivery_mode"` // "": as before
}

type filterBody struct {
	EventTypes []string `json:"event_types"` // null: as before; empty: all
	Filter     struct {
		Headers json.RawMessage `json:"headers"` // each of them: null: as before; {}: none
		Body    json.RawMessage `json:"body"`
		Query   json.RawMessage `json:"query"`
		Path    json.RawMessage `json:"path"`
	} `json:"filter"`
}

// readSubscriptionBody reads a request's subscription, and refuses what would change
// which events are delivered and is not supported.
func (a *API) readSubscriptionBody(c *call) (*subscriptionBody, error) {
	body, err := a.readBody(c.r)
	if err != nil {
		return nil, err
	}
	b := &subscriptionBody{}
	if err := decode(body, b); err != nil {
		return nil, err
	}
	if b.SourceID != "" {
		return nil, notYet("source_id")
	}
	if b.Function != nil && *b.Function != "" {
		return b, a.checkFunction(*b.Function)
	}
	return b, nil
}

// apply changes s as the body says. The catalog validates the outcome.
func (b *subscriptionBody) apply(s *event.Subscription) error {
	set(&s.Name, b.Name)
	set(&s.Function, b.Function)
	setText(&s.DeliveryMode, b.DeliveryMode)
	if b.FilterConfig != nil {
		b.FilterConfig.apply(&s.FilterConfig)
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
