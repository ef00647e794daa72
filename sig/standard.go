package sig

import (
	"crypto/ed25519"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// The versions that stand before a signature of Standard Webhooks.
const (
	hmacLabel    = "v1,"  // HMAC-SHA256
	ed25519Label = "v1a," // ed25519
)

// Standard signs as Standard Webhooks says
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
// It is immutable: any number of goroutines may use one at once. Keeping one
// costs about 350 bytes for each secret.
type Standard struct {
	keys []standardKey // at least one, all of them able to sign
}

// NewStandard makes a Standard. Each secret is "whsec_" and base64 of 24 to 64 bytes
// (HMAC-SHA256, v1), or "whsk_" and base64 of an ed25519 key, seed or seed and public
// part (v1a). They are those that are still live, oldest first; both kinds may be
// among them.
//
// An error wraps ErrNoSecret or ErrStandardSecret.
func NewStandard(secrets []string) (*Standard, error) {
	if len(secrets) == 0 {
		return nil, ErrNoSecret
	}
	s := &Standard{keys: make([]standardKey, 0, len(secrets))}
	for i, secret := range secrets {
		k, err := parseSigningSecret(secret)
		if err != nil {
			return nil, fmt.Errorf("secret %d: %w", i+1, err)
		}
		s.keys = append(s.keys, k)
	}
	return s, nil
}

// Append appends the value of webhook-signature for a request with this body
// whose webhook-id is id and whose webhook-timestamp is now in Unix seconds. The
// id must not contain a full stop, which is what separates it from the rest.
//
// It does not allocate when dst has room and the id is at most 64 bytes long,
// and keeps neither slice. An ed25519 signature needs id, timestamp and body in
// one piece: they are copied.
func (s *Standard) Append(dst []byte, id string, now time.Time, body []byte) []byte {
	unix := now.Unix()
	for i := range s.keys {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = s.keys[i].appendSignature(dst, id, unix, body)
	}
	return dst
}

func (k *standardKey) appendSignature(dst []byte, id string, unix int64, body []byte) []byte {
	if k.private == nil {
		h := k.hmac.alg.get()
		dst = append(dst, hmacLabel...)
		dst = appendText(dst, k.sum(h, id, unix, body), Base64)
		k.hmac.alg.put(h)
		return dst
	}
	m := newMessage(id, unix, body)
	dst = append(dst, ed25519Label...)
	dst = appendText(dst, ed25519.Sign(k.private, m.text), Base64)
	m.free()
	return dst
}

// sum is the HMAC of what Standard Webhooks signs. It lies in h.
func (k *standardKey) sum(h *hasher, id string, unix int64, body []byte) []byte {
	return k.hmac.mac(h, appendHead(h.stamp[:0], id, unix), body)
}

// appendHead appends what is signed before the body.
func appendHead(dst []byte, id string, unix int64) []byte {
	dst = append(dst, id...)
	dst = append(dst, '.')
	dst = strconv.AppendInt(dst, unix, 10)
	return append(dst, '.')
}

// message is the text that an ed25519 signature is over, in one piece.
type message struct{ text []byte }

// keptMessageBytes is how large a message may be for its memory to be kept.
const keptMessageBytes = 1 << 20

var messages = sync.Pool{New: func() any { return new(message) }}

func newMessage(id string, unix int64, body []byte) *message {
	m := messages.Get().(*message)
	m.text = append(appendHead(m.text[:0], id, unix), body...)
	return m
}

func (m *message) free() {
	if cap(m.text) > keptMessageBytes {
		return
	}
	m.text = m.text[:0]
	messages.Put(m)
}
