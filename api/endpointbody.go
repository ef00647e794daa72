package api

import (
	"encoding/json"

	"posthaste/event"
)

// What an endpoint gets where its creator is silent.
const (
	defaultRateLimit        = 5000 // attempts per defaultRateLimitSeconds
	defaultRateLimitSeconds = 60
)

// endpointBody is an endpoint in a request. nil is a field that was not sent.
type endpointBody struct {
	URL                *string         `json:"url"`
	Name               *string         `json:"name"`
	Secret             *string         `json:"secret"` // "": as before, or a new one at creation
	OwnerID            *string         `json:"owner_id"`
	Description        *string         `json:"description"`
	AdvancedSignatures *bool           `json:"advanced_signatures"`
	SupportEmail       *string         `json:"support_email"`
	SlackWebhookURL    *string         `json:"slack_webhook_url"`
	TeamsWebhookURL    *string         `json:"teams_webhook_url"`
	IsDisabled         *bool           `json:"is_disabled"`
	HTTPTimeout        json.RawMessage `json:"http_timeout"`        // 0: the default
	RateLimit          *int            `json:"rate_limit"`          // 0: no limit
	RateLimitDuration  json.RawMessage `json:"rate_limit_duration"` // 0: the default
	ContentType        *string         `json:"content_type"`        // "": as before
	Authentication     *authBody       `json:"authentication"`
	MTLSClientCert     json.RawMessage `json:"mtls_client_cert"`

	timeoutSeconds, perSeconds *int // HTTPTimeout and RateLimitDuration, parsed
}

// authBody asks for a header on every request. An empty type takes it away.
type authBody struct {
	Type   string            `json:"type"`
	APIKey *event.APIKeyAuth `json:"api_key"`
}

// readEndpointBody reads a request's endpoint and checks what needs no endpoint
// to be checked against.
func (a *API) readEndpointBody(c *call) (*endpointBody, error) {
	body, err := a.readBody(c.r)
	if err != nil {
		return nil, err
	}
	b := &endpointBody{}
	if err := decode(body, b); err != nil {
		return nil, err
	}
	if b.timeoutSeconds, err = parseSeconds("http_timeout", b.HTTPTimeout); err != nil {
		return nil, err
	}
	if b.perSeconds, err = parseSeconds("rate_limit_duration", b.RateLimitDuration); err != nil {
		return nil, err
	}
	if !isEmpty(b.MTLSClientCert) {
		return nil, notYet("mtls_client_cert")
	}
	if b.Authentication != nil && (b.Authentication.Type == "basic_auth" || b.Authentication.Type == "oauth2") {
		return nil, event.Invalid("authentication.type", "%s is not available yet; use api_key", b.Authentication.Type)
	}
	return b, nil
}

// apply changes e as the body says. The catalog validates the outcome, and gives
// a new secret its id and date.
func (b *endpointBody) apply(e *event.Endpoint) {
	set(&e.URL, b.URL)
	set(&e.Name, b.Name)
	set(&e.OwnerID, b.OwnerID)
	set(&e.Description, b.Description)
	set(&e.AdvancedSignatures, b.AdvancedSignatures)
	set(&e.SupportEmail, b.SupportEmail)
	set(&e.SlackWebhookURL, b.SlackWebhookURL)
	set(&e.TeamsWebhookURL, b.TeamsWebhookURL)
	set(&e.RateLimit, b.RateLimit)
	setOrDefault(&e.HTTPTimeout, b.timeoutSeconds, event.DefaultHTTPTimeout)
	setOrDefault(&e.RateLimitDuration, b.perSeconds, defaultRateLimitSeconds)
	if b.ContentType != nil && *b.ContentType != "" {
		e.ContentType = *b.ContentType
	}
	b.applyStatus(e)
	b.applySecret(e)
	b.applyAuthentication(e)
}

// applyStatus leaves a paused endpoint paused: is_disabled knows of two states only.
func (b *endpointBody) applyStatus(e *event.Endpoint) {
	switch {
	case b.IsDisabled == nil:
	case *b.IsDisabled:
		e.Status = event.EndpointInactive
	case e.Status == event.EndpointInactive:
		e.Status = event.EndpointActive
	}
}

// applySecret makes the body's secret the only one. A client that sends back the
// newest secret changes nothing.
func (b *endpointBody) applySecret(e *event.Endpoint) {
	if b.Secret == nil || *b.Secret == "" {
		return
	}
	if n := len(e.Secrets); n > 0 && e.Secrets[n-1].Value == *b.Secret {
		return
	}
	e.Secrets = []event.Secret{{Value: *b.Secret}}
}

func (b *endpointBody) applyAuthentication(e *event.Endpoint) {
	switch {
	case b.Authentication == nil:
	case b.Authentication.Type == "":
		e.Authentication = nil
	default:
		e.Authentication = &event.Authentication{Type: b.Authentication.Type, APIKey: b.Authentication.APIKey}
	}
}

// set changes *field if the request named it.
func set[T any](field, sent *T) {
	if sent != nil {
		*field = *sent
	}
}

// setOrDefault is set for a field whose zero means its default.
func setOrDefault(field, sent *int, byDefault int) {
	set(field, sent)
	if sent != nil && *sent == 0 {
		*field = byDefault
	}
}
