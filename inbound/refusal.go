package inbound

import (
	"errors"
	"fmt"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// refusal is an answer other than success. Those that do not depend on the request are
// made once, below.
type refusal struct {
	code    int
	reason  string // one of the Reason constants
	message string
	machine string        // "reason" of the answer, for machines; "": none
	after   time.Duration // Retry-After; 0: none
	allow   string        // Allow; "": none
}

var (
	refuseSource   = &refusal{code: fasthttp.StatusNotFound, reason: ReasonAuth, message: "Resource not found"}
	refuseDisabled = &refusal{code: fasthttp.StatusNotFound, reason: ReasonAuth, message: "this source is disabled"}

	refuseMethod      = &refusal{code: fasthttp.StatusMethodNotAllowed, reason: ReasonMalformed, message: "method not allowed", allow: "POST"}
	refuseMethodOfTwo = &refusal{code: fasthttp.StatusMethodNotAllowed, reason: ReasonMalformed, message: "method not allowed", allow: "GET, POST"}

	refuseMedia    = unsupported("want Content-Type: application/json, application/x-www-form-urlencoded or multipart/form-data")
	refuseNoObject = unsupported("a source of this provider takes JSON objects only")
	refuseEncoding = unsupported("want no Content-Encoding, gzip or zstd")
	refuseEmpty    = malformed("the request body is empty")
	refuseNoKey    = malformed("idempotency_key is required in this project, and none of the source's idempotency_keys is in the request")
	refuseQuery    = &refusal{code: fasthttp.StatusRequestURITooLong, reason: ReasonSize,
		message: fmt.Sprintf("query: at most %d bytes", maxQueryBytes)}

	refuseStopping = &refusal{code: fasthttp.StatusServiceUnavailable, reason: ReasonDraining,
		message: "server is stopping", after: 5 * time.Second}
	refuseStorage = &refusal{code: fasthttp.StatusServiceUnavailable, reason: ReasonStorage,
		message: "event could not be stored", after: time.Second}
)

func malformed(format string, args ...any) *refusal {
	return &refusal{code: fasthttp.StatusBadRequest, reason: ReasonMalformed, message: fmt.Sprintf(format, args...)}
}

func overRate(wait time.Duration) *refusal {
	return &refusal{code: fasthttp.StatusTooManyRequests, reason: ReasonRate, message: "exceeded rate limit", after: max(wait, time.Second)}
}

// unverified refuses a request that does not show where it comes from. Nothing of what
// was expected is in the message.
func unverified(format string, args ...any) *refusal {
	return &refusal{code: fasthttp.StatusBadRequest, reason: ReasonAuth, message: fmt.Sprintf(format, args...)}
}

func unsupported(message string) *refusal {
	return &refusal{code: fasthttp.StatusUnsupportedMediaType, reason: ReasonMalformed, message: message}
}

func tooLarge(limit int) *refusal {
	return &refusal{code: fasthttp.StatusRequestEntityTooLarge, reason: ReasonSize,
		message: fmt.Sprintf("request body too large: at most %d bytes, decompressed", limit)}
}

func dataTooLarge(size, limit int) *refusal {
	return &refusal{code: fasthttp.StatusRequestEntityTooLarge, reason: ReasonSize,
		message: fmt.Sprintf("request body too large: %d bytes as JSON, and this project takes at most %d", size, limit)}
}

// refusalOf is the answer to what the engine has to say about an event, nil for no
// error.
func refusalOf(err error) *refusal {
	var invalid *event.InvalidError
	var load *event.OverloadError
	var full *event.FullError
	var state *event.StateError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &full):
		return &refusal{code: fasthttp.StatusServiceUnavailable, reason: ReasonDisk,
			message: full.Reason, machine: event.DiskFull, after: max(full.After, time.Second)}
	case errors.Is(err, event.ErrOverloaded):
		after := time.Second
		if errors.As(err, &load) {
			after = max(load.After, after)
		}
		return &refusal{code: fasthttp.StatusServiceUnavailable, reason: ReasonLoad,
			message: "too much work waiting: try again later", after: after}
	case errors.Is(err, event.ErrClosed):
		return refuseStopping
	case errors.As(err, &invalid):
		return malformed("%v", invalid)
	case errors.As(err, &state):
		return &refusal{code: fasthttp.StatusConflict, reason: ReasonConflict, message: state.Reason}
	case errors.Is(err, event.ErrNotFound):
		return refuseSource
	}
	return refuseStorage
}
