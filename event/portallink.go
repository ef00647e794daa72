package event

import "time"

// PortalLink lets one owner's people look after the owner's endpoints: with its token,
// or with a short-lived one that is made for it. Field names are Convoy's.
type PortalLink struct {
	ID                ID         `json:"uid"`
	ProjectID         ID         `json:"project_id"`
	Name              string     `json:"name"`
	OwnerID           string     `json:"owner_id"`
	Endpoints         []ID       `json:"endpoints"` // empty: all of the owner's
	AuthType          string     `json:"auth_type"` // one of the Portal constants
	CanManageEndpoint bool       `json:"can_manage_endpoint"`
	Token             string     `json:"token"`      // secret
	UsedAt            *time.Time `json:"used_at"`    // PortalOneTime: when the token was exchanged; nil: not yet
	ExpiresAt         *time.Time `json:"expires_at"` // nil: never

	// AllowedParents are the origins of pages that may show this portal in a frame;
	// empty: those that the server allows.
	AllowedParents []string     `json:"allowed_parents,omitempty"`
	Brand          *PortalBrand `json:"brand,omitempty"` // nil: posthaste's own look

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// PortalBrand is how a portal looks to the owner's people.
type PortalBrand struct {
	Name   string `json:"name"`   // in the place of "Webhooks"; "" for that
	Accent string `json:"accent"` // of links and buttons, as #rrggbb; "": posthaste's
	Logo   []byte `json:"logo"`   // a PNG, JPEG or WebP picture; empty: none
}

// Bounds of how a portal looks, and of who may show it.
const (
	MaxPortalParents   = 10
	MaxPortalLogoBytes = 32 << 10
)

// How a portal link is used.
const (
	PortalStatic  = "static_token"  // the token itself is a key, as long as the link lives
	PortalRefresh = "refresh_token" // only short-lived tokens are keys; the project's own server asks for them
	PortalOneTime = "one_time"      // the token can be exchanged for a short-lived one, once
)

// PortalTokenTTL is how long a short-lived portal token is a key.
const PortalTokenTTL = time.Hour

// Application is the older Convoy's object between a project and its endpoints: it
// groups endpoints, and an event for it goes to all of them.
type Application struct {
	ID              ID        `json:"uid"`
	ProjectID       ID        `json:"project_id"`
	Name            string    `json:"name"`
	SupportEmail    string    `json:"support_email"`
	SlackWebhookURL string    `json:"slack_webhook_url"`
	IsDisabled      bool      `json:"is_disabled"`
	CreatedAt       time.Time `json:"created_at"`
	UpdatedAt       time.Time `json:"updated_at"`
}
