package api

import (
	"encoding/json"
	"net/url"

	"posthaste/event"
)

// Bounds of what is looked for in events' data.
const (
	maxQueryBytes = 256
	maxBodyFilter = 8 << 10
)

// parseEventQuery reads what selects events, and how they are paged.
func parseEventQuery(params url.Values) (pageQuery, event.EventFilter, error) {
	q, err := parseDatedQuery(params)
	if err != nil {
		return pageQuery{}, event.EventFilter{}, err
	}
	filter, err := parseEventFilter(params)
	if params.Get("brokerMessageId") != "" {
		q.selectNothing("brokerMessageId") // no event came from a broker
	}
	return q, filter, err
}

// parseEventFilter takes the event type and the text to look for under both names that
// clients use.
func parseEventFilter(params url.Values) (f event.EventFilter, err error) {
	f.IdempotencyKey, f.OwnerID = params.Get("idempotencyKey"), params.Get("ownerId")
	f.EventType = firstOf(params, "eventType", "event_type")
	if f.Query = firstOf(params, "query", "q"); len(f.Query) > maxQueryBytes {
		return f, event.Invalid("query", "has %d bytes; look for at most %d", len(f.Query), maxQueryBytes)
	}
	if f.Body, err = bodyParam(params); err != nil {
		return f, err
	}
	if f.Sources, err = idParams(params, "sourceId"); err != nil {
		return f, err
	}
	f.Endpoints, err = idParams(params, "endpointId")
	return f, err
}

// bodyParam reads a JSON value that the data has to contain; nil if there is none.
func bodyParam(params url.Values) (json.RawMessage, error) {
	text := params.Get("body")
	switch {
	case text == "":
		return nil, nil
	case len(text) > maxBodyFilter:
		return nil, event.Invalid("body", "has %d bytes; look for at most %d", len(text), maxBodyFilter)
	case !json.Valid([]byte(text)) || text == "null":
		return nil, event.Invalid("body", `want JSON that the data is to contain, as in {"order":{"id":7}}`)
	}
	return json.RawMessage(text), nil
}

// firstOf is the first of these parameters that has a value.
func firstOf(params url.Values, names ...string) string {
	for _, name := range names {
		if text := params.Get(name); text != "" {
			return text
		}
	}
	return ""
}
