package api

import (
	"iter"
	"net/url"
	"slices"
	"strings"

	"posthaste/event"
)

// maxOwnerEndpoints bounds the endpoints that an owner stands for in a filter.
const maxOwnerEndpoints = 10_000

// parseDeliveryQuery reads what selects deliveries, and how they are paged.
func parseDeliveryQuery(c *call) (pageQuery, event.DeliveryFilter, error) {
	params := c.r.URL.Query()
	q, err := parseDatedQuery(params)
	if err != nil {
		return pageQuery{}, event.DeliveryFilter{}, err
	}
	filter, err := parseDeliveryFilter(params)
	if err != nil {
		return pageQuery{}, event.DeliveryFilter{}, err
	}
	if params.Get("brokerMessageId") != "" {
		q.selectNothing("brokerMessageId") // no event came from a broker
	}
	if owner := params.Get("ownerId"); owner != "" {
		if filter.Endpoints, err = c.endpointsOfOwner(owner, filter.Endpoints); err != nil {
			return pageQuery{}, event.DeliveryFilter{}, err
		}
		if len(filter.Endpoints) == 0 {
			q.selectNothing("ownerId")
		}
	}
	return q, filter, nil
}

// searchParam is what deliveries are searched for; the names are those of events' text.
func searchParam(c *call) string { return firstOf(c.r.URL.Query(), "query", "q") }

// endpointsOfOwner are an owner's endpoints, out of the asked ones if there are any.
func (c *call) endpointsOfOwner(owner string, asked []event.ID) ([]event.ID, error) {
	var own []event.ID
	for e := range c.snap.Owner(c.project.ID, owner) {
		if len(asked) > 0 && !slices.Contains(asked, e.ID) {
			continue
		}
		if len(own) == maxOwnerEndpoints {
			return nil, event.Invalid("ownerId", "has more than %d endpoints; ask for some of them with endpointId", maxOwnerEndpoints)
		}
		own = append(own, e.ID)
	}
	return own, nil
}

// parseDeliveryFilter takes the event type under both names that clients use.
func parseDeliveryFilter(params url.Values) (f event.DeliveryFilter, err error) {
	if f.Endpoints, err = idParams(params, "endpointId"); err != nil {
		return f, err
	}
	for name, id := range map[string]*event.ID{"eventId": &f.EventID, "subscriptionId": &f.SubscriptionID, "sourceId": &f.SourceID} {
		if *id, err = idParam(params, name); err != nil {
			return f, err
		}
	}
	f.IdempotencyKey = params.Get("idempotencyKey")
	f.EventType = firstOf(params, "eventType", "event_type")
	f.Statuses, err = statusParams(params)
	return f, err
}

// statusParams reads states, each in a parameter of its own or several in one.
func statusParams(params url.Values) ([]event.Status, error) {
	var statuses []event.Status
	for text := range wordsOf(params["status"]) {
		s, ok := event.ParseStatus(text)
		if !ok {
			return nil, event.Invalid("status", "want one of %s", strings.Join(statusNames(), ", "))
		}
		if !slices.Contains(statuses, s) {
			statuses = append(statuses, s)
		}
	}
	return statuses, nil
}

// wordsOf are the words of a parameter's values, in each value one or several with commas
// between them.
func wordsOf(values []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, value := range values {
			for word := range strings.SplitSeq(value, ",") {
				if word = strings.TrimSpace(word); word != "" && !yield(word) {
					return
				}
			}
		}
	}
}

func statusNames() []string {
	var names []string
	for s := event.Scheduled; s <= event.Discarded; s++ {
		names = append(names, s.String())
	}
	return names
}
