package api

import "posthaste/event"

// What an endpoint gets where its creator is silent.
const (
	defaultRateLimit        = 5000 // attempts per defaultRateLimitSeconds
	defaultRateLimitSeconds = 60
)

// endpointBody is an endpoint in a request. nil is a field that was not sent, or was
// null: it stays as it is.
type endpointBody struct {
	URL                *string                `json:"url"`
	Name               *string                `json:"name"`
	Secret             *string                `json:"secret"` // "": as before, or a new one at creation
	OwnerID            *string                `json:"owner_id"`
	Description        *string                `json:"description"`
	AdvancedSignatures *bool                  `json:"advanced_signatures"`
	SignatureMode      *string                `json:"signature_mode"` // "": as before
	SupportEmail       *string                `json:"support_email"`
	SlackWebhookURL    *string                `json:"slack_webhook_url"`
	TeamsWebhookURL    *string                `json:"teams_webhook_url"`
	IsDisabled         *bool                  `json:"is_disabled"`
	HTTPTimeout        seconds                `json:"http_timeout"`        // 0: the default
	RateLimit          *int                   `json:"rate_limit"`          // 0: no limit
	RateLimitDuration  seconds                `json:"rate_limit_duration"` // 0: the default
	ContentType        *string                `json:"content_type"`        // "": as before
	Authentication     *event.Authentication  `json:"authentication"`      // an empty type takes it away
	CustomHeaders      map[string]string      `json:"custom_headers"`      // all of them
	Strategy           optional[strategyBody] `json:"strategy"`            // null takes it away
	MaxConcurrency     *int                   `json:"max_concurrency"`     // 0: the server's default
	ClientCert         *event.ClientCert      `json:"mtls_client_cert"`    // two empty texts take it away
	CACert             *string                `json:"ca_cert"`

	// At creation: the application that the endpoint is to belong to, under the names that
	// clients use for it. Later it stays the same.
	AppID    *string `json:"appID"`
	OldAppID *string `json:"app_id"`
}

// app is the application that a new endpoint is to belong to; nil for none.
func (b *endpointBody) app() (*event.ID, error) {
	field, text := "appID", ""
	if setText(&text, b.AppID); text == "" {
		field = "app_id"
		setText(&text, b.OldAppID)
	}
	if text == "" {
		return nil, nil
	}
	id, err := event.ParseID(text)
	if err != nil {
		return nil, event.Invalid(field, "%s", err)
	}
	return &id, nil
}

// readEndpointBody reads a request's endpoint.
func (a *API) readEndpointBody(c *call) (*endpointBody, error) {
	b := &endpointBody{}
	return b, a.readJSON(c.r, b)
}

// apply changes e as the body says. general is the strategy of the project. The catalog
// validates the outcome, and dates what is new.
func (b *endpointBody) apply(e *event.Endpoint, general event.Strategy) error {
	b.applyTexts(e)
	b.applyDelivery(e, general)
	b.applyStatus(e)
	b.applySecret(e)
	if err := b.applyAuthentication(e); err != nil {
		return err
	}
	if err := b.applyClientCert(e); err != nil {
		return err
	}
	if b.CustomHeaders == nil {
		return nil
	}
	headers, err := customHeaders(b.CustomHeaders, e.CustomHeaders)
	e.CustomHeaders = headers
	return err
}

func (b *endpointBody) applyTexts(e *event.Endpoint) {
	set(&e.URL, b.URL)
	set(&e.Name, b.Name)
	set(&e.OwnerID, b.OwnerID)
	set(&e.Description, b.Description)
	set(&e.CACert, b.CACert)
	contacts := e.Reached()
	set(&contacts.SupportEmail, b.SupportEmail)
	set(&contacts.SlackWebhookURL, b.SlackWebhookURL)
	set(&contacts.TeamsWebhookURL, b.TeamsWebhookURL)
	e.Reach(contacts)
}

// applyDelivery sets how and how fast is delivered.
func (b *endpointBody) applyDelivery(e *event.Endpoint, general event.Strategy) {
	set(&e.AdvancedSignatures, b.AdvancedSignatures)
	setText(&e.SignatureMode, b.SignatureMode)
	setText(&e.ContentType, b.ContentType)
	set(&e.RateLimit, b.RateLimit)
	setSecondsOrDefault(&e.HTTPTimeout, b.HTTPTimeout, event.DefaultHTTPTimeout)
	setSecondsOrDefault(&e.RateLimitDuration, b.RateLimitDuration, defaultRateLimitSeconds)
	set(&e.MaxConcurrency, b.MaxConcurrency)
	switch {
	case !b.Strategy.sent:
	case b.Strategy.value == nil:
		e.Strategy = nil
	default:
		if e.Strategy != nil {
			general = *e.Strategy
		}
		own := b.Strategy.value.over(general)
		e.Strategy = &own
	}
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

// applySecret makes the body's secret the only one: the others end at once. A client
// that sends back the newest secret, or its mask, changes nothing.
func (b *endpointBody) applySecret(e *event.Endpoint) {
	if b.Secret == nil || *b.Secret == "" {
		return
	}
	if n := len(e.Secrets); n > 0 && (e.Secrets[n-1].Value == *b.Secret || maskSecret(e.Secrets[n-1].Value) == *b.Secret) {
		return
	}
	e.Secrets = []event.Secret{{Value: *b.Secret}}
}

func (b *endpointBody) applyAuthentication(e *event.Endpoint) error {
	if b.Authentication == nil {
		return nil
	}
	before := e.Authentication
	if e.Authentication = nil; b.Authentication.Type == "" {
		return nil
	}
	e.Authentication = cloneAuthentication(b.Authentication)
	onlyType(e.Authentication)
	return unmaskAuthentication("authentication.", e.Authentication, before)
}

func (b *endpointBody) applyClientCert(e *event.Endpoint) (err error) {
	if b.ClientCert == nil {
		return nil
	}
	before := ""
	if e.ClientCert != nil {
		before = e.ClientCert.Key
	}
	if e.ClientCert = nil; *b.ClientCert == (event.ClientCert{}) {
		return nil
	}
	e.ClientCert = clone(b.ClientCert)
	e.ClientCert.Key, err = unhide("mtls_client_cert.client_key", b.ClientCert.Key, before)
	return err
}

// set changes *field if the request named it.
func set[T any](field, sent *T) {
	if sent != nil {
		*field = *sent
	}
}

// setText is set for a field of which "" says nothing.
func setText(field, sent *string) {
	if sent != nil && *sent != "" {
		*field = *sent
	}
}
