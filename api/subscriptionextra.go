package api

import (
	"slices"

	"posthaste/event"
)

// alertBody, limitBody and retryBody are what Convoy's clients say of a subscription and
// nothing follows. What they do not name stays as it is.
type (
	alertBody struct {
		Count     *int    `json:"count"`
		Threshold *string `json:"threshold"`
	}
	limitBody struct {
		Count    *int    `json:"count"`
		Duration seconds `json:"duration"`
	}
	retryBody struct {
		Type            *string `json:"type"`
		Duration        seconds `json:"duration"`
		IntervalSeconds *int    `json:"interval_seconds"`
		RetryCount      *int    `json:"retry_count"`
	}
)

// editExtra lets change edit a copy of what few subscriptions have. An empty one is
// none.
func editExtra(s *event.Subscription, change func(*event.SubscriptionExtra) error) error {
	var x event.SubscriptionExtra
	if s.Extra != nil {
		x = *s.Extra
		x.Filters = slices.Clone(x.Filters)
	}
	if err := change(&x); err != nil {
		return err
	}
	if s.Extra = &x; x.SourceID.IsZero() && len(x.Filters) == 0 && x.AlertConfig == nil && x.RateLimitConfig == nil && x.RetryConfig == nil {
		s.Extra = nil
	}
	return nil
}

// extraOf is what few subscriptions have; for reading.
func extraOf(s *event.Subscription) event.SubscriptionExtra {
	if s.Extra == nil {
		return event.SubscriptionExtra{}
	}
	return *s.Extra
}

// applyExtra sets the source and what is only kept. The catalog checks it.
func (b *subscriptionBody) applyExtra(x *event.SubscriptionExtra) error {
	if b.SourceID != nil && *b.SourceID != "" {
		id, err := event.ParseID(*b.SourceID)
		if err != nil {
			return event.Invalid("source_id", "%s", err)
		}
		x.SourceID = id
	}
	if b.AlertConfig != nil {
		c := valueOf(x.AlertConfig)
		set(&c.Count, b.AlertConfig.Count)
		set(&c.Threshold, b.AlertConfig.Threshold)
		x.AlertConfig = &c
	}
	if b.RateLimitConfig != nil {
		c := valueOf(x.RateLimitConfig)
		set(&c.Count, b.RateLimitConfig.Count)
		setSeconds(&c.Duration, b.RateLimitConfig.Duration)
		x.RateLimitConfig = &c
	}
	if b.RetryConfig != nil {
		c := valueOf(x.RetryConfig)
		set(&c.Type, b.RetryConfig.Type)
		setSeconds(&c.Duration, b.RetryConfig.Duration)
		set(&c.IntervalSeconds, b.RetryConfig.IntervalSeconds)
		set(&c.RetryCount, b.RetryConfig.RetryCount)
		x.RetryConfig = &c
	}
	return nil
}

// valueOf is what p points to, or the zero value.
func valueOf[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// retryView is a subscription's retry strategy as it is answered.
type retryView struct {
	Type            string      `json:"type"`
	Duration        wireSeconds `json:"duration"`
	IntervalSeconds int         `json:"interval_seconds"`
	RetryCount      int         `json:"retry_count"`
}

func newRetryView(r *event.RetryConfig, v version) *retryView {
	if r == nil {
		return nil
	}
	return &retryView{r.Type, wireSeconds{r.Duration, v.durationsAsText()}, r.IntervalSeconds, r.RetryCount}
}

// limitView is a subscription's rate limit as it is answered.
type limitView struct {
	Count    int `json:"count"`
	Duration int `json:"duration"` // seconds
}

func newLimitView(l *event.RateLimitConfig) *limitView {
	if l == nil {
		return nil
	}
	return &limitView{l.Count, l.Duration}
}
