package ingest

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/valyala/fasthttp"

	"posthaste/event"
)

// refusal is an answer other than success, for a request or for one event of a
// batch. Those that do not depend on the request are made once, below.
type refusal struct {
	code    int
	reason  string // one of the Reason constants
	message string
	machine string        // "reason" of the answer, for machines; "": none
	after   time.Duration // Retry-After; 0: none
}

var (
	refuseNoKey        = &refusal{code: fasthttp.StatusUnauthorized, reason: ReasonAuth, message: "Authentication required"}
	refuseKey          = &refusal{code: fasthttp.StatusUnauthorized, reason: ReasonAuth, message: "authorization failed"}
	refuseTwoKeys      = malformed("more than one Authorization header")
	refuseProject      = &refusal{code: fasthttp.StatusNotFound, reason: ReasonAuth, message: "Resource not found"}
	refuseScope        = &refusal{code: fasthttp.StatusForbidden, reason: ReasonAuth, message: "this key may not post events: it lacks the scope ingest"}
	refuseDynamicScope = &refusal{code: fasthttp.StatusForbidden, reason: ReasonAuth,
		message: "this key may not post dynamic events, which make and change endpoints: it lacks the scope manage"}
	refuseUnnamed    = malformed("say which project: /api/v1/projects/{projectID}/events and so on, as this key reaches every project")
	refuseMedia      = unsupported("want Content-Type: application/json")
	refuseBatchMedia = unsupported("want Content-Type: application/json or application/x-ndjson")
	refuseEncoding   = unsupported("want no Content-Encoding, gzip or zstd")
	refuseEmptyBatch = malformed("the request has no events")
	refuseItemCount  = &refusal{code: fasthttp.StatusRequestEntityTooLarge, reason: ReasonSize,
		message: fmt.Sprintf("at most %d events in one request", event.MaxBatchItems)}

	refuseNoObject = malformed("an event must be a JSON object")
	refuseEndpoint = malformed("endpoint not found")
	refuseApp      = malformed("app_id:application not found")
	refuseOwner    = malformed("owner_id:no endpoint has this owner id")
	refuseConflict = &refusal{code: fasthttp.StatusConflict, reason: ReasonConflict,
		message: "idempotency_key:already used for an event with other content: repeat that one as it was, or choose another key"}
	refuseStopping = &refusal{code: fasthttp.StatusServiceUnavailable, reason: ReasonDraining,
		message: "server is stopping", after: 5 * time.Second}
	refuseStorage = &refusal{code: fasthttp.StatusServiceUnavailable, reason: ReasonStorage,
		message: "event could not be stored", after: time.Second}
)

func malformed(format string, args ...any) *refusal {
	return &refusal{code: fasthttp.StatusBadRequest, reason: ReasonMalformed, message: fmt.Sprintf(format, args...)}
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
		message: fmt.Sprintf("data:%d bytes, and this project takes at most %d", size, limit)}
}

// refuseFrom is the answer to a key that is used from elsewhere than it may be.
func refuseFrom(addr netip.Addr) *refusal {
	shown := "an address that is not known"
	if addr.IsValid() {
		shown = addr.String()
	}
	return &refusal{code: fasthttp.StatusForbidden, reason: ReasonAuth, message: "this key may not be used from " + shown}
}

// overRate is the answer to more events than a limit lets in.
func overRate(wait time.Duration) *refusal {
	return &refusal{code: fasthttp.StatusTooManyRequests, reason: ReasonRate, message: "exceeded rate limit", after: max(wait, time.Second)}
}

// refusalOf is the answer when the engine accepted nothing.
func refusalOf(err error) *refusal {
	var full *event.FullError
	switch {
	case errors.As(err, &full):
		return &refusal{code: fasthttp.StatusServiceUnavailable, reason: ReasonDisk,
			message: full.Reason, machine: event.DiskFull, after: max(full.After, time.Second)}
	case errors.Is(err, event.ErrOverloaded):
		after := time.Second
		if load := (*event.OverloadError)(nil); errors.As(err, &load) {
			after = load.After
		}
		return &refusal{code: fasthttp.StatusServiceUnavailable, reason: ReasonLoad,
			message: "too much work waiting: try again later", after: max(after, time.Second)}
	case errors.Is(err, event.ErrClosed):
		return refuseStopping
	}
	return itemRefusal(err, event.ToEndpoint)
}

// itemRefusal is the answer for one event that the engine refused.
func itemRefusal(err error, to event.Addressee) *refusal {
	var invalid *event.InvalidError
	var state *event.StateError
	switch {
	case errors.As(err, &invalid):
		return malformed("%s", fieldMessage(invalid))
	case errors.As(err, &state):
		return malformed("%s", state.Error())
	case errors.Is(err, event.ErrConflict):
		return refuseConflict
	case errors.Is(err, event.ErrNotFound):
		return unknown(to)
	case errors.Is(err, event.ErrOverloaded), errors.Is(err, event.ErrClosed):
		return refusalOf(err)
	}
	return refuseStorage
}

// unknown is the answer when there is no such addressee.
func unknown(to event.Addressee) *refusal {
	switch to {
	case event.ToEndpoint:
		return refuseEndpoint
	case event.ToOwner:
		return refuseOwner
	case event.ToApp:
		return refuseApp
	}
	return refuseProject // it was deleted meanwhile
}

func fieldMessage(e *event.InvalidError) string {
	if e.Field == "" {
		return e.Reason
	}
	return e.Field + ":" + e.Reason
}
