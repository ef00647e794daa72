package event

import "time"

// EndpointStatus says whether an endpoint takes deliveries.
type EndpointStatus string

// The states of an endpoint.
const (
	EndpointActive   EndpointStatus = "active"
	EndpointInactive EndpointStatus = "inactive"
	EndpointPaused   EndpointStatus = "paused"
	EndpointPending  EndpointStatus = "pending"
)

// Endpoint is one URL that receives events. Field names are Convoy's.
type Endpoint struct {
	ID                 ID              `json:"uid"`
	ProjectID          ID              `json:"project_id"`
	OwnerID            string          `json:"owner_id"`
	URL                string          `json:"url"` // canonical, as it is called
	Name               string          `json:"name"`
	Description        string          `json:"description"`
	Secrets            []Secret        `json:"secrets"` // oldest first; every live one signs
	AdvancedSignatures bool            `json:"advanced_signatures"`
	Status             EndpointStatus  `json:"status"`
	HTTPTimeout        int             `json:"http_timeout"`        // seconds, for one attempt
	RateLimit          int             `json:"rate_limit"`          // attempts per RateLimitDuration; 0: none
	RateLimitDuration  int             `json:"rate_limit_duration"` // seconds
	ContentType        string          `json:"content_type"`
	Authentication     *Authentication `json:"authentication"`
	SupportEmail       string          `json:"support_email"`
	SlackWebhookURL    string          `json:"slack_webhook_url"`
	TeamsWebhookURL    string          `json:"teams_webhook_url"`
	CreatedAt          time.Time       `json:"created_at"`
	UpdatedAt          time.Time       `json:"updated_at"`
	DeletedAt          *time.Time      `json:"deleted_at"`
}

// Authentication is a header that an endpoint's owner asks for beside the
// signature. Only type "api_key" is known.
type Authentication struct {
	Type   string      `json:"type"`
	APIKey *APIKeyAuth `json:"api_key,omitempty"`
}

// APIKeyAuth is one header, sent as it is.
type APIKeyAuth struct {
	HeaderName  string `json:"header_name"`
	HeaderValue string `json:"header_value"`
}

// Secret is one signing secret of an endpoint.
type Secret struct {
	ID        ID         `json:"uid"`
	Value     string     `json:"value"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	DeletedAt *time.Time `json:"deleted_at"`
}

// Subscription says which events an endpoint is owed. Field names are Convoy's.
type Subscription struct {
	ID           ID           `json:"uid"`
	Name         string       `json:"name"`
	Type         string       `json:"type"` // always "api"
	ProjectID    ID           `json:"project_id"`
	EndpointID   ID           `json:"endpoint_id"`
	FilterConfig FilterConfig `json:"filter_config"`
	DeliveryMode string       `json:"delivery_mode"` // "at_least_once" or "at_most_once"
	CreatedAt    time.Time    `json:"created_at"`
	UpdatedAt    time.Time    `json:"updated_at"`
	DeletedAt    *time.Time   `json:"deleted_at"`
}

// FilterConfig selects events by type: the exact text, or "*" for all.
type FilterConfig struct {
	EventTypes []string `json:"event_types"`
}

// Matches reports whether the subscription wants events of this type.
func (s *Subscription) Matches(eventType string) bool {
	for _, t := range s.FilterConfig.EventTypes {
		if t == "*" || t == eventType {
			return true
		}
	}
	return false
}
