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
	URL                *string               `json:"url,omitempty"`
	TargetURL          *string               `json:"target_url,omitempty"`
	Name               *string               `json:"name,omitempty"`
	Title              *string               `json:"title,omitempty"`
	Secrets            []event.Secret        `json:"secrets"`
	AdvancedSignatures bool                  `json:"advanced_signatures"`
	Description        string                `json:"description"`
	SlackWebhookURL    string                `json:"slack_webhook_url"`
	TeamsWebhookURL    string                `json:"teams_webhook_url"`
	SupportEmail       string                `json:"support_email"`
	Status             event.EndpointStatus  `json:"status"`
	HTTPTimeout        wireSeconds           `json:"http_timeout"`
	Authentication     *event.Authentication `json:"authentication"`
	RateLimit          int                   `json:"rate_limit"`
	RateLimitDuration  wireSeconds           `json:"rate_limit_duration"`
	ContentType        string                `json:"content_type"`
	endpointCounts
	MTLSClientCert *struct{}  `json:"mtls_client_cert"`
	CreatedAt      time.Time  `json:"created_at"`
	UpdatedAt      time.Time  `json:"updated_at"`
	DeletedAt      *time.Time `json:"deleted_at"`
}

// endpointCounts are fields of Convoy's that nothing counts here: always zero.
type endpointCounts struct {
	Events            int     `json:"events"`
	FailureRate       float64 `json:"failure_rate"`
	CBState           string  `json:"cb_state"`
	PeriodFailureRate float64 `json:"period_failure_rate"`
	SuccessCount      int     `json:"success_count"`
	FailureCount      int     `json:"failure_count"`
	RetryCount        int     `json:"retry_count"`
}

func newEndpointView(e *event.Endpoint, v version) *endpointView {
	view := &endpointView{
		ID: e.ID, ProjectID: e.ProjectID, OwnerID: e.OwnerID, URL: &e.URL, Name: &e.Name,
		Secrets:            liveSecrets(e.Secrets),
		AdvancedSignatures: e.AdvancedSignatures,
		Description:        e.Description,
		SlackWebhookURL:    e.SlackWebhookURL, TeamsWebhookURL: e.TeamsWebhookURL, SupportEmail: e.SupportEmail,
		Status:         e.Status,
		HTTPTimeout:    wireSeconds{e.HTTPTimeout, v.durationsAsText()},
		Authentication: e.Authentication,
		RateLimit:      e.RateLimit, RateLimitDuration: wireSeconds{e.RateLimitDuration, v.durationsAsText()},
		ContentType: e.ContentType,
		CreatedAt:   e.CreatedAt, UpdatedAt: e.UpdatedAt, DeletedAt: e.DeletedAt,
	}
	if v.targetURLs() {
		view.URL, view.TargetURL = nil, view.URL
		view.Name, view.Title = nil, view.Name
	}
	return view
}

// endpointMetadata is an endpoint inside of another object: without what only
// those should see who ask for the endpoint itself. nil if it is gone.
func endpointMetadata(snap *catalog.Snapshot, id event.ID) *endpointView {
	e := snap.Endpoint(id)
	if e == nil {
		return nil
	}
	view := newEndpointView(&e.Endpoint, CurrentVersion)
	view.Secrets, view.Authentication = []event.Secret{}, nil
	return view
}

// liveSecrets are the secrets that were not deleted.
func liveSecrets(all []event.Secret) []event.Secret {
	live := make([]event.Secret, 0, len(all))
	for _, s := range all {
		if s.DeletedAt == nil {
			live = append(live, s)
		}
	}
	return live
}
