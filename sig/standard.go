package sig

import "time"

// Standard signs as Standard Webhooks says
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
// It is immutable.
type Standard struct{}

// NewStandard makes a Standard. Each secret is "whsec_" and base64 of 24 to 64 bytes
// (HMAC-SHA256, v1), or "whsk_" and base64 of an ed25519 key, seed or seed and public
// part (v1a).
func NewStandard(secrets []string) (*Standard, error) { return &Standard{}, nil }

// Append appends the value of webhook-signature.
func (s *Standard) Append(dst []byte, id string, now time.Time, body []byte) []byte { return dst }

// CheckStandardSecret says what is wrong with a secret, never its text.
func CheckStandardSecret(secret string) error { return nil }

// NewStandardSecret makes a "whsec_" secret of 32 random bytes.
func NewStandardSecret() string { return "" }

// StandardPublicKey is the "whpk_" text that goes with a "whsk_" secret; "" for others.
func StandardPublicKey(secret string) string { return "" }
