package api

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"posthaste/event"
)

// CurrentVersion is the newest version of Convoy's API that is spoken here.
const CurrentVersion = "2025-11-24"

// version is the X-Convoy-Version of a request: a date, so it compares as text.
type version string

func parseVersion(text string) (version, error) {
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return "", event.Invalid("X-Convoy-Version", "want a date like %s", CurrentVersion)
	}
	return version(text), nil
}

// durationsAsText: durations are written "30s", not 30.
func (v version) durationsAsText() bool { return v < "2024-01-01" }

// simpleSignatures: an endpoint signs in the simple way unless it says otherwise.
func (v version) simpleSignatures() bool { return v < "2024-01-01" }

// targetURLs: an endpoint's url and name are written target_url and title.
func (v version) targetURLs() bool { return v < "2024-04-01" }

// wireSeconds is a number of seconds as the request's version writes it.
type wireSeconds struct {
	n      int
	asText bool
}

func (s wireSeconds) MarshalJSON() ([]byte, error) {
	if s.asText {
		return strconv.AppendQuote(nil, (time.Duration(s.n) * time.Second).String()), nil
	}
	return strconv.AppendInt(nil, int64(s.n), 10), nil
}

// parseSeconds reads whole seconds, as a number or as a duration text, whatever
// the version. It returns nil for a field that is absent, null or "".
func parseSeconds(field string, raw json.RawMessage) (*int, error) {
	text := strings.TrimSpace(string(raw))
	if text == "" || text == "null" || text == `""` {
		return nil, nil
	}
	if n, err := strconv.Atoi(text); err == nil {
		return &n, nil
	}
	var quoted string
	if json.Unmarshal(raw, &quoted) != nil {
		return nil, event.Invalid(field, `want whole seconds: a number like 30 or a text like "30s"`)
	}
	d, err := time.ParseDuration(quoted)
	if err != nil || d%time.Second != 0 {
		return nil, event.Invalid(field, `want whole seconds: a number like 30 or a text like "30s"`)
	}
	n := int(d / time.Second)
	return &n, nil
}
