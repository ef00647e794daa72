package catalog

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"time"

	"posthaste/event"
)

// A short-lived portal token is not stored. It is
//
//	"PT." base64url(payload) "." base64url(HMAC-SHA256 of all in front of the second dot)
//
// without padding, and its payload
//
//	+------------+--------------+------------------------+-----------+
//	| version, 1 | portal link  | end, Unix seconds      | random    |
//	| 1 byte     | 16 bytes     | 8 bytes, big endian    | 16 bytes  |
//	+------------+--------------+------------------------+-----------+
//
// The HMAC's key is derived from the pepper, so another pepper ends these tokens.
const (
	shortPrefix   = "PT."
	shortVersion  = 1
	shortPayload  = 1 + 16 + 8 + 16
	shortBodyLen  = len(shortPrefix) + (shortPayload*8+5)/6
	shortTextLen  = shortBodyLen + 1 + (digestBytes*8+5)/6
	shortKeyLabel = "posthaste portal token"
)

var tokenEncoding = base64.RawURLEncoding.Strict()

// errLinkEnded is what is said where an ended link is to make a token.
var errLinkEnded = &event.StateError{Reason: "the portal link has expired; give it a later expires_at, or make another"}

// IssuePortalToken makes a token for a portal link of the project that is a key for
// event.PortalTokenTTL, or until the link ends. It is not stored.
func (c *Catalog) IssuePortalToken(project, link event.ID) (token string, expires time.Time, err error) {
	l := c.Snapshot().linkOf(project, link)
	if l == nil {
		return "", time.Time{}, notFound("portal link", link)
	}
	now := c.now()
	if passed(l.expires, now) {
		return "", time.Time{}, errLinkEnded
	}
	token, expires = c.shortToken(l, now)
	return token, expires, nil
}

// ExchangePortalToken makes a short-lived token for a link's own one, of the types
// event.PortalStatic and event.PortalOneTime. Of the second type it works once, durably,
// however many ask at once. ok is false where the token is none, was used or has ended.
// An error is the store's.
func (c *Catalog) ExchangePortalToken(token []byte) (short string, expires time.Time, ok bool, err error) {
	now := c.timestamp()
	l := c.linkOfToken(token, now)
	if l == nil || l.AuthType == event.PortalRefresh {
		return "", time.Time{}, false, nil
	}
	if l.AuthType == event.PortalOneTime {
		if l, err = c.useLink(l, now); l == nil || err != nil {
			return "", time.Time{}, false, err
		}
	}
	short, expires = c.shortToken(l, now)
	return short, expires, true, nil
}

// useLink marks a one-time link as used; nil if it was used, changed or revoked
// meanwhile.
func (c *Catalog) useLink(found *portalLink, now time.Time) (*portalLink, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.Snapshot().linkOf(found.ProjectID, found.ID)
	if old == nil || old.AuthType != event.PortalOneTime || old.UsedAt != nil || passed(old.expires, now) {
		return nil, nil
	}
	next := *old
	next.UsedAt, next.UpdatedAt = &now, now
	next.rev++
	if err := c.commitLocked("use portal link", edit{before: old, after: &next}); err != nil {
		return nil, err
	}
	return &next, nil
}

// linkOfToken is the link that a token is the own one of; nil if there is none, or if
// it has ended.
func (c *Catalog) linkOfToken(token []byte, now time.Time) *portalLink {
	m, ok := maskOf(token, linkPrefix, linkTextLen)
	if !ok {
		return nil
	}
	found, _ := c.Snapshot().linkMasks.get(maskedLink{mask: m})
	if found.link == nil {
		return nil
	}
	digest := c.digest.sum(token)
	if subtle.ConstantTimeCompare(digest[:], found.link.digest[:]) != 1 || passed(found.link.expires, now) {
		return nil
	}
	return found.link
}

// shortToken makes a short-lived token for a link that has not ended.
func (c *Catalog) shortToken(l *portalLink, now time.Time) (token string, expires time.Time) {
	end := now.Add(event.PortalTokenTTL)
	if !l.expires.IsZero() && l.expires.Before(end) {
		end = l.expires
	}
	seconds := end.Unix()
	var payload [shortPayload]byte
	payload[0] = shortVersion
	copy(payload[1:], l.ID[:])
	binary.BigEndian.PutUint64(payload[17:], uint64(seconds))
	_, _ = rand.Read(payload[25:]) // never fails: it ends the process instead
	text := tokenEncoding.AppendEncode([]byte(shortPrefix), payload[:])
	sum := c.portal.sum(text)
	text = append(text, '.')
	return string(tokenEncoding.AppendEncode(text, sum[:])), time.Unix(seconds, 0).UTC()
}

// linkOfShort is the link that a short-lived token was made for; nil if it was not made
// here, or if it or the link has ended. It does not allocate.
func (c *Catalog) linkOfShort(token []byte, now time.Time) *portalLink {
	if len(token) != shortTextLen || !bytes.HasPrefix(token, []byte(shortPrefix)) || token[shortBodyLen] != '.' {
		return nil
	}
	var given [digestBytes]byte
	if _, err := tokenEncoding.Decode(given[:], token[shortBodyLen+1:]); err != nil {
		return nil
	}
	sum := c.portal.sum(token[:shortBodyLen])
	if subtle.ConstantTimeCompare(sum[:], given[:]) != 1 {
		return nil
	}
	var payload [shortPayload]byte
	if _, err := tokenEncoding.Decode(payload[:], token[len(shortPrefix):shortBodyLen]); err != nil || payload[0] != shortVersion {
		return nil
	}
	if now.Unix() >= int64(binary.BigEndian.Uint64(payload[17:])) {
		return nil
	}
	l := c.Snapshot().links.get(event.ID(payload[1:17]))
	if l == nil || passed(l.expires, now) {
		return nil
	}
	return l
}
