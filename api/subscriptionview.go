package api

import (
	"encoding/json"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// subscriptionView is a subscription as it is answered. It has no retry_config:
// older Go clients cannot read one.
type subscriptionView struct {
	ID               event.ID      `json:"uid"`
	Name             string        `json:"name"`
	Type             string        `json:"type"`
	ProjectID        event.ID      `json:"project_id"`
	Function         string        `json:"function"`
	SourceMetadata   *struct{}     `json:"source_metadata"`
	EndpointMetadata *endpointView `json:"endpoint_metadata"`
	DeviceMetadata   *struct{}     `json:"device_metadata"`
	AlertConfig      *struct{}     `json:"alert_config"`
	RateLimitConfig  *struct{}     `json:"rate_limit_config"`
	FilterConfig     filterView    `json:"filter_config"`
	DeliveryMode     string        `json:"delivery_mode"`
	CreatedAt        time.Time     `json:"created_at"`
	UpdatedAt        time.Time     `json:"updated_at"`
	DeletedAt        *time.Time    `json:"deleted_at"`
}

type filterView struct {
	EventTypes []string        `json:"event_types"`
	Filter     filterPartsView `json:"filter"`
}

// filterPartsView is a filter on content. A part without conditions is empty.
type filterPartsView struct {
	Headers     json.RawMessage `json:"headers"`
	Body        json.RawMessage `json:"body"`
	Query       json.RawMessage `json:"query"`
	Path        json.RawMessage `json:"path"`
	IsFlattened bool            `json:"is_flattened"`
}

func newFilterView(c event.FilterConfig) filterView {
	var f event.Filter
	if c.Filter != nil {
		f = *c.Filter
	}
	return filterView{c.EventTypes, filterPartsView{
		Headers: orEmpty(f.Headers), Body: orEmpty(f.Body), Query: orEmpty(f.Query), Path: orEmpty(f.Path),
	}}
}

func orEmpty(object json.RawMessage) json.RawMessage {
	if len(object) == 0 {
		return json.RawMessage("{}")
	}
	return object
}

func newSubscriptionView(s *event.Subscription, snap *catalog.Snapshot) subscriptionView {
	return subscriptionView{
		ID: s.ID, Name: s.Name, Type: s.Type, ProjectID: s.ProjectID,
		EndpointMetadata: endpointMetadata(snap, s.EndpointID),
		Function:         s.Function,
		FilterConfig:     newFilterView(s.FilterConfig),
		DeliveryMode:     s.DeliveryMode,
		CreatedAt:        s.CreatedAt, UpdatedAt: s.UpdatedAt, DeletedAt: s.DeletedAt,
	}
}
