package retry

import (
	"strings"
	"time"

	"posthaste/event"
)

// maxAfter is the longest time that After reports. Nothing waits as long as that.
const maxAfter = event.MaxRetrySeconds * time.Second

// The forms of an HTTP date, RFC 9110 section 5.6.7, the one that servers send now
// first.
var dateForms = [...]string{
	"Mon, 02 Jan 2006 15:04:05 GMT",
	"Monday, 02-Jan-06 15:04:05 GMT",
	time.ANSIC,
}

// After reads the value of a Retry-After header, RFC 9110 section 10.2.3: seconds or
// an HTTP date. ok is false for what is neither; a date that is past is 0. What is
// longer than event.MaxRetrySeconds is reported as that.
func After(value string, now time.Time) (wait time.Duration, ok bool) {
	value = strings.Trim(value, " \t")
	if value == "" {
		return 0, false
	}
	if strings.Trim(value, "0123456789") == "" {
		return afterSeconds(value), true
	}
	for _, form := range dateForms {
		if at, err := time.Parse(form, value); err == nil {
			return min(max(at.Sub(now), 0), maxAfter), true
		}
	}
	return 0, false
}

// afterSeconds reads digits, however many.
func afterSeconds(digits string) time.Duration {
	n := 0
	for i := 0; i < len(digits) && n <= event.MaxRetrySeconds; i++ {
		n = n*10 + int(digits[i]-'0')
	}
	return min(seconds(n), maxAfter)
}
