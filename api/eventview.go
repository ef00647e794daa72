package api

import (
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// eventView is an event as it is answered, but for its data, which is spliced in.
type eventView struct {
	ID               event.ID            `json:"uid"`
	EventType        string              `json:"event_type"`
	SourceID         string              `json:"source_id"`
	AppID            string              `json:"app_id"`
	ProjectID        event.ID            `json:"project_id"`
	Endpoints        []event.ID          `json:"endpoints"`
	Headers          map[string][]string `json:"headers"`
	EndpointMetadata []*endpointView     `json:"endpoint_metadata"`
	SourceMetadata   *struct{}           `json:"source_metadata"`
	URLQueryParams   string              `json:"url_query_params"`
	URLPath          string              `json:"url_path"`
	IdempotencyKey   string              `json:"idempotency_key"`
	IsDuplicate      bool                `json:"is_duplicate_event"` // a duplicate is not stored
	Raw              string              `json:"raw,omitempty"`
	Status           string              `json:"status"`
	FailureReason    string              `json:"failure_reason"`
	AcknowledgedAt   time.Time           `json:"acknowledged_at"`
	CreatedAt        time.Time           `json:"created_at"`
	UpdatedAt        time.Time           `json:"updated_at"`
	DeletedAt        *time.Time          `json:"deleted_at"`
}

// newEventView is the view of an event. Its status tells about matching, not about
// delivery, as in Convoy: Success means that an endpoint was found for it.
func newEventView(row eventRow, snap *catalog.Snapshot) eventView {
	e, created := row.event, event.TimeOf(row.event.ID)
	v := eventView{
		ID: e.ID, EventType: e.Type, ProjectID: e.ProjectID,
		Endpoints:        row.endpoints,
		Headers:          headerMap(e.Headers),
		EndpointMetadata: []*endpointView{},
		IdempotencyKey:   e.IdempotencyKey,
		Raw:              string(e.Data),
		Status:           "Success",
		AcknowledgedAt:   acknowledgedAt(e, created), CreatedAt: created, UpdatedAt: created,
	}
	for _, id := range row.endpoints {
		if m := endpointMetadata(snap, id); m != nil {
			v.EndpointMetadata = append(v.EndpointMetadata, m)
		}
	}
	if len(row.endpoints) == 0 {
		v.Status, v.FailureReason = "Failure", "no subscription matched this event"
	}
	return v
}

// appendEventView appends the event as JSON, its data byte for byte as posted.
func appendEventView(dst []byte, v eventView, data []byte) ([]byte, error) {
	return appendObject(dst, v, member{"data", data})
}

// acknowledgedAt is when an event's producer had its answer, near enough.
func acknowledgedAt(e *event.Event, created time.Time) time.Time {
	if e.ReceivedAt.IsZero() {
		return created
	}
	return e.ReceivedAt.UTC()
}

func headerMap(headers []event.Header) map[string][]string {
	m := make(map[string][]string, len(headers))
	for _, h := range headers {
		m[h.Name] = append(m[h.Name], h.Value)
	}
	return m
}
