package sig

import (
	"crypto/ed25519"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// MaxStandardSignatures is how many signatures a webhook-signature may have, so
// that a request cannot make a receiver check thousands. An endpoint of
// posthaste has at most ten secrets.
const MaxStandardSignatures = 20

// StandardVerifier checks what Standard Webhooks signs. It is immutable: any
// number of goroutines may use one at once.
type StandardVerifier struct {
	keys      []standardKey
	tolerance time.Duration // negative: any timestamp will do
}

// NewStandardVerifier makes a StandardVerifier. Each secret is a "whsec_", or a
// "whpk_" public key, or the "whsk_" secret that it belongs to; a signature by
// any of them will do, so that a secret can be replaced without a gap.
//
// A tolerance of 0 is DefaultTolerance; a negative one accepts every timestamp.
// An error wraps ErrNoSecret or ErrStandardSecret.
func NewStandardVerifier(secrets []string, tolerance time.Duration) (*StandardVerifier, error) {
	if len(secrets) == 0 {
		return nil, ErrNoSecret
	}
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	v := &StandardVerifier{tolerance: tolerance}
	for i, secret := range secrets {
		k, err := parseStandardSecret(secret)
		if err != nil {
			return nil, fmt.Errorf("secret %d: %w", i+1, err)
		}
		v.keys = append(v.keys, k)
	}
	return v, nil
}

// Verify checks the values of webhook-id, webhook-timestamp and
// webhook-signature against the body as it was received. Signatures of versions
// that are not known are passed over. The timestamp is looked at last, so
// ErrTimestamp means that the sender knew a secret.
//
// An id with a full stop is ErrHeader: with one it would be open where the id
// ends and the body begins.
func (v *StandardVerifier) Verify(id, timestamp, signatures string, body []byte, now time.Time) error {
	unix, ok := parseStamp(timestamp)
	if !ok || id == "" || strings.Contains(id, ".") || !plausibleList(signatures) {
		return ErrHeader
	}
	if !v.signed(id, unix, signatures, body) {
		return ErrSignature
	}
	if !timely(unix, now, v.tolerance) {
		return ErrTimestamp
	}
	return nil
}

// plausibleList tells whether the list has a signature of a known version, and
// not too many.
func plausibleList(signatures string) bool {
	if strings.Count(signatures, " ") >= MaxStandardSignatures {
		return false
	}
	for s := range strings.SplitSeq(signatures, " ") {
		if strings.HasPrefix(s, hmacLabel) || strings.HasPrefix(s, ed25519Label) {
			return true
		}
	}
	return false
}

func (v *StandardVerifier) signed(id string, unix int64, signatures string, body []byte) bool {
	var m *message // made for the first public key
	defer func() {
		if m != nil {
			m.free()
		}
	}()
	for i := range v.keys {
		k := &v.keys[i]
		if k.public == nil {
			if k.hmacIn(id, unix, signatures, body) {
				return true
			}
			continue
		}
		if !strings.Contains(signatures, ed25519Label) {
			continue
		}
		if m == nil {
			m = newMessage(id, unix, body)
		}
		if k.ed25519In(m.text, signatures) {
			return true
		}
	}
	return false
}

// hmacIn tells whether the list has this key's HMAC. Texts are compared, in
// constant time: there is one text only for each sum.
func (k *standardKey) hmacIn(id string, unix int64, signatures string, body []byte) bool {
	h := k.hmac.alg.get()
	defer k.hmac.alg.put(h)
	var want, got [maxTextBytes]byte
	text := appendText(want[:0], k.sum(h, id, unix, body), Base64)
	for s := range strings.SplitSeq(signatures, " ") {
		s, ok := strings.CutPrefix(s, hmacLabel)
		if ok && len(s) == len(text) && subtle.ConstantTimeCompare(got[:copy(got[:], s)], text) == 1 {
			return true
		}
	}
	return false
}

// ed25519In tells whether the list has a signature of the text that this public
// key verifies.
func (k *standardKey) ed25519In(text []byte, signatures string) bool {
	var in [maxTextBytes]byte
	var out [maxTextBytes]byte
	for s := range strings.SplitSeq(signatures, " ") {
		s, ok := strings.CutPrefix(s, ed25519Label)
		if !ok || len(s) != base64.StdEncoding.EncodedLen(ed25519.SignatureSize) {
			continue
		}
		n, err := base64.StdEncoding.Strict().Decode(out[:], in[:copy(in[:], s)])
		if err == nil && n == ed25519.SignatureSize && ed25519.Verify(k.public, text, out[:n]) {
			return true
		}
	}
	return false
}
