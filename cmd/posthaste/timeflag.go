package main

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// spanFlags select by time.
type spanFlags struct {
	Since string `placeholder:"TIME" help:"Not before this: a time (2026-11-21 or 2026-11-21T08:30), or how long ago (90m, 2h, 7d)."`
	Until string `placeholder:"TIME" help:"Not after this."`
}

// queryTime is how the API reads times, in UTC.
const queryTime = "2006-01-02T15:04:05"

// query adds the bounds to a query.
func (f *spanFlags) query(s *session, q url.Values) error {
	for _, bound := range []struct{ flag, text, name string }{{"--since", f.Since, "startDate"}, {"--until", f.Until, "endDate"}} {
		if bound.text == "" {
			continue
		}
		t, err := parseTime(bound.text, s.now(), s.location)
		if err != nil {
			return usageError{fmt.Errorf("%s: %w", bound.flag, err)}
		}
		q.Set(bound.name, t.UTC().Format(queryTime))
	}
	return nil
}

// timeLayouts are how a time may be written; one without a zone is in the session's.
var timeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}

// parseTime reads a time, or a length of time before now.
func parseTime(text string, now time.Time, zone *time.Location) (time.Time, error) {
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t, nil
		}
	}
	if d, err := parseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: give one such as 2026-11-21T08:30, or how long ago, such as 90m, 2h or 7d", text)
}

var days = regexp.MustCompile(`^(\d{1,5})d`)

// parseDuration is time.ParseDuration that knows days.
func parseDuration(text string) (time.Duration, error) {
	found := days.FindStringSubmatch(text)
	if found == nil {
		return time.ParseDuration(text)
	}
	n, _ := strconv.Atoi(found[1]) // digits
	rest := strings.TrimPrefix(text, found[0])
	if rest == "" {
		rest = "0s"
	}
	d, err := time.ParseDuration(rest)
	return time.Duration(n)*24*time.Hour + d, err
}
