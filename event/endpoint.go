package event

import (
	"encoding/json"
	"time"
)

// EndpointStatus says whether an endpoint takes deliveries.
type EndpointStatus string

// The states of an endpoint.
const (
	EndpointActive   EndpointStatus = "active"
	EndpointInactive EndpointStatus = "inactive"
	EndpointPaused   EndpointStatus = "paused"
	EndpointPending  EndpointStatus = "pending"
)

// EndpointStatuses are all of them.
var EndpointStatuses = []EndpointStatus{EndpointActive, EndpointInactive, EndpointPaused, EndpointPending}

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
	Dynamic            bool            `json:"dynamic"` // found by its URL by events that bring one, see Dynamic
	Status             EndpointStatus  `json:"status"`
	HTTPTimeout        int             `json:"http_timeout"`        // seconds, for one attempt
	RateLimit          int             `json:"rate_limit"`          // attempts per RateLimitDuration; 0: none
	RateLimitDuration  int             `json:"rate_limit_duration"` // seconds
	ContentType        string          `json:"content_type"`
	Authentication     *Authentication `json:"authentication"`
	SignatureMode      string          `json:"signature_mode"`   // SignConvoy or SignStandard
	CustomHeaders      []Header        `json:"custom_headers"`   // sent with every request, names as given
	Strategy           *Strategy       `json:"strategy"`         // nil: the project's
	MaxConcurrency     int             `json:"max_concurrency"`  // attempts at once; 0: the server's default
	ClientCert         *ClientCert     `json:"mtls_client_cert"` // nil: none
	CACert             string          `json:"ca_cert"`          // PEM; trusted beside the server's roots
	StatusHistory      []StatusChange  `json:"status_history"`   // oldest first, at most MaxStatusHistory
	Contacts           *Contacts       `json:"contacts"`         // nil: none
	// AppID is the application that the endpoint belongs to; nil: none.
	AppID     *ID   `json:"app_id"`
	CreatedAt Stamp `json:"created_at"`
	UpdatedAt Stamp `json:"updated_at"`
}

// Contacts are where the owner of an endpoint can be reached. Few endpoints have any.
type Contacts struct {
	SupportEmail    string `json:"support_email"`
	SlackWebhookURL string `json:"slack_webhook_url"`
	TeamsWebhookURL string `json:"teams_webhook_url"`
}

// Reached are the endpoint's contacts, empty if it has none.
func (e *Endpoint) Reached() Contacts {
	if e.Contacts == nil {
		return Contacts{}
	}
	return *e.Contacts
}

// Reach sets the endpoint's contacts. It is called before others can see the endpoint.
func (e *Endpoint) Reach(c Contacts) {
	e.Contacts = nil
	if c != (Contacts{}) {
		e.Contacts = &c
	}
}

// Authentication is how posthaste shows an endpoint who it is, beside the
// signature. Type says which of the fields counts. Field names are Convoy's.
type Authentication struct {
	Type      string      `json:"type"` // one of the Auth constants
	APIKey    *APIKeyAuth `json:"api_key,omitempty"`
	BasicAuth *BasicAuth  `json:"basic_auth,omitempty"`
	Bearer    *BearerAuth `json:"bearer,omitempty"`
	OAuth2    *OAuth2Auth `json:"oauth2,omitempty"`
}

// The types of Authentication.
const (
	AuthAPIKey = "api_key"
	AuthBasic  = "basic_auth"
	AuthBearer = "bearer"
	AuthOAuth2 = "oauth2"
)

// APIKeyAuth is one header, sent as it is.
type APIKeyAuth struct {
	HeaderName  string `json:"header_name"`
	HeaderValue string `json:"header_value"`
}

// BasicAuth is RFC 7617's scheme.
type BasicAuth struct {
	UserName string `json:"username"`
	Password string `json:"password"`
}

// BearerAuth is a token that does not change.
type BearerAuth struct {
	Token string `json:"token"`
}

// OAuth2Auth gets a token by client credentials (RFC 6749 section 4.4), with a
// shared secret or an assertion that it signs (RFC 7523 section 2.2).
type OAuth2Auth struct {
	URL                string        `json:"url"` // of the token endpoint
	ClientID           string        `json:"client_id"`
	GrantType          string        `json:"grant_type"` // "client_credentials"
	Scope              string        `json:"scope"`
	Audience           string        `json:"audience"`
	AuthenticationType string        `json:"authentication_type"` // "shared_secret" or "client_assertion"
	ClientSecret       string        `json:"client_secret,omitempty"`
	SigningKey         *JWK          `json:"signing_key,omitempty"`
	SigningAlgorithm   string        `json:"signing_algorithm,omitempty"` // RS256, PS256, ES256, ... as RFC 7518 names them
	Issuer             string        `json:"issuer,omitempty"`            // "": ClientID
	Subject            string        `json:"subject,omitempty"`           // "": ClientID
	FieldMapping       *OAuth2Fields `json:"field_mapping,omitempty"`
	ExpiryTimeUnit     string        `json:"expiry_time_unit,omitempty"` // of expires_in: seconds (default), milliseconds, minutes, hours
}

