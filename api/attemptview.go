package api

import (
	"crypto/sha256"
	"encoding/binary"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"posthaste/event"
)

// attemptView is an attempt as it is answered. The fields from Number on are
// posthaste's own.
type attemptView struct {
	ID              event.ID          `json:"uid"`
	URL             string            `json:"url"`
	Method          string            `json:"method"`
	EndpointID      event.ID          `json:"endpoint_id"`
	APIVersion      string            `json:"api_version"`
	ProjectID       event.ID          `json:"project_id"`
	MsgID           event.ID          `json:"msg_id"` // the delivery
	IPAddress       string            `json:"ip_address"`
	RequestHeaders  map[string]string `json:"request_http_header"`
	ResponseHeaders map[string]string `json:"response_http_header"`
	HTTPStatus      string            `json:"http_status"` // "200 OK"; "" when no answer came
	ResponseData    string            `json:"response_data"`
	Error           string            `json:"error"`
	Status          bool              `json:"status"` // the receiver took the event
	RequestedAt     time.Time         `json:"requested_at"`
	RespondedAt     time.Time         `json:"responded_at"`
	CreatedAt       time.Time         `json:"created_at"`
	UpdatedAt       time.Time         `json:"updated_at"`
	DeletedAt       *time.Time        `json:"deleted_at"`

	Number          int     `json:"attempt_number"`
	Manual          bool    `json:"manual"`
	ErrorClass      string  `json:"error_class"`
	DurationMS      float64 `json:"duration_ms"`
	ResponseDataCut bool    `json:"response_data_cut"`
}

func newAttemptView(a *event.Attempt, d event.Delivery, mask headerMask) attemptView {
	start := a.StartedAt.UTC()
	end := start.Add(a.Duration)
	return attemptView{
		ID: attemptID(a, d.ID), URL: a.URL, Method: http.MethodPost,
		EndpointID: d.EndpointID, APIVersion: CurrentVersion, ProjectID: d.ProjectID, MsgID: d.ID,
		IPAddress:       ipOf(a.Address),
		RequestHeaders:  mask.parse(a.RequestHeaders),
		ResponseHeaders: mask.parse(a.ResponseHeaders),
		HTTPStatus:      statusText(a.StatusCode),
		ResponseData:    strings.ToValidUTF8(string(a.ResponseBody), "\uFFFD"),
		Error:           a.Error,
		Status:          a.Succeeded(),
		RequestedAt:     start, RespondedAt: end, CreatedAt: start, UpdatedAt: end,
		Number: a.Number, Manual: a.Manual, ErrorClass: a.Class.String(),
		DurationMS:      float64(a.Duration.Microseconds()) / 1000,
		ResponseDataCut: a.BodyCut,
	}
}

// attemptID names an attempt, which the log knows by its delivery and number. It
// is a ULID: the milliseconds of the attempt's start, then 80 bits of the SHA-256
// of delivery id and number.
func attemptID(a *event.Attempt, delivery event.ID) event.ID {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(delivery[:], uint64(a.Number)))
	id := firstIDOf(a.StartedAt)
	copy(id[6:], sum[:])
	return id
}

// ipOf is the address without its port.
func ipOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}

// statusText is a status line's text, "200 OK".
func statusText(code int) string {
	if code == 0 {
		return ""
	}
	return strings.TrimSuffix(strconv.Itoa(code)+" "+http.StatusText(code), " ")
}
