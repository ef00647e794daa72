package catalog

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"posthaste/event"
	"posthaste/retry"
	"posthaste/sig"
)

// The content types in which an endpoint can take events.
const (
	contentJSON = "application/json"
	contentForm = "application/x-www-form-urlencoded"
)

// normalizeEndpoint fills defaults in and checks the rest, but for what compiling it
// checks. old is the endpoint before the change, nil for a new one: what it has
// already is not held against policies and project settings that came later, for an
// endpoint must always be one that can be paused.
func (c *Catalog) normalizeEndpoint(e *event.Endpoint, p *Project, old *Endpoint, now time.Time) error {
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
	return c.normalizeChanged(e, p, old)
}

// normalizeChanged checks the parts of which the endpoint has others than before.
func (c *Catalog) normalizeChanged(e *event.Endpoint, p *Project, old *Endpoint) error {
	before := &event.Endpoint{}
	if old != nil {
		before = &old.Endpoint
	}
	if e.URL != before.URL || old == nil {
		var err error
		if e.URL, err = c.canonicalURL("url", e.URL, p.Config.SSL.EnforceSecureEndpoints); err != nil {
			return err
		}
	}
	if err := c.checkApp(e, before); err != nil {
		return err
	}
	newAuthentication := !reflect.DeepEqual(e.Authentication, before.Authentication)
	if newAuthentication {
		if err := c.normalizeAuthentication(e, p); err != nil {
			return err
		}
	}
	if newAuthentication || !slices.Equal(e.CustomHeaders, before.CustomHeaders) {
		if err := checkCustomHeaders(e, p); err != nil {
			return err
		}
	}
	if !reflect.DeepEqual(e.ClientCert, before.ClientCert) || e.ClientCert != nil && e.URL != before.URL {
		if err := normalizeClientCert(e); err != nil {
			return err
		}
	}
	if e.CACert != before.CACert && e.CACert != "" {
		return checkCACert(e.CACert)
	}
	return nil
}

func fillEndpoint(e *event.Endpoint) {
	if e.Status == "" {
		e.Status = event.EndpointActive
	}
	if e.ContentType == "" {
		e.ContentType = contentJSON
	}
	if e.SignatureMode == "" {
		e.SignatureMode = event.SignConvoy
	}
	if e.HTTPTimeout == 0 {
		e.HTTPTimeout = event.DefaultHTTPTimeout
	}
	if e.Strategy != nil {
		normal := retry.Normalize(*e.Strategy)
		e.Strategy = &normal
	}
	if e.RateLimit > 0 && e.RateLimitDuration == 0 {
		e.RateLimitDuration = defaultRateSeconds
	}
}

func checkEndpointTexts(e *event.Endpoint) error {
	if err := checkName("name", e.Name); err != nil {
		return err
	}
	contacts := e.Reached()
	for _, t := range []struct {
		field, text string
		maxBytes    int
	}{
		{"owner_id", e.OwnerID, event.MaxNameBytes},
		{"support_email", contacts.SupportEmail, event.MaxNameBytes},
		{"slack_webhook_url", contacts.SlackWebhookURL, event.MaxURLBytes},
		{"teams_webhook_url", contacts.TeamsWebhookURL, event.MaxURLBytes},
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
	if e.SignatureMode != event.SignConvoy && e.SignatureMode != event.SignStandard {
		return event.Invalid("signature_mode", "must be %q or %q", event.SignConvoy, event.SignStandard)
	}
	return checkStatus(e.Status)
}

func checkStatus(s event.EndpointStatus) error {
	if !slices.Contains(event.EndpointStatuses, s) {
		return event.Invalid("status", "must be one of %q", event.EndpointStatuses)
	}
	return nil
}

func checkEndpointNumbers(e *event.Endpoint) error {
	if err := checkRange("http_timeout", e.HTTPTimeout, 1, event.MaxHTTPTimeoutSeconds, "seconds"); err != nil {
		return err
	}
	if err := checkRange("rate_limit", e.RateLimit, 0, maxRateCount, "requests; 0 is no limit"); err != nil {
		return err
	}
	if err := checkRange("max_concurrency", e.MaxConcurrency, 0, event.MaxEndpointConcurrency, "attempts at once; 0 is the server's default"); err != nil {
		return err
	}
	return checkRange("rate_limit_duration", e.RateLimitDuration, 0, maxRateSeconds, "seconds")
}

// normalizeSecrets drops the secrets that have ended, dates new ones, and makes
// sure that the newest one has no end.
func normalizeSecrets(e *event.Endpoint, now time.Time) error {
	dropEnded(e, now)
	if !hasLastingSecret(e.Secrets) {
		return event.Invalid("secrets", "would leave the endpoint without a secret that lasts; add a new one last")
	}
	if err := checkLiveSecrets(e.Secrets); err != nil {
		return err
	}
	for i := range e.Secrets {
		s := &e.Secrets[i]
		if err := checkSecret("secret", s.Value, event.SignConvoy); err != nil {
			return err
		}
		if s.ID.IsZero() {
			s.ID, s.CreatedAt, s.UpdatedAt = event.NewID(), event.StampOf(now), event.StampOf(now)
		}
		if s.ExpiresAt != nil {
			end := s.ExpiresAt.UTC().Round(0) // not the caller's variable
			s.ExpiresAt = &end
		}
	}
	if e.SignatureMode == event.SignStandard {
		return checkStandardSecrets(e.Secrets)
	}
	return nil
}

// checkLiveSecrets checks how many secrets there are; none of them has ended.
func checkLiveSecrets(secrets []event.Secret) error {
	if n := len(secrets); n > event.MaxLiveSecrets {
		return event.Invalid("secrets", "has %d that are alive; at most %d are allowed, wait until old ones end", n, event.MaxLiveSecrets)
	}
	return nil
}

// checkStandardSecrets checks that an endpoint can sign as Standard Webhooks says.
func checkStandardSecrets(secrets []event.Secret) error {
	for i := range secrets {
		if err := sig.CheckStandardSecret(secrets[i].Value); err != nil {
			return event.Invalid("signature_mode", "%q needs secrets that fit it, and secret %d of %d that are alive does not: %s; "+
				"expire it with one that fits, or give one with this change", event.SignStandard, i+1, len(secrets), err)
		}
	}
	return nil
}

// hasLastingSecret reports whether the newest secret has no end.
func hasLastingSecret(secrets []event.Secret) bool {
	n := len(secrets)
	return n > 0 && secrets[n-1].ExpiresAt == nil && secrets[n-1].DeletedAt == nil
}

// canonicalURL is a URL as it is called, if the policy lets it be.
func (c *Catalog) canonicalURL(field, raw string, enforceTLS bool) (string, error) {
	if raw == "" {
		return "", event.Invalid(field, "is empty; give an address that begins with https:// or http://")
	}
	if len(raw) > event.MaxURLBytes {
		return "", event.Invalid(field, "has %d bytes; at most %d are allowed", len(raw), event.MaxURLBytes)
	}
	canonical, err := c.urlPolicy(raw, enforceTLS)
	if err != nil {
		return "", refusedURL(field, err)
	}
	if canonical == "" {
		return "", fmt.Errorf("catalog: BUG: the URL policy made %q of a URL", canonical)
	}
	return canonical, nil
}

// refusedURL is a policy's error, at the field that has the URL.
func refusedURL(field string, err error) error {
	if invalid, ok := errors.AsType[*event.InvalidError](err); ok {
		return event.Invalid(field, "%s", invalid.Reason)
	}
	return &event.InvalidError{Field: field, Reason: err.Error(), Cause: err}
}
