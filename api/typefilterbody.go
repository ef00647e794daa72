package api

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthaste/event"
	"posthaste/match"
)

// typeFilterBody is a filter for one event type in a request. nil is a field that was
// not sent, or was null: it stays as it is.
type typeFilterBody struct {
	EventType *string         `json:"event_type"`
	EnabledAt optionalTime    `json:"enabled_at"`
	Headers   json.RawMessage `json:"headers"` // each of these: {}: none
	Body      json.RawMessage `json:"body"`
	Query     json.RawMessage `json:"query"`
	Path      json.RawMessage `json:"path"`

	IsFlattened json.RawMessage `json:"is_flattened"` // ignored
}

// typeFilterUpdate is a change of the filter with this id.
type typeFilterUpdate struct {
	ID string `json:"uid"`
	typeFilterBody
}

// apply changes f as the body says.
func (b *typeFilterBody) apply(f *event.TypeFilter, now time.Time) error {
	setText(&f.EventType, b.EventType)
	if b.EnabledAt.sent {
		f.EnabledAt = b.EnabledAt.at
	}
	setConditions(&f.Filter.Headers, b.Headers)
	setConditions(&f.Filter.Body, b.Body)
	setConditions(&f.Filter.Query, b.Query)
	setConditions(&f.Filter.Path, b.Path)
	f.UpdatedAt = now
	return checkTypeFilter(f)
}

// create makes a filter of the body: enabled from now on, unless it says otherwise.
func (b *typeFilterBody) create(now time.Time) (event.TypeFilter, error) {
	f := event.TypeFilter{ID: event.NewID(), CreatedAt: now, EnabledAt: &now}
	return f, b.apply(&f, now)
}

// checkTypeFilter checks a filter by itself.
func checkTypeFilter(f *event.TypeFilter) error {
	switch n := len(f.EventType); {
	case strings.TrimSpace(f.EventType) == "":
		return event.Invalid("event_type", "please provide an event type: one of 1 to %d bytes, or * for all that have no filter of their own", event.MaxNameBytes)
	case n > event.MaxNameBytes:
		return event.Invalid("event_type", "has %d bytes; at most %d are allowed", n, event.MaxNameBytes)
	case f.EventType != "*" && (strings.ContainsAny(f.EventType, "*?[") || strings.HasPrefix(f.EventType, "regex:")):
		return event.Invalid("event_type", "is a pattern; a filter is for one event type, or for all others: *")
	}
	n := len(f.Filter.Headers) + len(f.Filter.Body) + len(f.Filter.Query) + len(f.Filter.Path)
	if n > event.MaxFilterBytes {
		return event.Invalid("", "the conditions have %d bytes together; at most %d are allowed", n, event.MaxFilterBytes)
	}
	_, err := match.CompileFilter(&f.Filter)
	return err
}

// checkTypeFilters checks the filters of one subscription together.
func checkTypeFilters(filters []event.TypeFilter) error {
	if n := len(filters); n > event.MaxTypeFilters {
		return event.Invalid("", "the subscription would have %d filters; at most %d are allowed", n, event.MaxTypeFilters)
	}
	seen := make(map[string]bool, len(filters))
	for i := range filters {
		if t := filters[i].EventType; seen[t] {
			return event.Invalid("event_type", "a filter for event type %s already exists; change that one", strconv.Quote(t))
		}
		seen[filters[i].EventType] = true
	}
	return nil
}

// typeFilterAt is the place of a filter in a subscription's; -1 if it has none such.
func typeFilterAt(filters []event.TypeFilter, id event.ID) int {
	return slices.IndexFunc(filters, func(f event.TypeFilter) bool { return f.ID == id })
}

// optionalTime is a time that may be taken away: a text, null, or Convoy's
// {"set": true, "time": ...}, with null or the year 1 for none. "" and {"set": false}
// are as if it was not sent.
type optionalTime struct {
	sent bool
	at   *time.Time
}

func (o *optionalTime) UnmarshalJSON(raw []byte) error {
	*o = optionalTime{}
	text := strings.TrimSpace(string(raw))
	if text == `""` {
		return nil
	}
	if !strings.HasPrefix(text, "{") {
		return o.read(raw)
	}
	var pair struct {
		Set  *bool           `json:"set"`
		Time json.RawMessage `json:"time"`
	}
	if err := json.Unmarshal(raw, &pair); err != nil {
		return errNotTime()
	}
	given := len(pair.Time) > 0
	if pair.Set != nil && !*pair.Set || pair.Set == nil && !given {
		return nil
	}
	if !given || string(pair.Time) == `""` {
		o.sent = true
		return nil
	}
	return o.read(pair.Time)
}

// read reads a time or null.
func (o *optionalTime) read(raw []byte) error {
	var at *time.Time
	if err := json.Unmarshal(raw, &at); err != nil {
		return errNotTime()
	}
	if o.sent = true; at != nil && !at.IsZero() {
		utc := at.UTC()
		o.at = &utc
	}
	return nil
}

const wantTime = `want a time like "2026-01-02T15:04:05Z", or null`

func errNotTime() error {
	return &json.UnmarshalTypeError{Value: "something else", Type: reflect.TypeFor[optionalTime]()}
}
