package api

import (
	"fmt"
	"iter"
	"net/http"
	"strings"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/match"
)

// maxMatches bounds the subscriptions that are told of.
const maxMatches = 200

// matchView is what a subscription, as it is now, makes of an event.
type matchView struct {
	SubscriptionID event.ID `json:"subscription_id"`
	Name           string   `json:"name"`
	EndpointID     event.ID `json:"endpoint_id"`
	EndpointName   string   `json:"endpoint_name"`
	Matches        bool     `json:"matches"`
	Because        string   `json:"because"` // what of it decided: source, event_type, filter.body and so on, type_filter; "" if it matches
	Text           string   `json:"text"`    // the same in words
}

// matchesView is what all subscriptions make of an event that it could be for.
type matchesView struct {
	Asked    string      `json:"asked"` // which subscriptions those are, in words
	Complete bool        `json:"complete"`
	Matches  []matchView `json:"matches"`
}

// explainMatch says of each subscription that an event could be for whether it takes it,
// and if not, why. It goes by the subscriptions of now.
func (a *API) explainMatch(c *call) (reply, error) {
	e, err := a.event(c)
	if err != nil {
		return reply{}, err
	}
	v := matchesView{Complete: true, Matches: []matchView{}}
	var subs iter.Seq[*catalog.Subscription]
	v.Asked, subs = subscriptionsFor(c, e)
	var in match.Input
	in.Reset(e)
	for s := range subs {
		if len(v.Matches) == maxMatches {
			v.Complete = false
			break
		}
		m := matchView{SubscriptionID: s.ID, Name: s.Name, EndpointID: s.EndpointID}
		if ep := c.snap.Endpoint(s.EndpointID); ep != nil {
			m.EndpointName = ep.Name
		}
		m.Because, m.Text = whyNot(s, &in, e)
		m.Matches = m.Because == ""
		v.Matches = append(v.Matches, m)
	}
	return respond(http.StatusOK, "Event matched successfully", v)
}

// subscriptionsFor are those that an event is shown to. Of one that was posted for a
// single endpoint the record does not say so: it is shown to all.
func subscriptionsFor(c *call, e *event.Event) (string, iter.Seq[*catalog.Subscription]) {
	switch {
	case !e.SourceID.IsZero():
		return "subscriptions to the source that it came in through", c.snap.SubscriptionsOfSource(c.project.ID, e.SourceID)
	case e.OwnerID != "":
		return "subscriptions of the owner's endpoints", func(yield func(*catalog.Subscription) bool) {
			for ep := range c.snap.Owner(c.project.ID, e.OwnerID) {
				for _, s := range ep.Subscriptions() {
					if !yield(s) {
						return
					}
				}
			}
		}
	}
	return "subscriptions of the project", c.snap.AllSubscriptions(c.project.ID)
}

// whyNot is what a subscription refuses an event for; "" if it takes it.
func whyNot(s *catalog.Subscription, in *match.Input, e *event.Event) (because, text string) {
	switch of := extraOf(&s.Subscription).SourceID; {
	case of != e.SourceID && !of.IsZero():
		return "source", "it takes what comes in through a source, and this event did not come in there"
	case !s.Types.Match(e.Type):
		return "event_type", fmt.Sprintf("it wants %s, and this is %s", listed(s.FilterConfig.EventTypes), e.Type)
	case s.Wants(in):
		return "", ""
	}
	if part := failingPart(s.FilterConfig.Filter, in); part != "" {
		return "filter." + part, "its filter on the " + part + " does not hold for this event"
	}
	for i := range extraOf(&s.Subscription).Filters {
		f := &extraOf(&s.Subscription).Filters[i]
		if f.EnabledAt == nil || f.EventType != e.Type && f.EventType != "*" {
			continue
		}
		if part := failingPart(&f.Filter, in); part != "" {
			return "type_filter." + part, fmt.Sprintf("its filter for %s on the %s does not hold for this event", f.EventType, part)
		}
	}
	return "filter", "its filter does not hold for this event"
}

// failingPart is the first part of a filter whose conditions do not hold.
func failingPart(f *event.Filter, in *match.Input) string {
	if f == nil {
		return ""
	}
	for _, part := range []struct {
		name string
		only event.Filter
	}{
		{"path", event.Filter{Path: f.Path}}, {"headers", event.Filter{Headers: f.Headers}},
		{"query", event.Filter{Query: f.Query}}, {"body", event.Filter{Body: f.Body}},
	} {
		if compiled, err := match.CompileFilter(&part.only); err == nil && compiled != nil && !compiled.Match(in) {
			return part.name
		}
	}
	return ""
}

// maxListedTypes is how many event types a sentence names.
const maxListedTypes = 5

func listed(types []string) string {
	if more := len(types) - maxListedTypes; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(types[:maxListedTypes], ", "), more)
	}
	return strings.Join(types, " or ")
}
