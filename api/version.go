package api

import (
	"strconv"
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
