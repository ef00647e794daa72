package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"posthaste/event"
)

// subscriptionType is the only type of subscription there is.
const subscriptionType = "api"

// catchAll is the event types of a subscription that takes all. It is shared by
// most subscriptions, and read only.
var catchAll = []string{"*"}

func isCatchAll(types []string) bool { return len(types) == 1 && types[0] == "*" }

// normalizeSubscription fills defaults in and checks the rest, but for what
// compiling it checks, against the snapshot of the moment: the caller holds the
// writers' lock. before is the subscription as it was, nil for a new one; now dates
// what is new.
func (c *Catalog) normalizeSubscription(s, before *event.Subscription, p *Project, now time.Time) error {
	if err := c.normalizeSubscriptionAlone(s, before, now); err != nil {
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

// normalizeSubscriptionAlone is normalizeSubscription without a look at its endpoint.
func (c *Catalog) normalizeSubscriptionAlone(s, before *event.Subscription, now time.Time) error {
	s.Type = subscriptionType
	if s.DeliveryMode == "" {
		s.DeliveryMode = event.AtLeastOnce
	}
	if err := checkName("name", s.Name); err != nil {
		return err
	}
	if s.DeliveryMode != event.AtLeastOnce && s.DeliveryMode != event.AtMostOnce {
		return event.Invalid("delivery_mode", "must be %q or %q", event.AtLeastOnce, event.AtMostOnce)
	}
	if err := normalizeEventTypes(&s.FilterConfig); err != nil {
		return err
	}
	if err := checkFilterSize(s.FilterConfig.Filter); err != nil {
		return err
	}
	if err := normalizeFunction("function", &s.Function); err != nil {
		return err
	}
	return c.normalizeExtra(s, before, now)
}

func hasAnother(e *Endpoint, id event.ID) bool {
	return slices.ContainsFunc(e.subscriptions, func(s *Subscription) bool { return s.ID != id })
}

// checkFilterSize bounds what a filter may cost; what it says is checked where it is
// compiled.
func checkFilterSize(f *event.Filter) error {
	if f == nil {
		return nil
	}
	n := len(f.Headers) + len(f.Body) + len(f.Query) + len(f.Path)
	if n > event.MaxFilterBytes {
		return event.Invalid("filter_config.filter", "has %d bytes; at most %d are allowed", n, event.MaxFilterBytes)
	}
	return nil
}

// normalizeFunction bounds a transformation's source. Whether it is a program is for
// the caller to check, who can run it.
func normalizeFunction(field string, source *string) error {
	if strings.TrimSpace(*source) == "" {
		*source = ""
		return nil
	}
	if n := len(*source); n > event.MaxFunctionBytes {
		return event.Invalid(field, "has %d bytes; at most %d are allowed", n, event.MaxFunctionBytes)
	}
	if !utf8.ValidString(*source) || strings.ContainsRune(*source, 0) {
		return event.Invalid(field, "is not a text: it has a NUL or is not valid UTF-8")
	}
	return nil
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
