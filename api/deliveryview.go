package api

import (
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// deliveryView is a delivery as it is answered, but for metadata and
// event_metadata, which are spliced in.
type deliveryView struct {
	ID               event.ID            `json:"uid"`
	ProjectID        event.ID            `json:"project_id"`
	EventID          event.ID            `json:"event_id"`
	EndpointID       event.ID            `json:"endpoint_id"`
	DeviceID         string              `json:"device_id"`
	SubscriptionID   event.ID            `json:"subscription_id"`
	Headers          map[string][]string `json:"headers"`
	TargetURL        string              `json:"target_url"`
	URLQueryParams   string              `json:"url_query_params"`
	IdempotencyKey   string              `json:"idempotency_key"`
	Latency          string              `json:"latency"`
	LatencySeconds   float64             `json:"latency_seconds"`
	EventType        string              `json:"event_type"`
	DeliveryMode     string              `json:"delivery_mode"`
	EndpointMetadata *endpointView       `json:"endpoint_metadata"`
	SourceMetadata   *sourceView         `json:"source_metadata"`
	DeviceMetadata   *struct{}           `json:"device_metadata"`
	CLIMetadata      *struct{}           `json:"cli_metadata"`
	Status           string              `json:"status"`
	Description      string              `json:"description"`
	AcknowledgedAt   time.Time           `json:"acknowledged_at"`
	CreatedAt        time.Time           `json:"created_at"`
	UpdatedAt        time.Time           `json:"updated_at"`
	DeletedAt        *time.Time          `json:"deleted_at"`
}

// deliveryMetadata is what was to be sent and how often, but for its data. The
// strategy is the one that applies today; the limit, once an attempt was made, is the
// delivery's own.
type deliveryMetadata struct {
	Raw             string     `json:"raw"`
	Strategy        string     `json:"strategy"`
	NextSendTime    *time.Time `json:"next_send_time"` // null when nothing is to be sent
	NumTrials       int        `json:"num_trials"`
	IntervalSeconds int        `json:"interval_seconds"`
	RetryLimit      int        `json:"retry_limit"`
	MaxRetrySeconds int        `json:"max_retry_seconds"`
}

func (a *API) appendDelivery(dst []byte, c *call, d deliveryRow) ([]byte, error) {
	metadata, err := a.appendDeliveryMetadata(nil, c, d)
	if err != nil {
		return nil, err
	}
	var eventMetadata []byte
	if d.event != nil {
		v := newEventMetadata(d)
		c.conceal(v.Headers, &v.URLPath, &v.URLQueryParams)
		if eventMetadata, err = marshal(v); err != nil {
			return nil, err
		}
	}
	view := newDeliveryView(d, c.snap)
	c.conceal(view.Headers, new(string), &view.URLQueryParams)
	if d.event != nil {
		view.SourceMetadata = a.sourceMetadata(c.snap, d.ProjectID, d.event.SourceID)
	}
	return appendObject(dst, view,
		member{"metadata", metadata}, member{"event_metadata", eventMetadata})
}

// newEventMetadata is an event inside of its delivery. The data is left out: it is
// in the delivery's own metadata.
func newEventMetadata(d deliveryRow) eventView {
	v := newEventFields(d.event)
	v.Endpoints = []event.ID{d.EndpointID}
	return v
}

func newDeliveryView(d deliveryRow, snap *catalog.Snapshot) deliveryView {
	created := event.TimeOf(d.ID)
	v := deliveryView{
		ID: d.ID, ProjectID: d.ProjectID, EventID: d.EventID, EndpointID: d.EndpointID, SubscriptionID: d.SubscriptionID,
		Headers:          map[string][]string{},
		DeliveryMode:     deliveryMode(d.Delivery),
		EndpointMetadata: endpointMetadata(snap, d.EndpointID),
		Status:           d.Status.String(), Description: d.Reason,
		AcknowledgedAt: created, CreatedAt: created, UpdatedAt: created,
	}
	if !d.UpdatedAt.IsZero() {
		v.UpdatedAt = d.UpdatedAt.UTC()
	}
	if v.EndpointMetadata != nil {
		v.TargetURL = *v.EndpointMetadata.URL
	}
	if e := d.event; e != nil {
		v.EventID, v.EventType, v.IdempotencyKey = e.PublicID(), e.Type, e.IdempotencyKey
		v.Headers, v.URLQueryParams = headerMap(e.Headers), e.Query
		v.AcknowledgedAt = acknowledgedAt(e, created)
	}
	v.setLatency(d)
	return v
}

// deliveryMode is the mode of a delivery, which its subscription's had been when it
// was created.
func deliveryMode(d event.Delivery) string {
	if d.AtMostOnce {
		return event.AtMostOnce
	}
	return event.AtLeastOnce
}

// setLatency says how long a successful delivery took, from the event's acceptance,
// or from its replay, to the end of its last attempt. For any other it says nothing.
func (v *deliveryView) setLatency(d deliveryRow) {
	since := v.AcknowledgedAt
	if d.event != nil && d.event.Origin == event.Replayed {
		since = v.CreatedAt
	}
	if took := v.UpdatedAt.Sub(since); d.Status == event.Success && took > 0 {
		v.Latency, v.LatencySeconds = took.String(), took.Seconds()
	}
}

func (a *API) appendDeliveryMetadata(dst []byte, c *call, d deliveryRow) ([]byte, error) {
	strategy, limit := strategyOf(c, d.EndpointID)
	m := deliveryMetadata{
		Strategy:        strategy.Type,
		NextSendTime:    nextSendTime(d.Delivery),
		NumTrials:       d.Attempts,
		IntervalSeconds: intervalAfter(&strategy, d.Attempts),
		RetryLimit:      d.Limit,
		MaxRetrySeconds: a.longestWait(&strategy),
	}
	if m.RetryLimit == 0 {
		m.RetryLimit = limit
	}
	var data []byte
	if d.event != nil {
		data, m.Raw = d.event.Data, string(d.event.Data)
	}
	return appendObject(dst, m, member{"data", data})
}

// nextSendTime is when the next attempt of a delivery is due: at once, if none
// was made yet.
func nextSendTime(d event.Delivery) *time.Time {
	if !d.Status.Owed() {
		return nil
	}
	due := d.Due.UTC()
	if d.Due.IsZero() {
		due = event.TimeOf(d.ID)
	}
	return &due
}
