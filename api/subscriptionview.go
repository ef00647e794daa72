package api

import (
	"encoding/json"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// subscriptionView is a subscription as it is answered. It has a retry_config only if
// one was given: older Go clients cannot read it.
type subscriptionView struct {
	ID               event.ID           `json:"uid"`
	Name             string             `json:"name"`
	Type             string             `json:"type"`
	ProjectID        event.ID           `json:"project_id"`
	Function         string             `json:"function"`
	SourceMetadata   *sourceView        `json:"source_metadata"` // null: none
	EndpointMetadata *endpointView      `json:"endpoint_metadata"`
	DeviceMetadata   *struct{}          `json:"device_metadata"`
	AlertConfig      *event.AlertConfig `json:"alert_config"`
	RateLimitConfig  *limitView         `json:"rate_limit_config"`
	RetryConfig      *retryView         `json:"retry_config,omitempty"`
	FilterConfig     filterView         `json:"filter_config"`
	DeliveryMode     string             `json:"delivery_mode"`
	CreatedAt        time.Time          `json:"created_at"`
	UpdatedAt        time.Time          `json:"updated_at"`
	DeletedAt        *time.Time         `json:"deleted_at"`
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

func (a *API) newSubscriptionView(s *event.Subscription, snap *catalog.Snapshot, v version) subscriptionView {
	x := extraOf(s)
	return subscriptionView{
		ID: s.ID, Name: s.Name, Type: s.Type, ProjectID: s.ProjectID,
		EndpointMetadata: endpointMetadata(snap, s.EndpointID),
		SourceMetadata:   a.sourceMetadata(snap, s.ProjectID, x.SourceID),
		Function:         s.Function,
		FilterConfig:     newFilterView(s.FilterConfig),
		DeliveryMode:     s.DeliveryMode,
		AlertConfig:      x.AlertConfig, RateLimitConfig: newLimitView(x.RateLimitConfig), RetryConfig: newRetryView(x.RetryConfig, v),
		CreatedAt: s.CreatedAt.Time(), UpdatedAt: s.UpdatedAt.Time(),
	}
}

// sourceMetadata is a source inside of another object. nil for none, if it is gone, and
// in the portal: sources are the project's.
func (a *API) sourceMetadata(snap *catalog.Snapshot, project, id event.ID) *sourceView {
	s := snap.Source(project, id)
	if s == nil || a.portal {
		return nil
	}
	return newSourceView(s, a.o.PublicURL)
}
