package catalog

import (
	"strings"

	"posthaste/event"
	"posthaste/sig"
)

// providers are those whose way of signing is known, and that way.
var providers = map[string]event.HMacVerifier{
	event.ProviderGitHub:  {Header: "X-Hub-Signature-256", Hash: "SHA256", Encoding: sig.Hex},
	event.ProviderShopify: {Header: "X-Shopify-Hmac-SHA256", Hash: "SHA256", Encoding: sig.Base64},
	event.ProviderTwitter: {Header: "X-Twitter-Webhooks-Signature", Hash: "SHA256", Encoding: sig.Base64},
}

// normalizeVerifier checks how requests show from whom they come, and drops the
// settings of other types. An empty verifier is none.
func normalizeVerifier(s *event.Source) error {
	if s.Provider != "" {
		return normalizeProvider(s)
	}
	v := s.Verifier
	if v == nil || *v == (event.Verifier{}) {
		s.Verifier = nil
		return nil
	}
	switch v.Type {
	case event.VerifyNothing:
		*v = event.Verifier{Type: v.Type}
		return nil
	case event.VerifyHMac:
		*v = event.Verifier{Type: v.Type, HMac: v.HMac}
		return checkHMac(v.HMac)
	case event.VerifyBasic:
		*v = event.Verifier{Type: v.Type, BasicAuth: v.BasicAuth}
		return checkBasicAuth("verifier.basic_auth", v.BasicAuth)
	case event.VerifyAPIKey:
		*v = event.Verifier{Type: v.Type, APIKey: v.APIKey}
		return checkReceivedKey(v.APIKey)
	}
	return event.Invalid("verifier.type", "must be %q, %q, %q or %q", event.VerifyNothing, event.VerifyHMac, event.VerifyBasic, event.VerifyAPIKey)
}

// normalizeProvider makes the verifier that a provider implies. Of what was given it
// takes the secret.
func normalizeProvider(s *event.Source) error {
	how, known := providers[s.Provider]
	if !known {
		return event.Invalid("provider", "must be %q, %q, %q or empty", event.ProviderGitHub, event.ProviderShopify, event.ProviderTwitter)
	}
	v := s.Verifier
	if v == nil || v.HMac == nil {
		return event.Invalid("verifier.hmac.secret", "is missing; requests of the provider %q are signed with a secret, give it", s.Provider)
	}
	if v.Type != "" && v.Type != event.VerifyHMac {
		return event.Invalid("verifier.type", "must be %q: that is how the provider %q signs", event.VerifyHMac, s.Provider)
	}
	how.Secret = v.HMac.Secret
	s.Verifier = &event.Verifier{Type: event.VerifyHMac, HMac: &how}
	return checkGiven("verifier.hmac.secret", how.Secret, event.MaxSecretBytes)
}

func checkHMac(h *event.HMacVerifier) error {
	const field = "verifier.hmac"
	if h == nil {
		return event.Invalid(field, "is missing; give header, hash, secret and encoding")
	}
	if err := checkReceivedHeader(field+".header", h.Header); err != nil {
		return err
	}
	if sig.CheckVersion(sig.Version{Hash: h.Hash, Encoding: sig.Hex}) != nil {
		return event.Invalid(field+".hash", "must be one of %s", strings.Join(sig.Hashes(), " "))
	}
	if h.Encoding != sig.Hex && h.Encoding != sig.Base64 {
		return event.Invalid(field+".encoding", "must be %q or %q", sig.Hex, sig.Base64)
	}
	return checkGiven(field+".secret", h.Secret, event.MaxSecretBytes)
}

// checkReceivedKey checks a header that requests bring.
func checkReceivedKey(k *event.APIKeyAuth) error {
	const field = "verifier.api_key"
	if k == nil {
		return event.Invalid(field, "is missing; give header_name and header_value")
	}
	if err := checkReceivedHeader(field+".header_name", k.HeaderName); err != nil {
		return err
	}
	return checkHeaderValue(field+".header_value", k.HeaderValue)
}
