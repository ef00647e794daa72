package api

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"posthaste/event"
)

// httpError is a refusal with its code and the message that the client reads.
type httpError struct {
	code    int
	message string
}

func (e *httpError) Error() string { return e.message }

var (
	errNoKey        = &httpError{http.StatusUnauthorized, "Authentication required"}
	errBadKey       = &httpError{http.StatusUnauthorized, "authorization failed"}
	errInstanceOnly = &httpError{http.StatusForbidden, "this needs the instance's key; a project's key reaches its own project only"}
	errPortalOnly   = &httpError{http.StatusForbidden, "the portal takes a portal link's token or an owner's key"}
	errNoRoute      = &httpError{http.StatusNotFound, "no such route"}
	errMethod       = &httpError{http.StatusMethodNotAllowed, "this route does not take this method"}
	errMediaType    = &httpError{http.StatusUnsupportedMediaType, "Content-Type: want application/json"}
	errNoOAuth2     = &httpError{http.StatusNotImplemented, "this server does not test OAuth2 credentials"}
	errNoFunctions  = &httpError{http.StatusNotImplemented, "this server runs no functions"}
	errEncoding     = &httpError{http.StatusUnsupportedMediaType, "Content-Encoding: a compressed body is not taken here"}
)

// codeOf is the status code and message for an error. What it does not know is
// this server's fault: 500, with a message that gives nothing away.
func codeOf(err error) (int, string) {
	var refusal *httpError
	var invalid *event.InvalidError
	var state *event.StateError
	var full *event.FullError
	switch {
	case errors.As(err, &refusal):
		return refusal.code, refusal.message
	case errors.As(err, &invalid):
		return http.StatusBadRequest, invalid.Error()
	case errors.As(err, &state):
		return http.StatusBadRequest, state.Error() // not 409: clients read the message of a 400 only
	case errors.Is(err, event.ErrNotFound):
		return http.StatusNotFound, "Resource not found"
	case errors.Is(err, event.ErrConflict):
		return http.StatusConflict, "it was changed by somebody else meanwhile; read it again and retry"
	case errors.As(err, &full):
		return http.StatusServiceUnavailable, full.Reason
	case errors.Is(err, event.ErrOverloaded):
		return http.StatusServiceUnavailable, "the server is overloaded; try again later"
	case errors.Is(err, event.ErrClosed):
		return http.StatusServiceUnavailable, "the server is stopping; try again later"
	}
	return http.StatusInternalServerError, "internal error"
}

// machineReason is what a refusal has for programs, as members of the envelope.
func machineReason(err error) []member {
	var full *event.FullError
	if !errors.As(err, &full) {
		return nil
	}
	return []member{{"reason", []byte(strconv.Quote(event.DiskFull))}}
}

// setErrorHeaders sets the headers that go with an error's code.
func setErrorHeaders(h http.Header, code int, err error) {
	switch code {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		h.Set("Retry-After", strconv.Itoa(retryAfterSeconds(err)))
	}
}

// retryAfterSeconds is the wait that an overload asks for, rounded up; at least 1.
func retryAfterSeconds(err error) int {
	var over *event.OverloadError
	var full *event.FullError
	after := time.Second
	switch {
	case errors.As(err, &over):
		after = max(after, over.After)
	case errors.As(err, &full):
		after = max(after, full.After)
	}
	return int(math.Ceil(after.Seconds()))
}
