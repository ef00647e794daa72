package client

import (
	"encoding/json"
	"time"
)

// The types hold what people are shown. Row.Raw has the rest.

// Project is a tenant: endpoints, subscriptions and events of its own.
type Project struct {
	ID        string        `json:"uid"`
	Name      string        `json:"name"`
	Type      string        `json:"type"` // outgoing or incoming
	Config    ProjectConfig `json:"config"`
	CreatedAt time.Time     `json:"created_at"`
	UpdatedAt time.Time     `json:"updated_at"`
}

// ProjectConfig is how a project delivers.
type ProjectConfig struct {
	Signature struct {
		Header   string             `json:"header"`
		Versions []SignatureVersion `json:"versions"`
	} `json:"signature"`
	Strategy        Strategy `json:"strategy"`
	RequestIDHeader string   `json:"request_id_header"`
}

// SignatureVersion is one way in which deliveries are signed.
type SignatureVersion struct {
	Hash     string `json:"hash"`
	Encoding string `json:"encoding"`
}

// Strategy says when a failed delivery is tried again. Duration is in seconds.
type Strategy struct {
	Type       string `json:"type"`
	Duration   int    `json:"duration"`
	RetryCount int    `json:"retry_count"`
}

// NewProject is the answer to a project's creation: the only one with its key's text.
type NewProject struct {
	APIKey  Key     `json:"api_key"`
	Project Project `json:"project"`
}

// Endpoint is where events are delivered to.
type Endpoint struct {
	ID            string    `json:"uid"`
	Name          string    `json:"name"`
	URL           string    `json:"url"`
	OwnerID       string    `json:"owner_id"`
	Status        string    `json:"status"`
	Description   string    `json:"description"`
	SignatureMode string    `json:"signature_mode"`
	RateLimit     int       `json:"rate_limit"`          // attempts
	RatePeriod    int       `json:"rate_limit_duration"` // in so many seconds
	HTTPTimeout   int       `json:"http_timeout"`        // seconds
	CBState       string    `json:"cb_state"`
	Secrets       []Secret  `json:"secrets"`
	CreatedAt     time.Time `json:"created_at"`
	UpdatedAt     time.Time `json:"updated_at"`
}

// Secret signs what goes to an endpoint.
type Secret struct {
	ID        string     `json:"uid"`
	Value     string     `json:"value"`
	PublicKey string     `json:"public_key"`
	ExpiresAt *time.Time `json:"expires_at"`
}

