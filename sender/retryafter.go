package sender

import (
	"net/http"
	"strings"

	"posthaste/retry"
)

// heedRetryAfter notes how long the endpoint asks to be left alone. Only 429 and 503
// can ask for it. Of several headers the first that can be read counts.
func (x *exchange) heedRetryAfter() {
	a := x.attempt
	if a.StatusCode != http.StatusTooManyRequests && a.StatusCode != http.StatusServiceUnavailable {
		return
	}
	for name, value := range x.head.All() {
		if !strings.EqualFold(string(name), "Retry-After") {
			continue
		}
		if wait, ok := retry.After(string(value), x.ended); ok {
			a.RetryAfter = wait
			return
		}
	}
}
