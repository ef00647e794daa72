package catalog

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"posthaste/event"
)

// CreateKey makes an API key. Of k it takes the project, which is zero for a key of
// the instance, the name, the owner, the scopes, the addresses and the end. Zero scopes
// are all; of an owner's key, all but ScopeIngest, which it cannot have. The key's text
// is returned here and never again.
func (c *Catalog) CreateKey(k event.APIKey) (event.APIKey, string, error) {
	k.AllowFrom = slices.Clone(k.AllowFrom)
	if err := normalizeKey(&k); err != nil {
		return event.APIKey{}, "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !k.ProjectID.IsZero() && c.Snapshot().stored(k.ProjectID) == nil {
		return event.APIKey{}, "", notFound("project", k.ProjectID)
	}
	if k.ExpiresAt != nil && !k.ExpiresAt.After(c.now()) {
		return event.APIKey{}, "", event.Invalid("expires_at", "is not in the future; leave it out for a key that does not end")
	}
	key, text, err := c.newKeyLocked(k)
	if err != nil {
		return event.APIKey{}, "", err
	}
	if err := c.commitLocked("create key", created(key)); err != nil {
		return event.APIKey{}, "", err
	}
	return key.APIKey, text, nil
}

// DeleteKey ends a key of the project, or of the instance if project is zero, at once.
func (c *Catalog) DeleteKey(project, id event.ID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, found := c.mu.state.keyListing.get(keyProbe(project, id))
	if !found {
		return notFound("key", id)
	}
	return c.commitLocked("delete key", deleted(k))
}

// newKeyLocked makes a key that is not stored yet, and its text, of what CreateKey
// takes.
func (c *Catalog) newKeyLocked(k event.APIKey) (*apiKey, string, error) {
	var m mask
	for {
		copy(m[:], randomAlphanumeric(maskLen))
		if _, taken := c.mu.state.keys.get(masked{mask: m}); !taken {
			break
		}
	}
	k.ID, k.MaskID, k.CreatedAt, k.LastUsedAt = event.NewID(), string(m[:]), c.timestamp(), nil
	text := keyPrefix + k.MaskID + "." + string(randomAlphanumeric(keySecretLen))
	digest := c.digest.sum([]byte(text))
	k.Digest = digest[:]
	if k.ExpiresAt != nil {
		end := k.ExpiresAt.UTC().Round(0)
		k.ExpiresAt = &end
	}
	compiled, err := compileKey(k, 1)
	return compiled, text, err
}

func normalizeKey(k *event.APIKey) error {
	if err := checkName("name", k.Name); err != nil {
		return err
	}
	if err := checkText("owner_id", k.OwnerID, event.MaxNameBytes); err != nil {
		return err
	}
	if k.OwnerID != "" && k.ProjectID.IsZero() {
		return event.Invalid("owner_id", "needs a project: owners are a project's; leave it out for a key of the instance")
	}
	if err := normalizeScopes(k); err != nil {
		return err
	}
	return normalizeAllowFrom(k)
}

func normalizeScopes(k *event.APIKey) error {
	switch {
	case k.Scopes&^event.ScopeAll != 0:
		return event.Invalid("scopes", "has an entry that is none of %s", strings.Join(event.ScopeAll.Names(), ", "))
	case k.OwnerID == "" && k.Scopes == 0:
		k.Scopes = event.ScopeAll
	case k.OwnerID != "" && k.Scopes == 0:
		k.Scopes = event.ScopeAll &^ event.ScopeIngest
	case k.OwnerID != "" && k.Scopes.Has(event.ScopeIngest):
		return event.Invalid("scopes", "has ingest, which a key with an owner_id cannot have: it sees what is the owner's, and posts no events")
	}
	return nil
}

// normalizeAllowFrom writes each address and range once, in its shortest form.
func normalizeAllowFrom(k *event.APIKey) error {
	if n := len(k.AllowFrom); n > event.MaxAllowFrom {
		return event.Invalid("allow_from", "has %d entries; at most %d are allowed", n, event.MaxAllowFrom)
	}
	parsed, err := prefixes(k.AllowFrom)
	if err != nil {
		return err
	}
	var texts []string
	for _, p := range parsed {
		text := p.String()
		if p.IsSingleIP() {
			text = p.Addr().String()
		}
		if !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	k.AllowFrom = texts
	return nil
}

var (
	errAddress   = errors.New("is not an IP address or a range such as 10.0.0.0/8 or 2001:db8::/32")
	errWideRange = errors.New("is a range of IPv6 that has all of IPv4 in it; write the two apart")
)

func parsePrefix(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, errAddress
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, errAddress
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, errWideRange
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}
