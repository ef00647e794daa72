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
	MaxPayloadReadSize      int  `json:"max_payload_read_size"` // bytes of one event's data
	ReplayAttacksPrevention bool `json:"replay_attacks_prevention_enabled"`
	AddEventIDTraceHeaders  bool `json:"add_event_id_trace_headers"`
	// VerifyDynamicEvents is shown and changes nothing: a dynamic event is always
	// answered after its endpoint and subscription are durable.
	VerifyDynamicEvents           bool            `json:"verify_dynamic_events"`
	AllowUnmatchedDynamicURLs     bool            `json:"allow_unmatched_dynamic_urls"` // shown and changes nothing: endpoints have no URL templates
	DisableEndpoint               bool            `json:"disable_endpoint"`
	MultipleEndpointSubscriptions bool            `json:"multiple_endpoint_subscriptions"`
	SearchPolicy                  string          `json:"search_policy"`
	SSL                           SSLConfig       `json:"ssl"`
	RateLimit                     RateLimitConfig `json:"ratelimit"`
	Strategy                      Strategy        `json:"strategy"`
	Signature                     SignatureConfig `json:"signature"`
	RequestIDHeader               string          `json:"request_id_header"`

	DeadEndpoint      DeadEndpointConfig   `json:"dead_endpoint"`
	CircuitBreaker    CircuitBreakerConfig `json:"circuit_breaker"`
	MetaEvent         MetaEventConfig      `json:"meta_event"`
	Retention         RetentionConfig      `json:"retention"`
	IdempotencyWindow int                  `json:"idempotency_window"` // seconds; 0: DefaultIdempotencyWindow
}

// SSLConfig says whether endpoints must be https.
type SSLConfig struct {
	EnforceSecureEndpoints bool `json:"enforce_secure_endpoints"`
}

// RateLimitConfig is a count per duration; Duration is in seconds.
type RateLimitConfig struct {
	Count    int `json:"count"`
	Duration int `json:"duration"`
	// Enabled puts a project's rate limit, of events that are taken in, into force.
	// Convoy shows one and follows none, so it is off until it is asked for.
	Enabled bool `json:"enabled,omitempty"`
}

// Strategy is a retry strategy: when the next attempt is made after one that
// failed, and how many there are. Field names are Convoy's where Convoy has them.
type Strategy struct {
	// Type is StrategyLinear, StrategyExponential or StrategySchedule.
	Type string `json:"type"`
	// Duration is the wait in seconds: each one (linear), the first one
	// (exponential). A schedule has none.
	Duration int `json:"duration"`
	// RetryCount is the number of attempts, the first included. 0 with a schedule:
	// one more than the schedule has waits.
	RetryCount int `json:"retry_count"`
	// MaxDuration caps an exponential wait, in seconds; 0: DefaultMaxBackoff.
	MaxDuration int `json:"max_duration,omitempty"`
	// Schedule lists the waits of a schedule, in seconds. Attempts beyond its end
	// wait as long as the last entry says.
	Schedule []int `json:"schedule,omitempty"`
	// ScheduleName is ScheduleConvoy or ScheduleStandard, and fills Schedule; "" for a
	// list of one's own.
	ScheduleName string `json:"schedule_name,omitempty"`
	// Jitter, in percent of the wait, spreads retries that would come at once; nil:
	// the default of the type, see package retry. 0: none.
	Jitter *int `json:"jitter,omitempty"`
	// NoRetryStatuses are HTTP statuses after which a delivery fails at once.
	NoRetryStatuses []int `json:"no_retry_statuses,omitempty"`
	// MaxAge, in seconds: an attempt that fails so long after the event was
	// accepted is the last, however many are left. 0: MaxRetrySeconds.
	MaxAge int `json:"max_age,omitempty"`
}

// The retry strategies.
const (
	StrategyLinear      = "linear"
	StrategyExponential = "exponential"
	StrategySchedule    = "schedule"
)

// The schedules that have a name.
const (
	ScheduleConvoy   = "convoy"            // 10 s, 30 s, 1 m, 3 m, 5 m, 10 m, 15 m
	ScheduleStandard = "standard-webhooks" // 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h
)

// DeadEndpointConfig says when an endpoint counts as dead. It is then made
// inactive if ProjectConfig.DisableEndpoint is set. A success resets every count.
type DeadEndpointConfig struct {
	// Strategy is one of the Dead constants; "" is DeadExhausted.
	Strategy string `json:"strategy"`
	// Count is how many attempts in a row must fail: DeadConsecutive, and, beside
	// Window, DeadWindow. 0: DefaultDeadCount.
	Count int `json:"count"`
	// Window, in seconds, is how long nothing but failures must come: DeadWindow.
	// 0: DefaultDeadWindow.
	Window int `json:"window"`
}

// The strategies for dead endpoints.
const (
	DeadExhausted   = "exhausted"   // one delivery spent all its attempts (Convoy's)
	DeadConsecutive = "consecutive" // Count attempts in a row failed
	DeadWindow      = "window"      // nothing but failures for Window, and at least Count of them
)

// CircuitBreakerConfig is Convoy's, but for Enabled.
type CircuitBreakerConfig struct {
	Enabled                     bool `json:"enabled"`
	SampleRate                  int  `json:"sample_rate"`                   // seconds between evaluations
	ErrorTimeout                int  `json:"error_timeout"`                 // seconds open before a probe
	FailureThreshold            int  `json:"failure_threshold"`             // percent of failures that opens it
	SuccessThreshold            int  `json:"success_threshold"`             // percent of successful probes that closes it
	MinimumRequestCount         int  `json:"minimum_request_count"`         // attempts in the window before it may open
	ObservabilityWindow         int  `json:"observability_window"`          // minutes that are looked at
	ConsecutiveFailureThreshold int  `json:"consecutive_failure_threshold"` // openings in a row that disable the endpoint
}

// MetaEventConfig says where a project hears of what happens to it. Field names
// are Convoy's.
type MetaEventConfig struct {
	IsEnabled  bool     `json:"is_enabled"`
	Type       string   `json:"type"`       // "http"
	EventTypes []string `json:"event_type"` // of MetaEventTypes; empty: all
	URL        string   `json:"url"`
	Secret     string   `json:"secret"`
}

// RetentionConfig says how long a project's data is kept. 0 is the server's
// default, which may be for ever.
type RetentionConfig struct {
	Payload  int   `json:"payload"`   // seconds that events and their data are kept
	History  int   `json:"history"`   // seconds that deliveries and attempts are kept; at least Payload
	MaxBytes int64 `json:"max_bytes"` // of events and their data; the oldest go first
}

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
		RequestIDHeader:   "X-Convoy-Idempotency-Key",
		DeadEndpoint:      DeadEndpointConfig{Strategy: DeadExhausted, Count: DefaultDeadCount, Window: DefaultDeadWindow},
		CircuitBreaker:    DefaultCircuitBreaker(),
		MetaEvent:         MetaEventConfig{Type: "http"},
		IdempotencyWindow: DefaultIdempotencyWindow,
	}
}

// DefaultCircuitBreaker is Convoy's configuration; it is off.
func DefaultCircuitBreaker() CircuitBreakerConfig {
	return CircuitBreakerConfig{
		SampleRate: 30, ErrorTimeout: 30, FailureThreshold: 70, SuccessThreshold: 5,
		MinimumRequestCount: 10, ObservabilityWindow: 5, ConsecutiveFailureThreshold: 10,
	}
}
