package api

import (
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
	EventTypes []string    `json:"event_types"`
	Filter     filterScope `json:"filter"`
}

// filterScope is Convoy's filter on content, which is always empty.
type filterScope struct {
	Headers     struct{} `json:"headers"`
	Body        struct{} `json:"body"`
	Query       struct{} `json:"query"`
	Path        struct{} `json:"path"`
	IsFlattened bool     `json:"is_flattened"`
}

func newSubscriptionView(s *event.Subscription, snap *catalog.Snapshot) subscriptionView {
	return subscriptionView{
		ID: s.ID, Name: s.Name, Type: s.Type, ProjectID: s.ProjectID,
		EndpointMetadata: endpointMetadata(snap, s.EndpointID),
		FilterConfig:     filterView{EventTypes: s.FilterConfig.EventTypes},
		DeliveryMode:     s.DeliveryMode,
		CreatedAt:        s.CreatedAt, UpdatedAt: s.UpdatedAt, DeletedAt: s.DeletedAt,
	}
}
