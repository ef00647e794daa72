package sender

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	w := newWorld(t, Options{})
	f := func(status int, headers string, low, high time.Duration) {
		t.Helper()
		r := newReceiver(t, say(fmt.Sprintf("HTTP/1.1 %d X\r\n%sContent-Length: 0\r\n\r\n", status, headers)))
		if a := w.attempt(w.endpoint(r.url), newEvent("1")); a.RetryAfter < low || a.RetryAfter > high || a.StatusCode != status {
			t.Errorf("%d %q: %s", status, headers, a.RetryAfter)
		}
	}
	exact := func(status int, headers string, want time.Duration) { t.Helper(); f(status, headers, want, want) }
	exact(429, "Retry-After: 30\r\n", 30*time.Second)
	exact(503, "retry-AFTER:  120 \r\n", 2*time.Minute)
	exact(429, "Retry-After: 0\r\n", 0)
	exact(429, "", 0)
	exact(429, "Retry-After: soon\r\n", 0)
	exact(429, "Retry-After: soon\r\nRetry-After: 7\r\n", 7*time.Second)
	exact(429, strings.Repeat("X-Pad: "+strings.Repeat("x", 90)+"\r\n", 120)+"Retry-After: 5\r\n", 5*time.Second) // beyond what is recorded
	for _, status := range []int{200, 301, 400, 408, 500, 502, 504} {
		exact(status, "Retry-After: 30\r\n", 0)
	}
	date := func(d time.Duration) string {
		return "Retry-After: " + time.Now().Add(d).UTC().Format(http.TimeFormat) + "\r\n"
	}
	f(503, date(time.Hour), 59*time.Minute, time.Hour)
	exact(503, date(-time.Hour), 0)
}
