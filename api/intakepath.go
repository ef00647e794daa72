package api

import "strings"

// takesEvents reports whether events can be posted to a path: by another package, in
// front of this one. Here that matters for what a wrong method is told.
func takesEvents(path string) bool {
	rest, ok := strings.CutPrefix(path, "/api/v1/")
	if !ok {
		return false
	}
	if in, found := strings.CutPrefix(rest, "projects/"); found {
		_, rest, _ = strings.Cut(in, "/")
	}
	switch rest {
	case "events", "events/fanout", "events/broadcast", "events/dynamic", "events/batch":
		return true
	}
	return false
}
