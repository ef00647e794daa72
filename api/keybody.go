package api

import (
	"net/netip"
	"strings"
	"time"

	"posthaste/event"
)

// keyBody is an API key in a request. Convoy's clients send a role and a type of key
// beside it, which say nothing here.
type keyBody struct {
	Name       string    `json:"name"`
	Scopes     *[]string `json:"scopes"`     // nil: all that the caller's own key has, and the key may have
	OwnerID    string    `json:"owner_id"`   // "": no owner's
	AllowFrom  []string  `json:"allow_from"` // empty: from anywhere the caller's own key may be used
	AllowIPs   []string  `json:"allow_ips"`  // another name of allow_from
	ExpiresAt  string    `json:"expires_at"` // RFC 3339; "": none
	Expiration seconds   `json:"expiration"` // from now, in the place of expires_at

	Role    anything `json:"role"`
	KeyType string   `json:"key_type"`
}

// key is the key that a request asks for, by a caller with this grant: no key gives
// more than it has itself. ends is when the caller's own key ends; nil: never.
func (b *keyBody) key(g *event.Grant, ends *time.Time, now time.Time) (k event.APIKey, err error) {
	k.Name, k.OwnerID = b.Name, b.OwnerID
	own := g.Scopes
	if k.OwnerID != "" && b.Scopes == nil {
		own &^= event.ScopeIngest // an owner's key never posts events
	}
	if k.Scopes, err = b.scopes(own); err != nil {
		return k, err
	}
	if k.AllowFrom, err = b.allowFrom(g.AllowFrom); err != nil {
		return k, err
	}
	k.ExpiresAt, err = b.expiresAt(ends, now)
	return k, err
}

func (b *keyBody) scopes(own event.Scope) (event.Scope, error) {
	if b.Scopes == nil {
		return own, nil
	}
	if len(*b.Scopes) == 0 {
		return 0, event.Invalid("scopes", "is empty; give some of %s, or leave it out for all that your own key has",
			strings.Join(event.ScopeAll.Names(), ", "))
	}
	wanted, err := event.ParseScopes(*b.Scopes)
	if err == nil && !own.Has(wanted) {
		return 0, event.Invalid("scopes", "go beyond those of your own key, which has %s", strings.Join(own.Names(), ", "))
	}
	return wanted, err
}

// allowFrom are the ranges that the body names, all of them within own.
func (b *keyBody) allowFrom(own []netip.Prefix) ([]string, error) {
	ranges := b.AllowFrom
	if len(ranges) == 0 {
		ranges = b.AllowIPs
	}
	if own == nil {
		return ranges, nil
	}
	if len(ranges) == 0 {
		for _, p := range own {
			ranges = append(ranges, p.String())
		}
		return ranges, nil
	}
	for _, text := range ranges {
		p, err := parseRange(text)
		if err != nil {
			return nil, event.Invalid("allow_from", "want addresses like 192.0.2.1 and ranges like 192.0.2.0/24")
		}
		if !covered(p, own) {
			return nil, event.Invalid("allow_from", "goes beyond the addresses that your own key may be used from")
		}
	}
	return ranges, nil
}

// parseRange reads a range of addresses, or an address as a range of one. A range of
// IPv4 that is written as one of IPv6 is one of IPv4, as it is where the key is stored.
func parseRange(text string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		return p.Masked(), nil
	}
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	addr = addr.Unmap()
	return netip.PrefixFrom(addr, addr.BitLen()), nil
}

// covered reports whether one of the ranges holds all of p.
func covered(p netip.Prefix, ranges []netip.Prefix) bool {
	for _, r := range ranges {
		if r.Bits() <= p.Bits() && r.Contains(p.Addr()) {
			return true
		}
	}
	return false
}

// expiresAt is when the key ends: as asked, and never after own.
func (b *keyBody) expiresAt(own *time.Time, now time.Time) (*time.Time, error) {
	field, end := "expires_at", time.Time{}
	if b.ExpiresAt != "" {
		var err error
		if end, err = time.Parse(time.RFC3339, b.ExpiresAt); err != nil || end.UTC().Year() > lastYear {
			return nil, event.Invalid(field, "want a time like %s, or leave it out", now.UTC().Format(time.RFC3339))
		}
	}
	if b.Expiration.sent && b.Expiration.n != 0 {
		if !end.IsZero() {
			return nil, event.Invalid("expiration", "give either expires_at or expiration, in seconds")
		}
		if b.Expiration.n < 0 || b.Expiration.n > maxExpirationSeconds {
			return nil, event.Invalid("expiration", "is %d; it must be 1 to %d seconds, or left out", b.Expiration.n, maxExpirationSeconds)
		}
		field, end = "expiration", now.Add(time.Duration(b.Expiration.n)*time.Second)
	}
	switch {
	case end.IsZero():
		return own, nil
	case !end.After(now):
		return nil, event.Invalid(field, "is not in the future; leave it out for one that does not end")
	case own != nil && end.After(*own):
		return nil, event.Invalid(field, "lies behind the end of your own key, %s", own.UTC().Format(time.RFC3339))
	}
	end = end.UTC()
	return &end, nil
}

// lastYear is the last that RFC 3339 can write. In UTC, a time may lie in the one after.
const lastYear = 9999

// maxExpirationSeconds is a hundred years.
const maxExpirationSeconds = 100 * 365 * 86400

// anything is a field that is read and ignored.
type anything struct{}

// UnmarshalJSON takes every value.
func (*anything) UnmarshalJSON([]byte) error { return nil }
