package catalog

import (
	"time"

	"posthaste/event"
)

// keyRecord is an API key as JSON: what few keys have is left out where it is zero.
type keyRecord struct {
	ID         event.ID    `json:"uid"`
	Name       string      `json:"name"`
	ProjectID  event.ID    `json:"project_id"` // zero: of the instance
	OwnerID    string      `json:"owner_id,omitempty"`
	MaskID     string      `json:"mask_id"`
	Digest     []byte      `json:"digest"`
	Scopes     event.Scope `json:"scopes,omitempty"` // 0: the record is older than scopes, and the key has all
	AllowFrom  []string    `json:"allow_from,omitempty"`
	CreatedAt  time.Time   `json:"created_at"`
	ExpiresAt  *time.Time  `json:"expires_at"`
	LastUsedAt *time.Time  `json:"last_used_at,omitempty"`
}

func encodeKey(k *event.APIKey) ([]byte, error) {
	return encodeJSON(&keyRecord{
		ID: k.ID, Name: k.Name, ProjectID: k.ProjectID, OwnerID: k.OwnerID, MaskID: k.MaskID, Digest: k.Digest, Scopes: k.Scopes,
		AllowFrom: k.AllowFrom, CreatedAt: k.CreatedAt, ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt,
	})
}

func decodeKey(value []byte) (event.APIKey, error) {
	var r keyRecord
	if err := decodeJSON(value, &r); err != nil {
		return event.APIKey{}, err
	}
	if r.Scopes == 0 {
		r.Scopes = event.ScopeAll
	}
	return event.APIKey{
		ID: r.ID, Name: r.Name, ProjectID: r.ProjectID, OwnerID: r.OwnerID, MaskID: r.MaskID, Digest: r.Digest, Scopes: r.Scopes,
		AllowFrom: r.AllowFrom, CreatedAt: r.CreatedAt, ExpiresAt: r.ExpiresAt, LastUsedAt: r.LastUsedAt,
	}, nil
}
