package api

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"time"

	"posthaste/event"
)

// portalLinkBody is a portal link in a request. nil is a field that was not sent, or
// was null: it stays as it is.
type portalLinkBody struct {
	Name              *string  `json:"name"`
	OwnerID           *string  `json:"owner_id"`
	Endpoints         []string `json:"endpoints"` // all of them; empty: all of the owner's
	AuthType          *string  `json:"auth_type"` // "": as before, or static_token at creation
	CanManageEndpoint *bool    `json:"can_manage_endpoint"`
	ExpiresAt         *string  `json:"expires_at"` // RFC 3339; "": never
	Expiration        seconds  `json:"expiration"` // from now, in the place of expires_at

	AllowedParents []string         `json:"allowed_parents"` // origins whose pages may show it in a frame; empty: those of the server
	Brand          *portalBrandBody `json:"brand"`           // how it looks, whole: what is left out is as posthaste's own
}

// apply changes l as the body says. The catalog validates the outcome.
func (b *portalLinkBody) apply(l *event.PortalLink, now time.Time) error {
	set(&l.Name, b.Name)
	set(&l.OwnerID, b.OwnerID)
	setText(&l.AuthType, b.AuthType)
	set(&l.CanManageEndpoint, b.CanManageEndpoint)
	if b.Endpoints != nil {
		ids, err := endpointIDs(b.Endpoints)
		if err != nil {
			return err
		}
		l.Endpoints = ids
	}
	if b.AllowedParents != nil {
		l.AllowedParents = b.AllowedParents
	}
	if b.Brand != nil {
		brand, err := b.Brand.brand()
		if err != nil {
			return err
		}
		l.Brand = brand
	}
	return b.applyEnd(l, now)
}

// portalBrandBody is how a portal looks.
type portalBrandBody struct {
	Name   string `json:"name"`   // in the place of "Webhooks"
	Accent string `json:"accent"` // of links and buttons, as #rrggbb; darkened or lightened where it could not be read
	Logo   string `json:"logo"`   // a PNG, JPEG or WebP picture, in base64
}

func (b *portalBrandBody) brand() (*event.PortalBrand, error) {
	logo, err := base64.StdEncoding.DecodeString(b.Logo)
	if err != nil {
		return nil, event.Invalid("brand.logo", "want a picture in base64, without a data: in front of it")
	}
	return &event.PortalBrand{Name: b.Name, Accent: b.Accent, Logo: logo}, nil
}

func newPortalBrandView(b *event.PortalBrand) *portalBrandBody {
	if b == nil {
		return nil
	}
	return &portalBrandBody{b.Name, b.Accent, base64.StdEncoding.EncodeToString(b.Logo)}
}

func endpointIDs(texts []string) ([]event.ID, error) {
	if len(texts) > event.MaxPortalEndpoints {
		return nil, event.Invalid("endpoints", "has %d entries; at most %d are allowed", len(texts), event.MaxPortalEndpoints)
	}
	ids := make([]event.ID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = event.ParseID(text); err != nil {
			return nil, event.Invalid(fmt.Sprintf("endpoints[%d]", i), "%s", err)
		}
	}
	return ids, nil
}

func (b *portalLinkBody) applyEnd(l *event.PortalLink, now time.Time) error {
	expiry := keyBody{Expiration: b.Expiration}
	if set(&expiry.ExpiresAt, b.ExpiresAt); b.ExpiresAt != nil && expiry.ExpiresAt == "" {
		l.ExpiresAt = nil
	}
	end, err := expiry.expiresAt(nil, now)
	if err == nil && end != nil {
		l.ExpiresAt = end
	}
	return err
}

// isText reports whether a body is a JSON text: older Go clients put "{}" where they
// have nothing to say.
func isText(body []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(body), []byte(`"`))
}

// linksWithoutOwner: a portal link needs no owner if it lists endpoints.
func (v version) linksWithoutOwner() bool { return v < "2025-11-24" }