// OAuth2Fields names the answer's members where they are not RFC 6749's.
type OAuth2Fields struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   string `json:"expires_in"`
}

// JWK is a private key (RFC 7517, RFC 7518 section 6).
type JWK struct {
	Kty string `json:"kty"`
	Kid string `json:"kid,omitempty"`
	Crv string `json:"crv,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
	D   string `json:"d,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	P   string `json:"p,omitempty"`
	Q   string `json:"q,omitempty"`
	DP  string `json:"dp,omitempty"`
	DQ  string `json:"dq,omitempty"`
	QI  string `json:"qi,omitempty"`
}

// ClientCert is what posthaste shows in the TLS handshake: PEM texts.
type ClientCert struct {
	Cert string `json:"client_cert"`
	Key  string `json:"client_key"`
}

// StatusChange is one change of an endpoint's state.
type StatusChange struct {
	From   EndpointStatus `json:"from"`
	To     EndpointStatus `json:"to"`
	Reason string         `json:"reason"`
	At     time.Time      `json:"at"`
}

// How an endpoint's requests are signed.
const (
	SignConvoy   = "convoy"            // the project's header and versions
	SignStandard = "standard-webhooks" // webhook-id, webhook-timestamp, webhook-signature
)

// Secret is one signing secret of an endpoint.
type Secret struct {
	ID        ID         `json:"uid"`
	Value     string     `json:"value"`
	CreatedAt Stamp      `json:"created_at"`
	UpdatedAt Stamp      `json:"updated_at"`
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
	// Function is the source of a transformation, "" for none: JavaScript with a
	// function transform(payload) that returns what is sent.
	Function     string `json:"function"`
	DeliveryMode string `json:"delivery_mode"` // AtLeastOnce or AtMostOnce
	// Extra is what few subscriptions have; nil: none of it.
	Extra     *SubscriptionExtra `json:"extra,omitempty"`
	CreatedAt Stamp              `json:"created_at"`
	UpdatedAt Stamp              `json:"updated_at"`
}

// SubscriptionExtra is what few subscriptions have.
type SubscriptionExtra struct {
	// SourceID is the source whose requests the subscription takes; zero: it takes
	// events that were posted to the API.
	SourceID ID `json:"source_id,omitzero"`
	// Filters are further filters by event type, at most one for each, in the order
	// in which they were made. See TypeFilter for which one counts.
	Filters []TypeFilter `json:"filters,omitempty"`

	// AlertConfig, RateLimitConfig and RetryConfig are kept and shown for Convoy's
	// clients; as with Convoy, nothing follows them.
	AlertConfig     *AlertConfig     `json:"alert_config,omitempty"`
	RateLimitConfig *RateLimitConfig `json:"rate_limit_config,omitempty"`
	RetryConfig     *RetryConfig     `json:"retry_config,omitempty"`
}

// TypeFilter is what an event of one type has to look like. An event passes a
// subscription if its type is one of FilterConfig's, if it passes FilterConfig's own
// filter, and if it passes the enabled TypeFilter of its type, or, where there is
// none, the enabled one for "*".
type TypeFilter struct {
	ID        ID         `json:"uid"`
	EventType string     `json:"event_type"` // an exact type, or "*"
	EnabledAt *time.Time `json:"enabled_at"` // nil: disabled, as if it were not there
	Filter    Filter     `json:"filter"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
}

// AlertConfig is Convoy's: a number of failures within a time such as "1h".
type AlertConfig struct {
	Count     int    `json:"count"`
	Threshold string `json:"threshold"`
}

// RetryConfig is Convoy's retry strategy of a subscription. Duration is in seconds.
type RetryConfig struct {
	Type            string `json:"type"`
	Duration        int    `json:"duration"`
	IntervalSeconds int    `json:"interval_seconds,omitempty"`
	RetryCount      int    `json:"retry_count"`
}

// The delivery modes.
const (
	AtLeastOnce = "at_least_once"
	// AtMostOnce: no attempt follows one that was answered, or whose outcome a
	// crash swallowed.
	AtMostOnce = "at_most_once"
)

// FilterConfig selects events: those of a type that EventTypes names and that
// pass the filter. A type is an exact text, "*" for all, a glob if it has one of
// "*?[", or a regular expression behind "regex:".
type FilterConfig struct {
	EventTypes []string `json:"event_types"`
	Filter     *Filter  `json:"filter,omitempty"` // nil: all pass
}

// Filter is what an event has to look like. Each part is a JSON object of
// conditions in Convoy's language, see package match, or nil for none.
type Filter struct {
	Headers json.RawMessage `json:"headers,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	Query   json.RawMessage `json:"query,omitempty"`
	Path    json.RawMessage `json:"path,omitempty"`
}

// EventType is one entry of a project's catalogue of event types. It describes;
// an event of a type that is not in it is taken all the same.
type EventType struct {
	ID           ID              `json:"uid"`
	ProjectID    ID              `json:"project_id"`
	Name         string          `json:"name"`
	Category     string          `json:"category"`
	Description  string          `json:"description"`
	JSONSchema   json.RawMessage `json:"json_schema"`
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
	DeprecatedAt *time.Time      `json:"deprecated_at"`
}
