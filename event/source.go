package event

import (
	"encoding/json"
	"time"
)

// Source is where webhooks of others come in: a URL, /ingest/{mask_id}, how a request
// is verified, and what becomes of it. Field names are Convoy's.
type Source struct {
	ID         ID        `json:"uid"`
	ProjectID  ID        `json:"project_id"`
	MaskID     string    `json:"mask_id"` // letters and digits; made by the catalog, never changed
	Name       string    `json:"name"`
	Type       string    `json:"type"`     // one of the Source constants
	Provider   string    `json:"provider"` // one of the Provider constants; "" for none
	IsDisabled bool      `json:"is_disabled"`
	Verifier   *Verifier `json:"verifier"` // nil is VerifyNothing

	CustomResponse    *CustomResponse `json:"custom_response"`     // nil: the API's envelope
	ForwardHeaders    []string        `json:"forward_headers"`     // names of a request's headers that go on to receivers
	IdempotencyKeys   []string        `json:"idempotency_keys"`    // selectors whose values together are the key; empty: no key
	EventTypeLocation string          `json:"event_type_location"` // selector of the event's type; "": the type is MaskID
	BodyFunction      string          `json:"body_function"`       // kept for broker sources
	HeaderFunction    string          `json:"header_function"`     // kept for broker sources
	PubSub            json.RawMessage `json:"pub_sub"`             // of a broker source, as it was sent; holds secrets; nil for none

	CRCVerifiedAt *time.Time `json:"crc_verified_at"` // when Twitter last asked for a challenge
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
}

// The types of source. Only SourceHTTP takes requests; the others are kept for
// Convoy's clients.
const (
	SourceHTTP     = "http"
	SourceREST     = "rest_api"
	SourcePubSub   = "pub_sub"
	SourceDBStream = "db_change_stream"
)

// The providers whose way of signing is known.
const (
	ProviderGitHub  = "github"
	ProviderShopify = "shopify"
	ProviderTwitter = "twitter"
)

// Verifier says how a request shows that it comes from whom it should. Type says
// which of the fields counts. Field names are Convoy's.
type Verifier struct {
	Type      string        `json:"type"` // one of the Verify constants
	HMac      *HMacVerifier `json:"hmac,omitempty"`
	BasicAuth *BasicAuth    `json:"basic_auth,omitempty"`
	APIKey    *APIKeyAuth   `json:"api_key,omitempty"`
}

// The types of Verifier.
const (
	VerifyNothing = "noop"
	VerifyHMac    = "hmac"
	VerifyBasic   = "basic_auth"
	VerifyAPIKey  = "api_key"
)

// HMacVerifier is a signature over the body in a header.
type HMacVerifier struct {
	Header   string `json:"header"`
	Hash     string `json:"hash"` // a name of package sig: SHA256, SHA512, ...
	Secret   string `json:"secret"`
	Encoding string `json:"encoding"` // hex or base64
}

// CustomResponse is what a source answers in the place of the envelope.
type CustomResponse struct {
	Body        string `json:"body"`
	ContentType string `json:"content_type"`
}
