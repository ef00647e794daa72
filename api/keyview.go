package api

import (
	"time"

	"posthaste/event"
)

// apiKeyView is an API key as it is answered: Convoy's fields, and posthaste's.
type apiKeyView struct {
	ID        event.ID    `json:"uid"`
	Name      string      `json:"name"`
	Role      keyRoleView `json:"role"`
	KeyType   string      `json:"key_type"` // instance, project or portal
	Key       string      `json:"key"`      // in the answer to its creation only
	UserID    string      `json:"user_id"`  // always "": there are no users
	ExpiresAt *time.Time  `json:"expires_at"`
	CreatedAt time.Time   `json:"created_at"`

	MaskID     string     `json:"mask_id"` // the part of the key that is not secret
	Prefix     string     `json:"prefix"`  // what the key starts with
	ProjectID  string     `json:"project_id"`
	OwnerID    string     `json:"owner_id"`
	Scopes     []string   `json:"scopes"`
	AllowFrom  []string   `json:"allow_from"`
	LastUsedAt *time.Time `json:"last_used_at"` // exact to a minute or so; null: never
}

// keyRoleView is what a key may do, in Convoy's words.
type keyRoleView struct {
	Type    string `json:"type"`
	Project string `json:"project"`
	App     string `json:"app"`
}

// newAPIKeyView is the view of a key. text is the key itself, "" when it is not known.
func newAPIKeyView(k event.APIKey, text string) apiKeyView {
	v := apiKeyView{
		ID: k.ID, Name: k.Name, Key: text, MaskID: k.MaskID, Prefix: "CO." + k.MaskID,
		OwnerID: k.OwnerID, Scopes: k.Scopes.Names(), AllowFrom: k.AllowFrom,
		ExpiresAt: k.ExpiresAt, CreatedAt: k.CreatedAt, LastUsedAt: k.LastUsedAt,
	}
	if k.Scopes == 0 {
		v.Scopes = event.ScopeAll.Names()
	}
	if v.AllowFrom == nil {
		v.AllowFrom = []string{}
	}
	if !k.ProjectID.IsZero() {
		v.ProjectID = k.ProjectID.String()
	}
	v.KeyType, v.Role = kindOfKey(k), keyRoleView{roleOf(k), v.ProjectID, k.OwnerID}
	return v
}

func kindOfKey(k event.APIKey) string {
	switch {
	case k.ProjectID.IsZero():
		return "instance"
	case k.OwnerID != "":
		return "portal"
	}
	return "project"
}

// roleOf is the role of Convoy's that comes nearest.
func roleOf(k event.APIKey) string {
	switch {
	case k.ProjectID.IsZero():
		return "instance_admin"
	case k.OwnerID != "" || k.Scopes == event.ScopeIngest:
		return "api"
	case k.Scopes != 0 && !k.Scopes.Has(event.ScopeManage):
		return "project_viewer"
	}
	return "project_admin"
}
