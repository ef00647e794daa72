package catalog

import (
	"fmt"
	"net/netip"
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

// apiKey is a stored key, ready to be compared. Its LastUsedAt is what was stored;
// used has what is known since.
type apiKey struct {
	event.APIKey
	mask    mask
	digest  [digestBytes]byte
	expires time.Time // zero: never
	grant   event.Grant
	used    *lastUse // shared by all revisions of the key
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
	allow, err := prefixes(k.AllowFrom)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", k.ID, err)
	}
	c.grant = event.Grant{
		KeyID: k.ID, ProjectID: k.ProjectID, Instance: k.ProjectID.IsZero(), Scopes: k.Scopes, AllowFrom: allow,
		Portal: k.OwnerID != "", OwnerID: k.OwnerID,
	}
	if c.grant.Portal {
		c.grant.Instance = false // there is no such key; if there were, it would be this way
		c.grant.Scopes &^= event.ScopeIngest
	}
	c.used = newLastUse(k.LastUsedAt)
	return c, nil
}

// prefixes reads addresses and ranges; nil of none. An IPv4 address or range that is
// written as IPv6 is one of IPv4, as event.Grant.From compares it.
func prefixes(texts []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for i, text := range texts {
		p, err := parsePrefix(text)
		if err != nil {
			return nil, event.Invalid(fmt.Sprintf("allow_from[%d]", i), "%s", err)
		}
		out = append(out, p)
	}
	return out, nil
}

func keyProbe(project, id event.ID) *apiKey {
	return &apiKey{APIKey: event.APIKey{ProjectID: project, ID: id}}
}

func (k *apiKey) ref() Change      { return Change{Kind: KindKey, ID: k.ID, ProjectID: k.ProjectID} }
func (k *apiKey) revision() uint64 { return k.rev }

func (k *apiKey) encode(*seal.Box) ([]byte, error) { return encodeKey(&k.APIKey) }

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

// current is the key with its last use as it is known now.
func (k *apiKey) current() event.APIKey {
	out := k.APIKey
	if at := k.used.time(); at != nil {
		out.LastUsedAt = at
	}
	return out
}

// Keys lists the API keys of a project, oldest first; of the zero project, those of
// the instance. Their text is not known.
func (s *Snapshot) Keys(project event.ID) []event.APIKey {
	var out []event.APIKey
	for k := range s.keyListing.walk(keyProbe(project, event.ID{}), keyProbe(project, lastID), false) {
		out = append(out, k.current())
	}
	return out
}

// Key is the API key with this id; ok is false if there is none. project is zero for a
// key of the instance.
func (s *Snapshot) Key(project, id event.ID) (k event.APIKey, ok bool) {
	found, ok := s.keyListing.get(keyProbe(project, id))
	if !ok {
		return k, false
	}
	return found.current(), true
}
