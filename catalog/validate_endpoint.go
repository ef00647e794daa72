package catalog

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
)

// The content types in which an endpoint can take events.
const (
	contentJSON = "application/json"
	contentForm = "application/x-www-form-urlencoded"
)

// normalizeEndpoint fills defaults in and checks the rest. old is the endpoint
// before the change, nil for a new one: a URL and an authentication header that
// it has already are not held against policies and project settings that came
// later, for an endpoint must always be one that can be paused.
func (c *Catalog) normalizeEndpoint(e *event.Endpoint, p *Project, old *Endpoint, now time.Time) error {
	e.DeletedAt = nil
	fillEndpoint(e)
	if err := checkEndpointTexts(e); err != nil {
		return err
	}
	if err := checkEndpointNumbers(e); err != nil {
		return err
	}
	if err := normalizeSecrets(e, now); err != nil {
		return err
	}
	if old == nil || !sameAuthentication(e.Authentication, old.Authentication) {
		if err := normalizeAuthentication(e, p); err != nil {
			return err
		}
	}
	if old == nil || e.URL != old.URL {
		return c.normalizeURL(e, p)
	}
	return nil
}

func sameAuthentication(a, b *event.Authentication) bool {
	if a == nil || b == nil || a.APIKey == nil || b.APIKey == nil {
		return a == b
	}
	return a.Type == b.Type && *a.APIKey == *b.APIKey
}

func fillEndpoint(e *event.Endpoint) {
	if e.Status == "" {
		e.Status = event.EndpointActive
	}
	if e.ContentType == "" {
		e.ContentType = contentJSON
	}
	if e.HTTPTimeout == 0 {
		e.HTTPTimeout = event.DefaultHTTPTimeout
	}
	if e.RateLimit > 0 && e.RateLimitDuration == 0 {
		e.RateLimitDuration = defaultRateSeconds
	}
}

func checkEndpointTexts(e *event.Endpoint) error {
	if err := checkName("name", e.Name); err != nil {
		return err
	}
	for _, t := range []struct {
		field, text string
		maxBytes    int
	}{
		{"owner_id", e.OwnerID, event.MaxNameBytes},
		{"support_email", e.SupportEmail, event.MaxNameBytes},
		{"slack_webhook_url", e.SlackWebhookURL, event.MaxURLBytes},
		{"teams_webhook_url", e.TeamsWebhookURL, event.MaxURLBytes},
	} {
		if err := checkText(t.field, t.text, t.maxBytes); err != nil {
			return err
		}
	}
	if err := checkProse("description", e.Description, maxTextBytes); err != nil {
		return err
	}
	if e.ContentType != contentJSON && e.ContentType != contentForm {
		return event.Invalid("content_type", "must be %q or %q", contentJSON, contentForm)
	}
	return checkStatus(e.Status)
}

func checkStatus(s event.EndpointStatus) error {
	switch s {
	case event.EndpointActive, event.EndpointInactive, event.EndpointPaused, event.EndpointPending:
		return nil
	}
	return event.Invalid("status", "must be %q, %q, %q or %q",
		event.EndpointActive, event.EndpointInactive, event.EndpointPaused, event.EndpointPending)
}

func checkEndpointNumbers(e *event.Endpoint) error {
	if err := checkRange("http_timeout", e.HTTPTimeout, 1, event.MaxHTTPTimeoutSeconds, "seconds"); err != nil {
		return err
	}
	if err := checkRange("rate_limit", e.RateLimit, 0, maxRateCount, "requests; 0 is no limit"); err != nil {
		return err
	}
	return checkRange("rate_limit_duration", e.RateLimitDuration, 0, maxRateSeconds, "seconds")
}

// normalizeSecrets drops the secrets that have ended, dates new ones, and makes
// sure that the newest one has no end.
func normalizeSecrets(e *event.Endpoint, now time.Time) error {
	e.Secrets = slices.DeleteFunc(e.Secrets, func(s event.Secret) bool { return !live(&s, now) })
	n := len(e.Secrets)
	if !hasLastingSecret(e.Secrets) {
		return event.Invalid("secrets", "would leave the endpoint without a secret that lasts; add a new one last")
	}
	if n > maxSecrets {
		return event.Invalid("secrets", "has %d that are alive; at most %d are allowed, wait until old ones end", n, maxSecrets)
	}
	for i := range e.Secrets {
		s := &e.Secrets[i]
		if err := checkSecret("secret", s.Value); err != nil {
			return err
		}
		if s.ID.IsZero() {
			s.ID, s.CreatedAt, s.UpdatedAt = event.NewID(), now, now
		}
		if s.ExpiresAt != nil {
			end := s.ExpiresAt.UTC().Round(0) // not the caller's variable
			s.ExpiresAt = &end
		}
	}
	return nil
}

// hasLastingSecret reports whether the newest secret has no end.
func hasLastingSecret(secrets []event.Secret) bool {
	n := len(secrets)
	return n > 0 && secrets[n-1].ExpiresAt == nil && secrets[n-1].DeletedAt == nil
}

func normalizeAuthentication(e *event.Endpoint, p *Project) error {
	a := e.Authentication
	if a == nil || a.Type == "" && a.APIKey == nil {
		e.Authentication = nil
		return nil
	}
	if a.Type != "api_key" {
		return event.Invalid("authentication.type", `must be "api_key"`)
	}
	if a.APIKey == nil {
		return event.Invalid("authentication.api_key", "is missing; give header_name and header_value")
	}
	cfg := &p.Config
	if err := checkHeaderName("authentication.api_key.header_name", a.APIKey.HeaderName, cfg.Signature.Header, cfg.RequestIDHeader); err != nil {
		return err
	}
	return checkHeaderValue("authentication.api_key.header_value", a.APIKey.HeaderValue)
}

func checkHeaderValue(field, value string) error {
	if value == "" {
		return event.Invalid(field, "is empty")
	}
	if len(value) > maxTextBytes {
		return event.Invalid(field, "has %d bytes; at most %d are allowed", len(value), maxTextBytes)
	}
	if !httpguts.ValidHeaderFieldValue(value) {
		return event.Invalid(field, "has a character that a header cannot carry, such as a line break")
	}
	return nil
}

func (c *Catalog) normalizeURL(e *event.Endpoint, p *Project) error {
	if e.URL == "" {
		return event.Invalid("url", "is empty; give the address that receives the events")
	}
	if len(e.URL) > event.MaxURLBytes {
		return event.Invalid("url", "has %d bytes; at most %d are allowed", len(e.URL), event.MaxURLBytes)
	}
	canonical, err := c.urlPolicy(e.URL, p.Config.SSL.EnforceSecureEndpoints)
	if err != nil {
		return asInvalid("url", err)
	}
	if canonical == "" {
		return fmt.Errorf("catalog: BUG: the URL policy made %q of a URL", canonical)
	}
	e.URL = canonical
	return nil
}
