package api

import (
	"encoding/json"
	"time"

	"posthaste/event"
)

// sourceView is a source as it is answered. Its secrets are masked.
type sourceView struct {
	ID                event.ID              `json:"uid"`
	ProjectID         event.ID              `json:"project_id"`
	MaskID            string                `json:"mask_id"`
	Name              string                `json:"name"`
	Type              string                `json:"type"`
	Provider          *string               `json:"provider"` // null: none
	IsDisabled        bool                  `json:"is_disabled"`
	URL               string                `json:"url"` // "" for one that takes no requests
	Verifier          verifierView          `json:"verifier"`
	ProviderConfig    *providerView         `json:"provider_config"` // null: none
	CustomResponse    *event.CustomResponse `json:"custom_response"` // null: the envelope
	ForwardHeaders    []string              `json:"forward_headers"`
	IdempotencyKeys   []string              `json:"idempotency_keys"`
	EventTypeLocation string                `json:"event_type_location"`
	BodyFunction      string                `json:"body_function"`
	HeaderFunction    string                `json:"header_function"`
	PubSub            json.RawMessage       `json:"pub_sub"` // null: none
	CreatedAt         time.Time             `json:"created_at"`
	UpdatedAt         time.Time             `json:"updated_at"`
	DeletedAt         *time.Time            `json:"deleted_at"`
}

type verifierView struct {
	Type      string              `json:"type"`
	HMac      *event.HMacVerifier `json:"hmac"`
	BasicAuth *event.BasicAuth    `json:"basic_auth"`
	APIKey    *event.APIKeyAuth   `json:"api_key"`
}

// providerView is what is known of how a source gets on with its provider.
type providerView struct {
	Twitter twitterView `json:"twitter"`
}

type twitterView struct {
	CRCVerifiedAt *time.Time `json:"crc_verified_at"` // null: it did not ask yet
}

// newSourceView is the view of a source whose URL starts with publicURL.
func newSourceView(s *event.Source, publicURL string) *sourceView {
	v := &sourceView{
		ID: s.ID, ProjectID: s.ProjectID, MaskID: s.MaskID, Name: s.Name, Type: s.Type,
		IsDisabled: s.IsDisabled || readsBroker(s), Verifier: newVerifierView(s.Verifier),
		CustomResponse: s.CustomResponse,
		ForwardHeaders: textsOrNone(s.ForwardHeaders), IdempotencyKeys: textsOrNone(s.IdempotencyKeys),
		EventTypeLocation: s.EventTypeLocation, BodyFunction: s.BodyFunction, HeaderFunction: s.HeaderFunction,
		PubSub: maskedBroker(s.PubSub), CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}
	if s.Provider != "" {
		v.Provider = &s.Provider
	}
	if s.Provider == event.ProviderTwitter {
		v.ProviderConfig = &providerView{twitterView{s.CRCVerifiedAt}}
	}
	if s.Type == event.SourceHTTP {
		v.URL = publicURL + "/ingest/" + s.MaskID
	}
	return v
}

// readsBroker reports whether a source would be read from a broker, which this server
// does not do.
func readsBroker(s *event.Source) bool {
	return s.Type == event.SourcePubSub || s.Type == event.SourceDBStream
}

func newVerifierView(v *event.Verifier) verifierView {
	if v == nil {
		return verifierView{Type: event.VerifyNothing}
	}
	shown := event.Verifier{Type: v.Type, HMac: clone(v.HMac), BasicAuth: clone(v.BasicAuth), APIKey: clone(v.APIKey)}
	for _, c := range verifierSecrets(&shown) {
		*c.text = hide(*c.text)
	}
	return verifierView(shown)
}

// textsOrNone makes no texts an empty array, not null.
func textsOrNone(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}
