package catalog

import (
	"time"

	"posthaste/breaker"
	"posthaste/event"
	"posthaste/retry"
)

// The types of a project.
const (
	typeOutgoing = "outgoing"
	typeIncoming = "incoming"
)

// Bounds of a project's configuration.
const (
	maxDeadCount        = 100_000
	minDeadSeconds      = 60
	maxRetentionSeconds = 10 * 365 * 86400
	minRetentionBytes   = 1 << 20
)

// normalizeProject fills defaults in and checks the rest, but for what compiling it
// checks. old is the project before the change, nil for a new one; now dates what is
// new.
func (c *Catalog) normalizeProject(p *event.Project, old *Project, now time.Time) error {
	p.DeletedAt = nil
	if p.Type == "" {
		p.Type = typeOutgoing
	}
	fillConfig(&p.Config)
	if err := checkName("name", p.Name); err != nil {
		return err
	}
	if p.Type != typeOutgoing && p.Type != typeIncoming {
		return event.Invalid("type", "must be %q or %q", typeOutgoing, typeIncoming)
	}
	if err := checkText("logo_url", p.LogoURL, event.MaxURLBytes); err != nil {
		return err
	}
	if err := checkConfig(&p.Config); err != nil {
		return err
	}
	if err := normalizeSignature(&p.Config, now); err != nil {
		return err
	}
	return c.normalizeMetaEvent(&p.Config, old)
}

// fillConfig gives zero fields their defaults, and writes older names as they are
// written today.
func fillConfig(c *event.ProjectConfig) {
	d := event.DefaultProjectConfig()
	if c.MaxPayloadReadSize == 0 {
		c.MaxPayloadReadSize = d.MaxPayloadReadSize
	}
	if c.RateLimit == (event.RateLimitConfig{}) {
		c.RateLimit = d.RateLimit
	}
	if isZeroStrategy(&c.Strategy) {
		c.Strategy = d.Strategy
	}
	c.Strategy = retry.Normalize(c.Strategy)
	c.CircuitBreaker = breaker.Normalize(c.CircuitBreaker)
	if c.Signature.Header == "" {
		c.Signature.Header = d.Signature.Header
	}
	if len(c.Signature.Versions) == 0 {
		c.Signature.Versions = d.Signature.Versions
	}
	if c.RequestIDHeader == "" {
		c.RequestIDHeader = d.RequestIDHeader
	}
	if c.DeadEndpoint.Strategy == "" {
		c.DeadEndpoint.Strategy = d.DeadEndpoint.Strategy
	}
	if c.DeadEndpoint.Count == 0 {
		c.DeadEndpoint.Count = d.DeadEndpoint.Count
	}
	if c.DeadEndpoint.Window == 0 {
		c.DeadEndpoint.Window = d.DeadEndpoint.Window
	}
	if c.MetaEvent.Type == "" {
		c.MetaEvent.Type = d.MetaEvent.Type
	}
	if c.IdempotencyWindow == 0 {
		c.IdempotencyWindow = d.IdempotencyWindow
	}
}

func isZeroStrategy(s *event.Strategy) bool {
	return s.Type == "" && s.Duration == 0 && s.RetryCount == 0 && len(s.Schedule) == 0 && s.ScheduleName == ""
}

func checkConfig(c *event.ProjectConfig) error {
	for _, r := range []struct {
		field     string
		n         int
		low, high int
		what      string
	}{
		{"config.max_payload_read_size", c.MaxPayloadReadSize, 1, maxPayloadLimitBytes, "bytes"},
		{"config.ratelimit.count", c.RateLimit.Count, 0, maxRateCount, "requests; 0 is no limit"},
		{"config.ratelimit.duration", c.RateLimit.Duration, 0, maxRateSeconds, "seconds"},
		{"config.idempotency_window", c.IdempotencyWindow, 1, event.MaxIdempotencyWindow, "seconds; 0 is the default"},
		{"config.dead_endpoint.count", c.DeadEndpoint.Count, 1, maxDeadCount, "failed attempts in a row; 0 is the default"},
		{"config.dead_endpoint.window", c.DeadEndpoint.Window, minDeadSeconds, event.MaxRetrySeconds, "seconds; 0 is the default"},
	} {
		if err := checkRange(r.field, r.n, r.low, r.high, r.what); err != nil {
			return err
		}
	}
	if c.RateLimit.Count > 0 && c.RateLimit.Duration == 0 {
		return event.Invalid("config.ratelimit.duration", "is 0; a rate limit needs 1 to %d seconds", maxRateSeconds)
	}
	switch c.DeadEndpoint.Strategy {
	case event.DeadExhausted, event.DeadConsecutive, event.DeadWindow:
	default:
		return event.Invalid("config.dead_endpoint.strategy", "must be %q, %q or %q", event.DeadExhausted, event.DeadConsecutive, event.DeadWindow)
	}
	if err := checkRetention(&c.Retention); err != nil {
		return err
	}
	return checkSearchPolicy(c.SearchPolicy)
}

func checkRetention(r *event.RetentionConfig) error {
	for _, a := range []struct {
		field   string
		seconds int
	}{{"config.retention.payload", r.Payload}, {"config.retention.history", r.History}} {
		if a.seconds == 0 {
			continue
		}
		if err := checkRange(a.field, a.seconds, event.MinRetentionSeconds, maxRetentionSeconds, "seconds, or 0 for the server's default"); err != nil {
			return err
		}
	}
	if r.Payload != 0 && r.History != 0 && r.History < r.Payload {
		return event.Invalid("config.retention.history", "is %d and config.retention.payload is %d seconds: "+
			"the history of a delivery cannot go before its event, give at least as much", r.History, r.Payload)
	}
	if r.MaxBytes != 0 && r.MaxBytes < minRetentionBytes {
		return event.Invalid("config.retention.max_bytes", "is %d; it must be at least %d, or 0 for the server's default", r.MaxBytes, minRetentionBytes)
	}
	return nil
}

func checkSearchPolicy(policy string) error {
	if policy == "" {
		return nil
	}
	if d, err := time.ParseDuration(policy); err != nil || d < 0 {
		return event.Invalid("config.search_policy", `must be empty or a duration such as "720h"`)
	}
	return nil
}

func normalizeSignature(c *event.ProjectConfig, now time.Time) error {
	if err := checkHeaderName("config.signature.header", c.Signature.Header); err != nil {
		return err
	}
	if err := checkHeaderName("config.request_id_header", c.RequestIDHeader, c.Signature.Header); err != nil {
		return err
	}
	versions := c.Signature.Versions
	if len(versions) > maxVersions {
		return event.Invalid("config.signature.versions", "has %d entries; at most %d are allowed", len(versions), maxVersions)
	}
	for i := range versions {
		fillVersion(&versions[i], now)
	}
	return nil
}

func fillVersion(v *event.SignatureVersion, now time.Time) {
	if v.ID.IsZero() {
		v.ID = event.NewID()
	}
	if v.CreatedAt.IsZero() {
		v.CreatedAt = now
	}
	v.CreatedAt = v.CreatedAt.UTC().Round(0)
}
