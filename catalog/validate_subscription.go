package catalog

import (
	"fmt"
	"slices"

	"posthaste/event"
)

// The ways in which a subscription is delivered.
const (
	atLeastOnce = "at_least_once"
	atMostOnce  = "at_most_once"
)

// subscriptionType is the only type of subscription there is.
const subscriptionType = "api"

// catchAll is the event types of a subscription that takes all. It is shared by
// most subscriptions, and read only.
var catchAll = []string{"*"}

func isCatchAll(types []string) bool { return len(types) == 1 && types[0] == "*" }

// normalizeSubscription fills defaults in and checks the rest, against the
// snapshot of the moment: the caller holds the writers' lock.
func (c *Catalog) normalizeSubscription(s *event.Subscription, p *Project) error {
	s.Type, s.DeletedAt = subscriptionType, nil
	if s.DeliveryMode == "" {
		s.DeliveryMode = atLeastOnce
	}
	if err := checkName("name", s.Name); err != nil {
		return err
	}
	if s.DeliveryMode != atLeastOnce && s.DeliveryMode != atMostOnce {
		return event.Invalid("delivery_mode", "must be %q or %q", atLeastOnce, atMostOnce)
	}
	if err := normalizeEventTypes(&s.FilterConfig); err != nil {
		return err
	}
	e := c.Snapshot().endpointOf(p.ID, s.EndpointID)
	if e == nil {
		return event.Invalid("endpoint_id", "the project has no endpoint with this id; create it first")
	}
	if !p.Config.MultipleEndpointSubscriptions && hasAnother(e, s.ID) {
		return event.Invalid("endpoint_id", "a subscription for this endpoint already exists; "+
			"change that one, or set multiple_endpoint_subscriptions in the project")
	}
	return nil
}

func hasAnother(e *Endpoint, id event.ID) bool {
	return slices.ContainsFunc(e.subscriptions, func(s *event.Subscription) bool { return s.ID != id })
}

func normalizeEventTypes(f *event.FilterConfig) error {
	if len(f.EventTypes) == 0 || isCatchAll(f.EventTypes) {
		f.EventTypes = catchAll
		return nil
	}
	if len(f.EventTypes) > maxEventTypes {
		return event.Invalid("filter_config.event_types", "has %d entries; at most %d are allowed", len(f.EventTypes), maxEventTypes)
	}
	seen := make(map[string]bool, len(f.EventTypes))
	types := make([]string, 0, len(f.EventTypes))
	for i, t := range f.EventTypes {
		if err := checkName(fmt.Sprintf("filter_config.event_types[%d]", i), t); err != nil {
			return err
		}
		if !seen[t] {
			seen[t] = true
			types = append(types, t)
		}
	}
	f.EventTypes = types
	return nil
}
