package oauth

import (
	"net/url"

	"github.com/go-jose/go-jose/v4"

	"posthaste/event"
)

// The ways to show who the client is.
const (
	sharedSecret    = "shared_secret"
	clientAssertion = "client_assertion"
)

// source is one endpoint's settings, compiled.
type source struct {
	cfg    *event.OAuth2Auth
	url    *url.URL
	signer jose.Signer // nil with a shared secret
	basic  bool        // the shared secret goes in a header, because that worked
}

// Check says what is wrong with an endpoint's settings: an *event.InvalidError whose
// field is relative to them, as in "signing_key". It signs an assertion to see that
// the key can, which takes up to some milliseconds. Which URLs may be called is for
// the Transport to say.
func Check(cfg *event.OAuth2Auth) error {
	s, err := compile(cfg)
	if err != nil || s.signer == nil {
		return err
	}
	return tryKey(cfg, s.signer)
}

func compile(cfg *event.OAuth2Auth) (*source, error) {
	if cfg == nil {
		return nil, event.Invalid("", "has no settings; give url, client_id and a client_secret or signing_key")
	}
	s := &source{cfg: cfg}
	var err error
	if s.url, err = parseURL(cfg.URL); err != nil {
		return nil, err
	}
	if cfg.ClientID == "" {
		return nil, event.Invalid("client_id", "is empty; give the name that the token endpoint knows this client by")
	}
	if cfg.GrantType != "" && cfg.GrantType != "client_credentials" {
		return nil, event.Invalid("grant_type", `must be "client_credentials"`)
	}
	if _, ok := units[cfg.ExpiryTimeUnit]; !ok {
		return nil, event.Invalid("expiry_time_unit", `must be "seconds", "milliseconds", "minutes" or "hours"`)
	}
	kind := cfg.AuthenticationType
	switch {
	case kind != "":
	case cfg.SigningKey != nil:
		kind = clientAssertion
	default:
		kind = sharedSecret
	}
	switch kind {
	case sharedSecret:
		if cfg.ClientSecret == "" {
			return nil, event.Invalid("client_secret", "is empty; the authentication type %q needs one", sharedSecret)
		}
	case clientAssertion:
		s.signer, err = newSigner(cfg)
	default:
		err = event.Invalid("authentication_type", "must be %q or %q", sharedSecret, clientAssertion)
	}
	return s, err
}

func parseURL(raw string) (*url.URL, error) {
	if len(raw) > event.MaxURLBytes {
		return nil, event.Invalid("url", "has %d bytes; at most %d are allowed", len(raw), event.MaxURLBytes)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, event.Invalid("url", "is not an http or https URL; give that of the token endpoint")
	}
	if u.User != nil || u.Fragment != "" {
		return nil, event.Invalid("url", "must have neither user:password@ nor a fragment")
	}
	return u, nil
}
