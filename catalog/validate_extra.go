package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"posthaste/event"
)

// maxTypeFilterBytes bounds all type filters of a subscription together.
const maxTypeFilterBytes = 4 * event.MaxFilterBytes

// normalizeExtra checks what few subscriptions have, but for what compiling it checks,
// and drops what says nothing. before is the subscription as it was, nil for a new one.
func (c *Catalog) normalizeExtra(s, before *event.Subscription, now time.Time) error {
	x := s.Extra
	if x == nil {
		return nil
	}
	if !x.SourceID.IsZero() && c.Snapshot().sourceOf(s.ProjectID, x.SourceID) == nil {
		return event.Invalid("source_id", "the project has no source with this id; create it first")
	}
	if err := normalizeTypeFilters(x.Filters, typeFiltersOf(before), now); err != nil {
		return err
	}
	if err := normalizeAlert(x); err != nil {
		return err
	}
	if err := normalizeSubscriptionLimit(x); err != nil {
		return err
	}
	if err := normalizeRetryConfig(x); err != nil {
		return err
	}
	if x.SourceID.IsZero() && len(x.Filters) == 0 && x.AlertConfig == nil && x.RateLimitConfig == nil && x.RetryConfig == nil {
		s.Extra = nil
	}
	return nil
}

func typeFiltersOf(s *event.Subscription) []event.TypeFilter {
	if s == nil || s.Extra == nil {
		return nil
	}
	return s.Extra.Filters
}

// normalizeTypeFilters gives new filters an id, dates those that are not as they were
// before, and checks all.
func normalizeTypeFilters(list, before []event.TypeFilter, now time.Time) error {
	if len(list) > event.MaxTypeFilters {
		return event.Invalid("filters", "has %d entries; at most %d are allowed", len(list), event.MaxTypeFilters)
	}
	size, types, ids := 0, make(map[string]bool, len(list)), make(map[event.ID]bool, len(list))
	for i := range list {
		f, field := &list[i], fmt.Sprintf("filters[%d]", i)
		if err := checkFilterType(field+".event_type", f.EventType); err != nil {
			return err
		}
		if types[f.EventType] {
			return event.Invalid(field+".event_type", "the subscription has a filter for this event type already; change that one")
		}
		types[f.EventType] = true
		size += normalizeConditions(&f.Filter)
		dateTypeFilter(f, before, now)
		if ids[f.ID] {
			return event.Invalid(field+".uid", "is the id of another filter of this subscription")
		}
		ids[f.ID] = true
	}
	if size > maxTypeFilterBytes {
		return event.Invalid("filters", "have %d bytes together; at most %d are allowed", size, maxTypeFilterBytes)
	}
	return nil
}

func checkFilterType(field, eventType string) error {
	if err := checkName(field, eventType); err != nil {
		return err
	}
	if eventType != anyType && (strings.ContainsAny(eventType, "*?[") || strings.HasPrefix(eventType, "regex:")) {
		return event.Invalid(field, "is a pattern; give an exact event type, or * for the types that have no filter of their own")
	}
	return nil
}

// dateTypeFilter keeps a filter's dates where it is as it was before.
func dateTypeFilter(f *event.TypeFilter, before []event.TypeFilter, now time.Time) {
	if f.EnabledAt != nil {
		*f.EnabledAt = f.EnabledAt.UTC().Round(0)
	}
	for i := range before {
		if old := &before[i]; old.ID == f.ID {
			f.CreatedAt, f.UpdatedAt = old.CreatedAt, old.UpdatedAt
			if !sameTypeFilter(f, old) {
				f.UpdatedAt = now
			}
			return
		}
	}
	f.ID, f.CreatedAt, f.UpdatedAt = newID(f.ID), now, now
}

func sameTypeFilter(a, b *event.TypeFilter) bool {
	sameTime := a.EnabledAt == nil && b.EnabledAt == nil || a.EnabledAt != nil && b.EnabledAt != nil && a.EnabledAt.Equal(*b.EnabledAt)
	return sameTime && a.EventType == b.EventType &&
		bytes.Equal(a.Filter.Headers, b.Filter.Headers) && bytes.Equal(a.Filter.Body, b.Filter.Body) &&
		bytes.Equal(a.Filter.Query, b.Filter.Query) && bytes.Equal(a.Filter.Path, b.Filter.Path)
}

// normalizeConditions takes the white space out of a filter's parts, of which null is
// none, and returns their size. What is not JSON is for the compiler to refuse.
func normalizeConditions(f *event.Filter) (size int) {
	for _, part := range []*json.RawMessage{&f.Headers, &f.Body, &f.Query, &f.Path} {
		var compact bytes.Buffer
		if json.Compact(&compact, *part) == nil {
			*part = compact.Bytes()
		}
		if len(*part) == 0 || string(*part) == "null" {
			*part = nil
		}
		size += len(*part)
	}
	return size
}

func normalizeAlert(x *event.SubscriptionExtra) error {
	a := x.AlertConfig
	if a == nil || *a == (event.AlertConfig{}) {
		x.AlertConfig = nil
		return nil
	}
	if err := checkRange("alert_config.count", a.Count, 0, maxRateCount, "failures"); err != nil {
		return err
	}
	if a.Threshold == "" {
		return nil
	}
	if d, err := time.ParseDuration(a.Threshold); err != nil || d < 0 || len(a.Threshold) > event.MaxNameBytes {
		return event.Invalid("alert_config.threshold", `must be empty or a duration such as "1h"`)
	}
	return nil
}

func normalizeSubscriptionLimit(x *event.SubscriptionExtra) error {
	l := x.RateLimitConfig
	if l == nil || l.Count == 0 && l.Duration == 0 {
		x.RateLimitConfig = nil
		return nil
	}
	l.Enabled = false // is a project's
	if err := checkRange("rate_limit_config.count", l.Count, 0, maxRateCount, "requests; 0 is no limit"); err != nil {
		return err
	}
	return checkRange("rate_limit_config.duration", l.Duration, 0, maxRateSeconds, "seconds")
}

func normalizeRetryConfig(x *event.SubscriptionExtra) error {
	r := x.RetryConfig
	if r == nil || *r == (event.RetryConfig{}) {
		x.RetryConfig = nil
		return nil
	}
	switch r.Type {
	case "", event.StrategyLinear, event.StrategyExponential:
	default:
		return event.Invalid("retry_config.type", "must be %q or %q", event.StrategyLinear, event.StrategyExponential)
	}
	if err := checkRange("retry_config.duration", r.Duration, 0, event.MaxRetrySeconds, "seconds"); err != nil {
		return err
	}
	if err := checkRange("retry_config.interval_seconds", r.IntervalSeconds, 0, event.MaxRetrySeconds, "seconds"); err != nil {
		return err
	}
	return checkRange("retry_config.retry_count", r.RetryCount, 0, event.MaxAttempts, "attempts")
}
