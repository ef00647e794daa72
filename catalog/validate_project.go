package catalog

import (
	"fmt"
	"strings"
	"time"

	"posthaste/event"
	"posthaste/sig"
)

// The types of a project.
const (
	typeOutgoing = "outgoing"
	typeIncoming = "incoming"
)

// normalizeProject fills defaults in and checks the rest. now dates what is new.
func normalizeProject(p *event.Project, now time.Time) error {
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
	return normalizeSignature(&p.Config, now)
}

// fillConfig gives zero fields their defaults.
func fillConfig(c *event.ProjectConfig) {
	d := event.DefaultProjectConfig()
	if c.MaxPayloadReadSize == 0 {
		c.MaxPayloadReadSize = d.MaxPayloadReadSize
	}
	if c.RateLimit == (event.RateLimitConfig{}) {
		c.RateLimit = d.RateLimit
	}
	if isZeroStrategy(c.Strategy) {
		c.Strategy = d.Strategy
	}
	c.Strategy.Type = strategyType(c.Strategy.Type)
	if c.Signature.Header == "" {
		c.Signature.Header = d.Signature.Header
	}
	if len(c.Signature.Versions) == 0 {
		c.Signature.Versions = d.Signature.Versions
	}
	if c.RequestIDHeader == "" {
		c.RequestIDHeader = d.RequestIDHeader
	}
}

// strategyType reads Convoy's older names of the strategies too.
func strategyType(t string) string {
	switch t {
	case "", "default":
		return event.StrategyLinear
	case "exponential-backoff":
		return event.StrategyExponential
	}
	return t
}

func checkConfig(c *event.ProjectConfig) error {
	if t := c.Strategy.Type; t != event.StrategyLinear && t != event.StrategyExponential {
		return event.Invalid("config.strategy.type", "must be %q or %q", event.StrategyLinear, event.StrategyExponential)
	}
	for _, r := range []struct {
		field     string
		n         int
		low, high int
		what      string
	}{
		{"config.strategy.duration", c.Strategy.Duration, 1, event.MaxRetrySeconds, "seconds"},
		{"config.strategy.retry_count", c.Strategy.RetryCount, 1, event.MaxAttempts, "attempts"},
		{"config.max_payload_read_size", c.MaxPayloadReadSize, 1, maxPayloadLimitBytes, "bytes"},
		{"config.ratelimit.count", c.RateLimit.Count, 0, maxRateCount, "requests; 0 is no limit"},
		{"config.ratelimit.duration", c.RateLimit.Duration, 0, maxRateSeconds, "seconds"},
	} {
		if err := checkRange(r.field, r.n, r.low, r.high, r.what); err != nil {
			return err
		}
	}
	if c.RateLimit.Count > 0 && c.RateLimit.Duration == 0 {
		return event.Invalid("config.ratelimit.duration", "is 0; a rate limit needs 1 to %d seconds", maxRateSeconds)
	}
	return checkSearchPolicy(c.SearchPolicy)
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
		if err := normalizeVersion(&versions[i], i, now); err != nil {
			return err
		}
	}
	return nil
}

func normalizeVersion(v *event.SignatureVersion, i int, now time.Time) error {
	if v.ID.IsZero() {
		v.ID = event.NewID()
	}
	if v.CreatedAt.IsZero() {
		v.CreatedAt = now
	}
	v.CreatedAt = v.CreatedAt.UTC().Round(0)
	if err := sig.CheckVersion(sig.Version{Hash: v.Hash, Encoding: v.Encoding}); err != nil {
		return event.Invalid(fmt.Sprintf("config.signature.versions[%d]", i),
			"%s; hash is one of %s, encoding is hex or base64", err, strings.Join(sig.Hashes(), " "))
	}
	return nil
}

func isZeroStrategy(s event.Strategy) bool {
	return s.Type == "" && s.Duration == 0 && s.RetryCount == 0
}
