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
	SourceMetadata   *sourceView         `json:"source_metadata"`
	URLQueryParams   string              `json:"url_query_params"`
	URLPath          string              `json:"url_path"`
	IdempotencyKey   string              `json:"idempotency_key"`
	IsDuplicate      bool                `json:"is_duplicate_event"`
	DuplicateOf      string              `json:"duplicate_of,omitempty"` // posthaste's own: the event that was sent
	IsTest           bool                `json:"is_test,omitempty"`      // posthaste's own: it was sent to try out an endpoint
	Raw              string              `json:"raw,omitempty"`
	ContentDeleted   bool                `json:"content_deleted,omitempty"` // posthaste's own: data is null because it was deleted
	Status           string              `json:"status"`
	FailureReason    string              `json:"failure_reason"`
	AcknowledgedAt   time.Time           `json:"acknowledged_at"`
	CreatedAt        time.Time           `json:"created_at"`
	UpdatedAt        time.Time           `json:"updated_at"`
	DeletedAt        *time.Time          `json:"deleted_at"`
}

// newEventView is the view of an event. Its status tells about matching, not about
// delivery, as in Convoy: Success means that an endpoint was found for it, now or,
// for a duplicate, when it came first.
func newEventView(row eventRow, snap *catalog.Snapshot) eventView {
	v := newEventFields(row.event)
	v.Endpoints, v.Raw = row.endpoints, string(row.event.Data)
	for _, id := range row.endpoints {
		if m := endpointMetadata(snap, id); m != nil {
			v.EndpointMetadata = append(v.EndpointMetadata, m)
		}
	}
	if len(row.endpoints) == 0 && !v.IsDuplicate {
		v.Status, v.FailureReason = "Failure", "no subscription matched this event"
	}
	return v
}

// newEventFields is the part of an event's view that comes of the event alone. Its
// id is the one that receivers see, so that a replay goes by the event it repeats.
func newEventFields(e *event.Event) eventView {
	created := event.TimeOf(e.PublicID())
	v := eventView{
		ID: e.PublicID(), EventType: e.Type, ProjectID: e.ProjectID,
		Headers:          headerMap(e.Headers),
		EndpointMetadata: []*endpointView{},
		URLQueryParams:   e.Query, URLPath: e.Path,
		IdempotencyKey: e.IdempotencyKey,
		ContentDeleted: e.Deleted,
		Status:         "Success",
		AcknowledgedAt: acknowledgedAt(e, created), CreatedAt: created, UpdatedAt: created,
	}
	if !e.SourceID.IsZero() {
		v.SourceID = e.SourceID.String()
	}
	v.IsTest = e.Origin == event.Test
	if e.Origin == event.Duplicate {
		v.IsDuplicate, v.DuplicateOf = true, e.Of.String()
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