// Subscription says which events an endpoint gets.
type Subscription struct {
	ID       string    `json:"uid"`
	Name     string    `json:"name"`
	Function string    `json:"function"`
	Endpoint *Endpoint `json:"endpoint_metadata"` // nil if it is gone
	Source   *Source   `json:"source_metadata"`   // nil for most
	Filter   struct {
		EventTypes []string `json:"event_types"`
	} `json:"filter_config"`
	DeliveryMode string    `json:"delivery_mode"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

// Event is what was posted.
type Event struct {
	ID             string          `json:"uid"`
	EventType      string          `json:"event_type"`
	SourceID       string          `json:"source_id"`
	Endpoints      []string        `json:"endpoints"`
	IdempotencyKey string          `json:"idempotency_key"`
	IsDuplicate    bool            `json:"is_duplicate_event"`
	DuplicateOf    string          `json:"duplicate_of"`
	IsTest         bool            `json:"is_test"`
	ContentDeleted bool            `json:"content_deleted"`
	Status         string          `json:"status"`
	FailureReason  string          `json:"failure_reason"`
	Data           json.RawMessage `json:"data"`
	CreatedAt      time.Time       `json:"created_at"`
}

// Delivery is what an event owes to one endpoint.
type Delivery struct {
	ID             string    `json:"uid"`
	EventID        string    `json:"event_id"`
	EndpointID     string    `json:"endpoint_id"`
	SubscriptionID string    `json:"subscription_id"`
	EventType      string    `json:"event_type"`
	IdempotencyKey string    `json:"idempotency_key"`
	TargetURL      string    `json:"target_url"`
	Status         string    `json:"status"`
	Description    string    `json:"description"`
	DeliveryMode   string    `json:"delivery_mode"`
	LatencySeconds float64   `json:"latency_seconds"`
	Endpoint       *Endpoint `json:"endpoint_metadata"` // nil if it is gone
	Metadata       struct {
		Raw          string     `json:"raw"` // what is sent
		NumTrials    int        `json:"num_trials"`
		RetryLimit   int        `json:"retry_limit"`
		NextSendTime *time.Time `json:"next_send_time"`
		Strategy     string     `json:"strategy"`
	} `json:"metadata"`
	Event struct {
		IsTest bool `json:"is_test"` // it was sent to try out the endpoint
	} `json:"event_metadata"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Attempt is one request to an endpoint and its answer.
type Attempt struct {
	ID           string    `json:"uid"`
	Number       int       `json:"attempt_number"`
	Manual       bool      `json:"manual"`
	URL          string    `json:"url"`
	IPAddress    string    `json:"ip_address"`
	HTTPStatus   string    `json:"http_status"`
	ResponseData string    `json:"response_data"`
	Error        string    `json:"error"`
	ErrorClass   string    `json:"error_class"`
	Status       bool      `json:"status"`
	DurationMS   float64   `json:"duration_ms"`
	Timing       *Timing   `json:"timing"` // nil: not known
	RequestedAt  time.Time `json:"requested_at"`
}

// Timing is where the time of an attempt went, in milliseconds, in this order. Over a
// connection that was open before there is neither DNS nor Connect nor TLS.
type Timing struct {
	Token   float64 `json:"token_ms"`
	DNS     float64 `json:"dns_ms"`
	Connect float64 `json:"connect_ms"`
	TLS     float64 `json:"tls_ms"`
	Wait    float64 `json:"wait_ms"` // for the answer's first byte
	Read    float64 `json:"read_ms"` // the answer
}

// Key is an API key. Its text is there in the answer to its creation only.
type Key struct {
	ID         string     `json:"uid"`
	Name       string     `json:"name"`
	Key        string     `json:"key"`
	Prefix     string     `json:"prefix"` // what it begins with
	Role       KeyRole    `json:"role"`
	OwnerID    string     `json:"owner_id"`
	Scopes     []string   `json:"scopes"`
	AllowFrom  []string   `json:"allow_from"`
	LastUsedAt *time.Time `json:"last_used_at"`
	ExpiresAt  *time.Time `json:"expires_at"`
	CreatedAt  time.Time  `json:"created_at"`
}

// KeyRole is what a key is for.
type KeyRole struct {
	Type string `json:"type"`
}

// Source is where webhooks of others come in.
type Source struct {
	ID         string `json:"uid"`
	Name       string `json:"name"`
	Type       string `json:"type"`
	Provider   string `json:"provider"`
	MaskID     string `json:"mask_id"`
	URL        string `json:"url"`
	IsDisabled bool   `json:"is_disabled"`
	Verifier   *struct {
		Type string `json:"type"`
	} `json:"verifier"`
	CreatedAt time.Time `json:"created_at"`
}

// PortalLink lets one owner's people look after the owner's endpoints.
type PortalLink struct {
	ID                string     `json:"uid"`
	Name              string     `json:"name"`
	OwnerID           string     `json:"owner_id"`
	URL               string     `json:"url"`
	Token             string     `json:"token"`
	AuthType          string     `json:"auth_type"`
	CanManageEndpoint bool       `json:"can_manage_endpoint"`
	ExpiresAt         *time.Time `json:"expires_at"`
	CreatedAt         time.Time  `json:"created_at"`
}

// EventType is an entry of the catalogue of event types.
type EventType struct {
	ID           string     `json:"uid"`
	Name         string     `json:"name"`
	Category     string     `json:"category"`
	Description  string     `json:"description"`
	DeprecatedAt *time.Time `json:"deprecated_at"`
}

// Job is a batch retry or replay.
type Job struct {
	ID        string     `json:"uid"`
	Kind      string     `json:"kind"`
	State     string     `json:"state"`
	Rate      int        `json:"rate"`
	Total     *int       `json:"total"` // nil while it is not known
	Done      int        `json:"done"`
	Skipped   int        `json:"skipped"`
	Failed    int        `json:"failed"`
	Error     string     `json:"error"`
	CreatedAt time.Time  `json:"created_at"`
	EndedAt   *time.Time `json:"ended_at"`
}

// The kinds and states of jobs that the command line tells apart.
const (
	JobRetry   = "batch_retry"
	JobReplay  = "batch_replay"
	JobRunning = "running"
	JobDone    = "done"
)

// Audit is a record of the audit log: who did what to which object, or was refused it.
type Audit struct {
	ID         string        `json:"uid"`
	CreatedAt  time.Time     `json:"created_at"`
	ProjectID  string        `json:"project_id"` // "": the instance
	Project    string        `json:"project_name"`
	ActorKind  string        `json:"actor_kind"`
	ActorID    string        `json:"actor_id"`
	ActorName  string        `json:"actor_name"`
	Action     string        `json:"action"`
	ObjectKind string        `json:"object_kind"`
	ObjectID   string        `json:"object_id"`
	ObjectName string        `json:"object_name"`
	Count      int           `json:"count"`
	Outcome    string        `json:"outcome"`
	Reason     string        `json:"reason"`
	Address    string        `json:"address"`
	RequestID  string        `json:"request_id"`
	Changes    []AuditChange `json:"changes"`
}

// AuditChange is one field that was changed.
type AuditChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}
