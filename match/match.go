// Package match decides which events a subscription wants: by type, and by
// conditions on an event's body, headers, query and path.
package match

import "posthaste/event"

// Types is a compiled list of event types. It never changes.
type Types struct{ patterns []string }

// CompileTypes compiles FilterConfig.EventTypes. An error is an event.InvalidError
// with a field relative to the list, as in "[2]".
func CompileTypes(patterns []string) (*Types, error) { return &Types{patterns}, nil }

// Match reports whether an event type is one of them. Any goroutine.
func (t *Types) Match(eventType string) bool {
	for _, p := range t.patterns {
		if p == "*" || p == eventType {
			return true
		}
	}
	return false
}

// Filter is a compiled event.Filter. It never changes.
type Filter struct{}

// CompileFilter compiles a filter; nil, and no error, for one without conditions.
// An error is an event.InvalidError whose field is relative, as in "body.$or[1].amount".
func CompileFilter(f *event.Filter) (*Filter, error) { return nil, nil }

// Input is an event as filters see it. It parses the body once, when a filter first
// asks. It belongs to one goroutine.
type Input struct {
	ev *event.Event
}

// Reset makes the input stand for another event.
func (in *Input) Reset(ev *event.Event) { in.ev = ev }

// Match reports whether the event passes. A nil filter lets all pass. Any goroutine
// may call it with an input of its own.
func (f *Filter) Match(in *Input) bool { return true }
