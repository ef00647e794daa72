package api

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"posthaste/event"
)

// batchParams are the query parameters that an action on many deliveries or events
// takes: what selects them, and what clients send beside it.
var batchParams = []string{
	"endpointId", "eventId", "subscriptionId", "sourceId", "ownerId", "status", "eventType", "event_type", "idempotencyKey", "brokerMessageId",
	"query", "body", "q", "startDate", "endDate", "rate",
	"perPage", "page", "sort", "direction", "next_page_cursor", "prev_page_cursor", "orgID", "groupId", "groupID", "projectId", "projectID",
}

// refuseUnknownParams refuses a parameter that is not known. A listing may ignore one;
// an action may not: a filter that is misspelt would select everything.
func refuseUnknownParams(v url.Values) error {
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if !slices.Contains(batchParams, name) {
			return event.Invalid("", "the query parameter %.64q is not known, and what it leaves out would be taken up as well; known are %s",
				name, strings.Join(batchParams[:16], ", "))
		}
	}
	return nil
}
