package api

import (
	"encoding/json"

	"posthaste/event"
)

// sourceBody is a source in a request. nil is a field that was not sent, or was null:
// it stays as it is.
type sourceBody struct {
	Name              *string               `json:"name"`
	Type              *string               `json:"type"`     // "": as before, or http at creation
	Provider          *string               `json:"provider"` // "": none
	IsDisabled        *bool                 `json:"is_disabled"`
	Verifier          *verifierBody         `json:"verifier"`
	CustomResponse    *event.CustomResponse `json:"custom_response"`  // two empty texts take it away
	ForwardHeaders    []string              `json:"forward_headers"`  // all of them
	IdempotencyKeys   []string              `json:"idempotency_keys"` // all of them
	EventTypeLocation *string               `json:"event_type_location"`
	BodyFunction      *string               `json:"body_function"`
	HeaderFunction    *string               `json:"header_function"`
	PubSub            json.RawMessage       `json:"pub_sub"` // {}: none
}

// verifierBody is a verifier in a request. Without a type it is of the type of the part
// that it has; without any part it says nothing.
type verifierBody struct {
	Type      string              `json:"type"`
	HMac      *event.HMacVerifier `json:"hmac"`
	BasicAuth *event.BasicAuth    `json:"basic_auth"`
	APIKey    *event.APIKeyAuth   `json:"api_key"`
}

// apply changes s as the body says. The catalog validates the outcome.
func (b *sourceBody) apply(s *event.Source) error {
	if b.Type != nil && *b.Type != "" && *b.Type != s.Type {
		return event.Invalid("type", "a source's type does not change; it is %s", s.Type)
	}
	set(&s.Name, b.Name)
	set(&s.Provider, b.Provider)
	set(&s.IsDisabled, b.IsDisabled)
	set(&s.EventTypeLocation, b.EventTypeLocation)
	set(&s.BodyFunction, b.BodyFunction)
	set(&s.HeaderFunction, b.HeaderFunction)
	if b.ForwardHeaders != nil {
		s.ForwardHeaders = b.ForwardHeaders
	}
	if b.IdempotencyKeys != nil {
		s.IdempotencyKeys = b.IdempotencyKeys
	}
	if b.CustomResponse != nil {
		if s.CustomResponse = clone(b.CustomResponse); *b.CustomResponse == (event.CustomResponse{}) {
			s.CustomResponse = nil
		}
	}
	if err := b.Verifier.apply(s); err != nil {
		return err
	}
	return applyPubSub(s, b.PubSub)
}

// kind is the type that a verifier is meant to have; "" if it says nothing.
func (b *verifierBody) kind() string {
	switch {
	case b == nil:
		return ""
	case b.Type != "":
		return b.Type
	case b.HMac != nil:
		return event.VerifyHMac
	case b.BasicAuth != nil:
		return event.VerifyBasic
	case b.APIKey != nil:
		return event.VerifyAPIKey
	}
	return ""
}

// apply keeps the part that the type uses, with what there was before in the place of
// masks.
func (b *verifierBody) apply(s *event.Source) error {
	kind := b.kind()
	if kind == "" {
		return nil
	}
	v := &event.Verifier{Type: kind}
	switch kind {
	case event.VerifyHMac:
		v.HMac = clone(b.HMac)
	case event.VerifyBasic:
		v.BasicAuth = clone(b.BasicAuth)
	case event.VerifyAPIKey:
		v.APIKey = clone(b.APIKey)
	}
	known := make(map[string]string)
	for _, c := range verifierSecrets(s.Verifier) {
		known[c.field] = *c.text
	}
	for _, c := range verifierSecrets(v) {
		var err error
		if *c.text, err = unhide("verifier."+c.field, *c.text, known[c.field]); err != nil {
			return err
		}
	}
	s.Verifier = v
	return nil
}

// verifierSecrets lists what is secret of a verifier.
func verifierSecrets(v *event.Verifier) []credential {
	var all []credential
	if v == nil {
		return nil
	}
	if v.HMac != nil {
		all = append(all, credential{"hmac.secret", &v.HMac.Secret})
	}
	if v.BasicAuth != nil {
		all = append(all, credential{"basic_auth.password", &v.BasicAuth.Password})
	}
	if v.APIKey != nil {
		all = append(all, credential{"api_key.header_value", &v.APIKey.HeaderValue})
	}
	return all
}
