package api

import (
	"encoding/json"
	"time"

	"posthaste/event"
)

// typeFilterView is a filter for one event type as it is answered. What Convoy shows
// flattened is shown as it was given, and so twice.
type typeFilterView struct {
	ID             event.ID        `json:"uid"`
	SubscriptionID event.ID        `json:"subscription_id"`
	EventType      string          `json:"event_type"`
	EnabledAt      *time.Time      `json:"enabled_at"` // null: disabled
	Headers        json.RawMessage `json:"headers"`
	Body           json.RawMessage `json:"body"`
	Query          json.RawMessage `json:"query"`
	Path           json.RawMessage `json:"path"`
	RawHeaders     json.RawMessage `json:"raw_headers"`
	RawBody        json.RawMessage `json:"raw_body"`
	RawQuery       json.RawMessage `json:"raw_query"`
	RawPath        json.RawMessage `json:"raw_path"`
}

func newTypeFilterView(f *event.TypeFilter, subscription event.ID) typeFilterView {
	v := typeFilterView{
		ID: f.ID, SubscriptionID: subscription, EventType: f.EventType, EnabledAt: f.EnabledAt,
		Headers: orEmpty(f.Filter.Headers), Body: orEmpty(f.Filter.Body), Query: orEmpty(f.Filter.Query), Path: orEmpty(f.Filter.Path),
	}
	v.RawHeaders, v.RawBody, v.RawQuery, v.RawPath = v.Headers, v.Body, v.Query, v.Path
	return v
}

func typeFilterViews(filters []event.TypeFilter, subscription event.ID) []typeFilterView {
	views := make([]typeFilterView, len(filters))
	for i := range filters {
		views[i] = newTypeFilterView(&filters[i], subscription)
	}
	return views
}
