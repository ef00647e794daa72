package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	requestIDHeader = "X-Request-Id"

	// maxExcerptBytes bounds what an error shows of an answer that is not the API's.
	maxExcerptBytes = 200
)

// Error is an answer other than success.
type Error struct {
	Status    int    // of HTTP
	Message   string // the server's, or the beginning of what it sent
	RequestID string // under which the server's log has the request; "" if it did not say
	// RetryAfter is the wait that the answer asks for; 0 if it asks for none.
	RetryAfter time.Duration
	Location   string          // of a redirect
	Data       json.RawMessage // nil for most
}

// Error is the message and what helps to find its cause.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%d", e.Message, e.Status)
	if text := http.StatusText(e.Status); text != "" {
		b.WriteString(" " + text)
	}
	if e.RequestID != "" {
		b.WriteString(", request " + e.RequestID)
	}
	return b.String() + ")"
}

func newError(resp *http.Response, text []byte, e envelope) *Error {
	out := &Error{
		Status: resp.StatusCode, RequestID: resp.Header.Get(requestIDHeader), Data: e.Data,
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now()), Location: resp.Header.Get("Location"),
	}
	switch {
	case e.Message != nil && *e.Message != "":
		out.Message = *e.Message
	case resp.StatusCode/100 == 3:
		out.Message = "the server sends elsewhere, to " + out.Location
	default:
		out.Message = excerpt(text)
	}
	return out
}

// excerpt is the beginning of a text that may be anything.
func excerpt(text []byte) string {
	cut := min(len(text), maxExcerptBytes)
	for cut > 0 && cut < len(text) && !utf8.RuneStart(text[cut]) {
		cut--
	}
	s := strings.Join(strings.Fields(strings.ToValidUTF8(string(text[:cut]), "\uFFFD")), " ")
	if s == "" {
		return "the server gives no reason"
	}
	return s
}

// retryAfter reads a Retry-After header, seconds or a date (RFC 9110, 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
