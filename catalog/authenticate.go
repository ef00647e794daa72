package catalog

import (
	"crypto/sha256"
	"crypto/subtle"

	"posthaste/event"
)

// Authenticate says what the bearer of token may do; false if nothing. The token is the
// instance key, an API key, the own token of a portal link of the type
// event.PortalStatic, or a short-lived portal token. It is on the path of every
// request: about a microsecond, no allocation, no lock; any goroutine may call it.
// token is the key alone, without "Bearer". The slices of the grant are read only.
//
// Secrets are compared by their digests in constant time. The time taken may
// tell whether a mask id exists, which is no secret.
func (c *Catalog) Authenticate(token []byte) (event.Grant, bool) {
	if len(token) < MinInstanceKeyBytes || len(token) > maxTokenBytes {
		return event.Grant{}, false
	}
	digest := c.digest.sum(token)
	if subtle.ConstantTimeCompare(digest[:], c.instance[:]) == 1 {
		return event.Grant{Instance: true, Scopes: event.ScopeAll}, true
	}
	switch string(token[:len(keyPrefix)]) {
	case keyPrefix:
		return c.authenticateKey(token, &digest)
	case linkPrefix:
		if l := c.linkOfToken(token, c.now()); l != nil && l.AuthType == event.PortalStatic {
			return l.grant, true
		}
	case shortPrefix:
		if l := c.linkOfShort(token, c.now()); l != nil {
			return l.grant, true
		}
	}
	return event.Grant{}, false
}

func (c *Catalog) authenticateKey(token []byte, digest *[digestBytes]byte) (event.Grant, bool) {
	m, ok := maskOf(token, keyPrefix, keyTextLen)
	if !ok {
		return event.Grant{}, false
	}
	found, _ := c.Snapshot().keys.get(masked{mask: m})
	k := found.key
	if k == nil || subtle.ConstantTimeCompare(digest[:], k.digest[:]) != 1 {
		return event.Grant{}, false
	}
	now := c.now()
	if passed(k.expires, now) {
		return event.Grant{}, false
	}
	k.used.touch(now)
	return k.grant, true
}

// maskOf reads the mask id of a text of this form: a prefix, the mask id, a dot, and a
// secret, size characters together.
func maskOf(token []byte, prefix string, size int) (m mask, ok bool) {
	end := len(prefix) + maskLen
	if len(token) != size || string(token[:len(prefix)]) != prefix || token[end] != '.' {
		return m, false
	}
	return mask(token[len(prefix):end]), true
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
