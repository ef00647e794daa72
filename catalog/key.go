package catalog

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"posthaste/event"
	"posthaste/internal/seal"
)

// The text form of a key is Convoy's: CO.<mask id, 16>.<secret, 64>, of letters
// and digits. The mask id finds the key; the secret holds 381 random bits.
const (
	keyPrefix    = "CO."
	maskLen      = 16
	keySecretLen = 64
	keyTextLen   = len(keyPrefix) + maskLen + 1 + keySecretLen
)

// mask is a mask id.
type mask [maskLen]byte

// apiKey is a stored key, ready to be compared.
type apiKey struct {
	event.APIKey
	mask    mask
	digest  [digestBytes]byte
	expires time.Time // zero: never
	rev     uint64
}

func compileKey(k event.APIKey, rev uint64) (*apiKey, error) {
	c := &apiKey{APIKey: k, rev: rev}
	if copy(c.mask[:], k.MaskID) != maskLen || len(k.MaskID) != maskLen {
		return nil, fmt.Errorf("key %s: the mask id has %d characters, want %d", k.ID, len(k.MaskID), maskLen)
	}
	if copy(c.digest[:], k.Digest) != digestBytes || len(k.Digest) != digestBytes {
		return nil, fmt.Errorf("key %s: the digest has %d bytes, want %d", k.ID, len(k.Digest), digestBytes)
	}
	if k.ExpiresAt != nil {
		c.expires = *k.ExpiresAt
	}
	return c, nil
}

func keyProbe(project, id event.ID) *apiKey {
	return &apiKey{APIKey: event.APIKey{ProjectID: project, ID: id}}
}

func (k *apiKey) ref() Change      { return Change{Kind: KindKey, ID: k.ID, ProjectID: k.ProjectID} }
func (k *apiKey) revision() uint64 { return k.rev }

func (k *apiKey) encode(*seal.Box) ([]byte, error) { return encodeJSON(&k.APIKey) }

func (k *apiKey) insertInto(s *state) {
	s.keys.put(masked{k.mask, k})
	s.keyListing.put(k)
	s.changed.keys = true
}

func (k *apiKey) removeFrom(s *state) {
	s.keys.remove(masked{mask: k.mask})
	s.keyListing.remove(k)
	s.changed.keys = true
}

// CreateKey makes another API key for a project. expires nil means never. The
// key's text is returned here and never again.
func (c *Catalog) CreateKey(project event.ID, name string, expires *time.Time) (event.APIKey, string, error) {
	if err := checkName("name", name); err != nil {
		return event.APIKey{}, "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Snapshot().stored(project) == nil {
		return event.APIKey{}, "", notFound("project", project)
	}
	if expires != nil && !expires.After(c.now()) {
		return event.APIKey{}, "", event.Invalid("expires_at", "is not in the future; leave it out for a key that does not end")
	}
	key, text := c.newKeyLocked(project, name, expires)
	if err := c.commitLocked("create key", created(key)); err != nil {
		return event.APIKey{}, "", err
	}
	return key.APIKey, text, nil
}

// DeleteKey ends a key of the project at once.
func (c *Catalog) DeleteKey(project, id event.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, found := c.mu.state.keyListing.get(keyProbe(project, id))
	if !found {
		return notFound("key", id)
	}
	return c.commitLocked("delete key", deleted(k))
}

// newKeyLocked makes a key that is not stored yet, and its text.
func (c *Catalog) newKeyLocked(project event.ID, name string, expires *time.Time) (*apiKey, string) {
	k := &apiKey{APIKey: event.APIKey{ID: event.NewID(), Name: name, ProjectID: project, CreatedAt: c.timestamp()}, rev: 1}
	for {
		copy(k.mask[:], randomAlphanumeric(maskLen))
		if _, taken := c.mu.state.keys.get(masked{mask: k.mask}); !taken {
			break
		}
	}
	k.MaskID = string(k.mask[:])
	text := keyPrefix + k.MaskID + "." + string(randomAlphanumeric(keySecretLen))
	k.digest = c.digest.sum([]byte(text))
	k.Digest = slices.Clone(k.digest[:])
	if expires != nil {
		k.expires = expires.UTC().Round(0)
		end := k.expires
		k.ExpiresAt = &end
	}
	return k, text
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// randomAlphanumeric draws n letters and digits, each equally likely: of a random
// byte, the values from 248 on (4 times 62) are thrown away.
func randomAlphanumeric(n int) []byte {
	out := make([]byte, 0, n)
	var random [2 * keySecretLen]byte
	for {
		_, _ = rand.Read(random[:]) // never fails: it ends the process instead
		for _, b := range random {
			if b >= 4*byte(len(alphanumeric)) {
				continue
			}
			if out = append(out, alphanumeric[int(b)%len(alphanumeric)]); len(out) == n {
				return out
			}
		}
	}
}
