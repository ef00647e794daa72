package api

import (
	"strings"
	"time"

	"posthaste/event"
)

// metaView is an operational event as it is answered, but for metadata, which is
// spliced in. Status is its delivery's; Discarded when that is gone.
type metaView struct {
	ID        event.ID         `json:"uid"`
	ProjectID event.ID         `json:"project_id"`
	EventType string           `json:"event_type"`
	Status    string           `json:"status"`
	Attempt   *metaAttemptView `json:"attempt"` // the last one; null before the first
	CreatedAt time.Time        `json:"created_at"`
	UpdatedAt time.Time        `json:"updated_at"`
	DeletedAt *time.Time       `json:"deleted_at"`
}

// metaAttemptView has two fields of posthaste's own: HTTPStatus and Error.
type metaAttemptView struct {
	RequestHeaders  map[string]string `json:"request_http_header"`
	ResponseHeaders map[string]string `json:"response_http_header"`
	ResponseData    string            `json:"response_data"`
	HTTPStatus      string            `json:"http_status"`
	Error           string            `json:"error"`
}

func (a *API) appendMetaEvent(dst []byte, c *call, m metaRow) ([]byte, error) {
	row := deliveryRow{event.Delivery{Status: event.Discarded}, m.event}
	if m.delivery != nil {
		row.Delivery = *m.delivery
	}
	created := event.TimeOf(m.event.ID)
	v := metaView{
		ID: m.event.ID, ProjectID: c.project.ID, EventType: m.event.Type,
		Status: row.Status.String(), CreatedAt: created, UpdatedAt: created,
	}
	if !row.UpdatedAt.IsZero() {
		v.UpdatedAt = row.UpdatedAt.UTC()
	}
	if m.attempt != nil {
		v.Attempt = newMetaAttemptView(m.attempt, c.headerMask(row.EndpointID))
	}
	metadata, err := a.appendDeliveryMetadata(nil, c, row)
	if err != nil {
		return nil, err
	}
	return appendObject(dst, v, member{"metadata", metadata})
}

func newMetaAttemptView(a *event.Attempt, mask headerMask) *metaAttemptView {
	return &metaAttemptView{
		RequestHeaders:  mask.parse(a.RequestHeaders),
		ResponseHeaders: mask.parse(a.ResponseHeaders),
		ResponseData:    strings.ToValidUTF8(string(a.ResponseBody), "\uFFFD"),
		HTTPStatus:      statusText(a.StatusCode),
		Error:           a.Error,
	}
}
