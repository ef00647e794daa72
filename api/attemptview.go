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

	Number          int         `json:"attempt_number"`
	Manual          bool        `json:"manual"`
	ErrorClass      string      `json:"error_class"`
	DurationMS      float64     `json:"duration_ms"`
	Timing          *timingView `json:"timing"` // null: not known
	ResponseDataCut bool        `json:"response_data_cut"`
}

// timingView says where duration_ms went, in the order in which it did, see event.Timing.
type timingView struct {
	TokenMS   float64 `json:"token_ms"`   // getting an access token
	DNSMS     float64 `json:"dns_ms"`     // 0, as the next two, over a connection that was open before
	ConnectMS float64 `json:"connect_ms"` // TCP, or the way through the proxy
	TLSMS     float64 `json:"tls_ms"`     // the handshake
	WaitMS    float64 `json:"wait_ms"`    // all else before the answer's first byte
	ReadMS    float64 `json:"read_ms"`    // from there to the answer's end
}

func newTimingView(a *event.Attempt) *timingView {
	if a.Timing == (event.Timing{}) {
		return nil
	}
	t := &a.Timing
	return &timingView{
		TokenMS: millis(t.Token), DNSMS: millis(t.Lookup), ConnectMS: millis(t.Connect), TLSMS: millis(t.Handshake),
		WaitMS: millis(t.Wait), ReadMS: millis(t.Rest(a.Duration)),
	}
}

// millis is d in milliseconds, to the microsecond.
func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

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
		DurationMS:      millis(a.Duration),
		Timing:          newTimingView(a),
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
