package catalog

import (
	"encoding/json"

	"posthaste/event"
	"posthaste/internal/seal"
)

// sourceSecrets is what of a source is secret: JSON, in the secret part of its record,
// which is empty for a source that has none of it. The rest is JSON in the open part.
type sourceSecrets struct {
	HMac     string          `json:"hmac,omitempty"`
	Password string          `json:"password,omitempty"`
	APIKey   string          `json:"api_key,omitempty"`
	PubSub   json.RawMessage `json:"pub_sub,omitempty"`
}

// takeSecrets moves the secrets out of a source that shares nothing with others.
func takeSecrets(s *event.Source) (x sourceSecrets) {
	if v := s.Verifier; v != nil {
		if v.HMac != nil {
			x.HMac, v.HMac.Secret = v.HMac.Secret, ""
		}
		if v.BasicAuth != nil {
			x.Password, v.BasicAuth.Password = v.BasicAuth.Password, ""
		}
		if v.APIKey != nil {
			x.APIKey, v.APIKey.HeaderValue = v.APIKey.HeaderValue, ""
		}
	}
	x.PubSub, s.PubSub = s.PubSub, nil
	return x
}

func (x *sourceSecrets) copyTo(s *event.Source) {
	if v := s.Verifier; v != nil {
		if v.HMac != nil {
			v.HMac.Secret = x.HMac
		}
		if v.BasicAuth != nil {
			v.BasicAuth.Password = x.Password
		}
		if v.APIKey != nil {
			v.APIKey.HeaderValue = x.APIKey
		}
	}
	s.PubSub = x.PubSub
}

func (s *source) encode(box *seal.Box) ([]byte, error) { return encodeSource(box, &s.Source) }

func encodeSource(box *seal.Box, s *event.Source) ([]byte, error) {
	open := *s
	detachSource(&open)
	secrets := takeSecrets(&open)
	body, err := marshal(&open)
	if err != nil {
		return nil, err
	}
	secret, err := marshal(&secrets)
	if err != nil {
		return nil, err
	}
	if string(secret) == "{}" {
		secret = nil
	}
	return join(box, KindSource, s.ID, body, secret), nil
}

func decodeSource(box *seal.Box, id event.ID, value []byte) (s event.Source, err error) {
	secret, err := decodeSplit(box, KindSource, id, value, &s)
	if err != nil {
		return s, err
	}
	if string(s.PubSub) == "null" { // as none is written
		s.PubSub = nil
	}
	var x sourceSecrets
	if len(secret) > 0 {
		if err := json.Unmarshal(secret, &x); err != nil {
			return s, err
		}
	}
	x.copyTo(&s)
	return s, nil
}
