package api

import (
	"encoding/json"

	"posthaste/event"
)

// subscriptionBody is a subscription in a request. nil is a field that was not
// sent. alert_config, rate_limit_config and retry_config are ignored, as Convoy
// ignores them.
type subscriptionBody struct {
	Name         *string     `json:"name"`
	EndpointID   *string     `json:"endpoint_id"`
	SourceID     string      `json:"source_id"`
	Function     string      `json:"function"`
	FilterConfig *filterBody `json:"filter_config"`
	DeliveryMode *string     `json:"delivery_mode"` // "": as before
}

type filterBody struct {
	EventTypes []string `json:"event_types"` // null: as before; empty: all
	Filter     struct {
		Headers json.RawMessage `json:"headers"`
		Body    json.RawMessage `json:"body"`
		Query   json.RawMessage `json:"query"`
		Path    json.RawMessage `json:"path"`
	} `json:"filter"`
}

// readSubscriptionBody reads a request's subscription and refuses what would
// change which events are delivered, or their content, and is not supported.
func (a *API) readSubscriptionBody(c *call) (*subscriptionBody, error) {
	body, err := a.readBody(c.r)
	if err != nil {
		return nil, err
	}
	b := &subscriptionBody{}
	if err := decode(body, b); err != nil {
		return nil, err
	}
	switch {
	case b.SourceID != "":
		return nil, notYet("source_id")
	case b.Function != "":
		return nil, notYet("function")
	case b.FilterConfig == nil:
		return b, nil
	}
	return b, b.FilterConfig.check()
}

// check refuses a filter on anything but the event type.
func (f *filterBody) check() error {
	switch {
	case !isEmpty(f.Filter.Headers):
		return notYet("filter_config.filter.headers")
	case !isEmpty(f.Filter.Body):
		return notYet("filter_config.filter.body")
	case !isEmpty(f.Filter.Query):
		return notYet("filter_config.filter.query")
	case !isEmpty(f.Filter.Path):
		return notYet("filter_config.filter.path")
	}
	return nil
}

// apply changes s as the body says. The catalog validates the outcome.
func (b *subscriptionBody) apply(s *event.Subscription) error {
	set(&s.Name, b.Name)
	if b.DeliveryMode != nil && *b.DeliveryMode != "" {
		s.DeliveryMode = *b.DeliveryMode
	}
	if b.FilterConfig != nil && b.FilterConfig.EventTypes != nil {
		s.FilterConfig.EventTypes = b.FilterConfig.EventTypes
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
