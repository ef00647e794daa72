package event

import "time"

// Project is the outermost container: its keys, endpoints, subscriptions and
// events are seen by no other project. Field names are Convoy's.
type Project struct {
	ID        ID            `json:"uid"`
	Name      string        `json:"name"`
	LogoURL   string        `json:"logo_url"`
	Type      string        `json:"type"` // "outgoing" or "incoming"
	Config    ProjectConfig `json:"config"`
	CreatedAt time.Time     `json:"created_at"`
	UpdatedAt time.Time     `json:"updated_at"`
	DeletedAt *time.Time    `json:"deleted_at"`
}

// ProjectConfig is what a project decides for its endpoints.
type ProjectConfig struct {
	MaxPayloadReadSize            int             `json:"max_payload_read_size"` // bytes of one event's data
	ReplayAttacksPrevention       bool            `json:"replay_attacks_prevention_enabled"`
	AddEventIDTraceHeaders        bool            `json:"add_event_id_trace_headers"`
	DisableEndpoint               bool            `json:"disable_endpoint"`
	MultipleEndpointSubscriptions bool            `json:"multiple_endpoint_subscriptions"`
	SearchPolicy                  string          `json:"search_policy"`
	SSL                           SSLConfig       `json:"ssl"`
	RateLimit                     RateLimitConfig `json:"ratelimit"`
	Strategy                      Strategy        `json:"strategy"`
	Signature                     SignatureConfig `json:"signature"`
	RequestIDHeader               string          `json:"request_id_header"`
}

// SSLConfig says whether endpoints must be https.
type SSLConfig struct {
	EnforceSecureEndpoints bool `json:"enforce_secure_endpoints"`
}

// RateLimitConfig is a count per duration; Duration is in seconds.
type RateLimitConfig struct {
	Count    int `json:"count"`
	Duration int `json:"duration"`
}

// Strategy is a retry strategy. Type is "linear" or "exponential" ("default" is
// read as linear, "exponential-backoff" as exponential); Duration is the first
// wait in seconds; RetryCount is the number of attempts, the first included.
type Strategy struct {
	Type       string `json:"type"`
	Duration   int    `json:"duration"`
	RetryCount int    `json:"retry_count"`
}

// The retry strategies.
const (
	StrategyLinear      = "linear"
	StrategyExponential = "exponential"
)

// SignatureConfig names the signature header and the versions that are signed
// side by side in it.
type SignatureConfig struct {
	Header   string             `json:"header"`
	Versions []SignatureVersion `json:"versions"`
}

// SignatureVersion is one hash function and encoding: v1 is the first.
type SignatureVersion struct {
	ID        ID        `json:"uid"`
	Hash      string    `json:"hash"`
	Encoding  string    `json:"encoding"`
	CreatedAt time.Time `json:"created_at"`
}

// DefaultProjectConfig is what a project gets where its creator is silent.
// The values are Convoy's, except that data may be as large as the server takes.
func DefaultProjectConfig() ProjectConfig {
	return ProjectConfig{
		MaxPayloadReadSize: DefaultMaxPayloadBytes,
		RateLimit:          RateLimitConfig{Count: 1000, Duration: 60},
		Strategy:           Strategy{Type: StrategyLinear, Duration: 100, RetryCount: 10},
		Signature: SignatureConfig{
			Header:   "X-Convoy-Signature",
			Versions: []SignatureVersion{{ID: NewID(), Hash: "SHA256", Encoding: "hex", CreatedAt: time.Now().UTC()}},
		},
		RequestIDHeader: "X-Convoy-Idempotency-Key",
	}
}

// APIKey lets its bearer act on a project, or, with a zero project, on the
// whole instance. Only a digest of it is kept.
type APIKey struct {
	ID        ID         `json:"uid"`
	Name      string     `json:"name"`
	ProjectID ID         `json:"project_id"`
	MaskID    string     `json:"mask_id"` // the part of the key that is not secret
	Digest    []byte     `json:"digest"`  // HMAC-SHA256 of the key under the instance's pepper
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
}
