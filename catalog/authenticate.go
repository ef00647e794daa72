package catalog

import (
	"crypto/sha256"
	"crypto/subtle"

	"posthaste/event"
)

// Authenticate says what the bearer of token may do; false if nothing. It is on
// the path of every request: about a microsecond, no allocation, no lock; any
// goroutine may call it. token is the key alone, without "Bearer".
//
// Secrets are compared by their digests in constant time. The time taken may
// tell whether a mask id exists, which is no secret.
func (c *Catalog) Authenticate(token []byte) (event.Grant, bool) {
	if len(token) < MinInstanceKeyBytes || len(token) > maxTokenBytes {
		return event.Grant{}, false
	}
	digest := c.digest.sum(token)
	if subtle.ConstantTimeCompare(digest[:], c.instance[:]) == 1 {
		return event.Grant{Instance: true}, true
	}
	m, ok := maskOf(token)
	if !ok {
		return event.Grant{}, false
	}
	found, _ := c.Snapshot().keys.get(masked{mask: m})
	k := found.key
	if k == nil || subtle.ConstantTimeCompare(digest[:], k.digest[:]) != 1 {
		return event.Grant{}, false
	}
	if !k.expires.IsZero() && !c.now().Before(k.expires) {
		return event.Grant{}, false
	}
	return event.Grant{KeyID: k.ID, ProjectID: k.ProjectID}, true
}

// maskOf reads the mask id of a key's text.
func maskOf(token []byte) (m mask, ok bool) {
	const end = len(keyPrefix) + maskLen
	if len(token) != keyTextLen || string(token[:len(keyPrefix)]) != keyPrefix || token[end] != '.' {
		return m, false
	}
	return mask(token[len(keyPrefix):end]), true
}

const digestBytes = sha256.Size

// digester computes HMAC-SHA256 under the pepper (RFC 2104). It works on the
// stack, where crypto/hmac needs an allocation for each sum or a pool.
type digester struct {
	inner, outer [sha256.BlockSize]byte // the padded key, xored with ipad and opad
}

func newDigester(pepper []byte) digester {
	var d digester
	if len(pepper) > sha256.BlockSize {
		hashed := sha256.Sum256(pepper)
		pepper = hashed[:]
	}
	copy(d.inner[:], pepper)
	copy(d.outer[:], pepper)
	for i := range d.inner {
		d.inner[i] ^= 0x36
		d.outer[i] ^= 0x5c
	}
	return d
}

// sum is the HMAC of text, which is at most maxTokenBytes long.
func (d *digester) sum(text []byte) [digestBytes]byte {
	var in [sha256.BlockSize + maxTokenBytes]byte
	n := copy(in[:], d.inner[:])
	n += copy(in[n:], text)
	digest := sha256.Sum256(in[:n])
	var out [sha256.BlockSize + digestBytes]byte
	copy(out[:], d.outer[:])
	copy(out[sha256.BlockSize:], digest[:])
	return sha256.Sum256(out[:])
}
