package api

import (
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// endpointView is an endpoint as it is answered. Of url and target_url, and of
// name and title, it has the one that the request's version knows.
type endpointView struct {
	ID                 event.ID              `json:"uid"`
	ProjectID          event.ID              `json:"project_id"`
	OwnerID            string                `json:"owner_id"`
	AppID              *event.ID             `json:"app_id,omitempty"` // the application that it belongs to
	URL                *string               `json:"url,omitempty"`
	TargetURL          *string               `json:"target_url,omitempty"`
	Name               *string               `json:"name,omitempty"`
	Title              *string               `json:"title,omitempty"`
	AdvancedSignatures bool                  `json:"advanced_signatures"`
	SignatureMode      string                `json:"signature_mode"`
	Description        string                `json:"description"`
	SlackWebhookURL    string                `json:"slack_webhook_url"`
	TeamsWebhookURL    string                `json:"teams_webhook_url"`
	SupportEmail       string                `json:"support_email"`
	Status             event.EndpointStatus  `json:"status"`
	HTTPTimeout        wireSeconds           `json:"http_timeout"`
	RateLimit          int                   `json:"rate_limit"`
	RateLimitDuration  wireSeconds           `json:"rate_limit_duration"`
	MaxConcurrency     int                   `json:"max_concurrency"`
	ContentType        string                `json:"content_type"`
	Secrets            []secretView          `json:"secrets"`
	Authentication     *event.Authentication `json:"authentication"`   // masked
	MTLSClientCert     *event.ClientCert     `json:"mtls_client_cert"` // its key is masked
	*endpointDetails
	endpointCounts
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	DeletedAt *time.Time `json:"deleted_at"`
}

// endpointDetails are what Convoy has not, for those who ask for the endpoint itself.
// nil, and not in the answer, inside of another object.
type endpointDetails struct {
	CustomHeaders       map[string]string    `json:"custom_headers"` // masked where the name says so
	Strategy            *event.Strategy      `json:"strategy"`       // null: the project's
	CACert              string               `json:"ca_cert"`
	ClientCertExpiresAt *time.Time           `json:"client_cert_expires_at"`
	StatusHistory       []event.StatusChange `json:"status_history"`
	ConsecutiveFailures int                  `json:"consecutive_failures"`
	Warnings            []string             `json:"warnings"`
}

// endpointCounts are fields of Convoy's. Nothing counts here, so all but the state of
// the circuit breaker are zero.
type endpointCounts struct {
	CBState           string  `json:"cb_state"`
	Events            int     `json:"events"`
	FailureRate       float64 `json:"failure_rate"`
	PeriodFailureRate float64 `json:"period_failure_rate"`
	SuccessCount      int     `json:"success_count"`
	FailureCount      int     `json:"failure_count"`
	RetryCount        int     `json:"retry_count"`
}

// newEndpointView is an endpoint without what only those should see who ask for the
// endpoint itself.
func newEndpointView(e *event.Endpoint, v version) *endpointView {
	contacts := e.Reached()
	view := &endpointView{
		ID: e.ID, ProjectID: e.ProjectID, OwnerID: e.OwnerID, AppID: e.AppID, URL: &e.URL, Name: &e.Name,
		AdvancedSignatures: e.AdvancedSignatures, SignatureMode: e.SignatureMode,
		Description:     e.Description,
		SlackWebhookURL: contacts.SlackWebhookURL, TeamsWebhookURL: contacts.TeamsWebhookURL, SupportEmail: contacts.SupportEmail,
		Status:      e.Status,
		HTTPTimeout: wireSeconds{e.HTTPTimeout, v.durationsAsText()},
		RateLimit:   e.RateLimit, RateLimitDuration: wireSeconds{e.RateLimitDuration, v.durationsAsText()},
		MaxConcurrency: e.MaxConcurrency, ContentType: e.ContentType,
		Secrets:   []secretView{},
		CreatedAt: e.CreatedAt.Time(), UpdatedAt: e.UpdatedAt.Time(),
	}
	if v.targetURLs() {
		view.URL, view.TargetURL = nil, view.URL
		view.Name, view.Title = nil, view.Name
	}
	return view
}

// endpointMetadata is an endpoint inside of another object. nil if it is gone.
func endpointMetadata(snap *catalog.Snapshot, id event.ID) *endpointView {
	e := snap.Endpoint(id)
	if e == nil {
		return nil
	}
	return newEndpointView(&e.Endpoint, CurrentVersion)
}

// fullEndpointView is an endpoint for those who ask for it, with its secrets in clear
// or masked.
func (a *API) fullEndpointView(e *event.Endpoint, v version, clear bool) *endpointView {
	view := newEndpointView(e, v)
	view.Secrets = secretViews(e.Secrets, clear)
	view.Authentication = maskedAuthentication(e.Authentication)
	view.endpointDetails = &endpointDetails{
		CustomHeaders: headersView(e.CustomHeaders), Strategy: e.Strategy, CACert: e.CACert,
		StatusHistory: e.StatusHistory, Warnings: []string{},
	}
	if e.StatusHistory == nil {
		view.StatusHistory = []event.StatusChange{}
	}
	if e.ClientCert != nil {
		view.MTLSClientCert = &event.ClientCert{Cert: e.ClientCert.Cert, Key: hide(e.ClientCert.Key)}
		view.ClientCertExpiresAt = certificateEnd(e.ClientCert.Cert)
		view.Warnings = append(view.Warnings, certificateWarnings(view.ClientCertExpiresAt, a.o.Now())...)
	}
	view.CBState, view.ConsecutiveFailures = a.o.Health(e.ID)
	return view
}
