package api

import (
	"net/url"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

// maxPortalMetadata bounds the endpoints shown of each portal link.
const maxPortalMetadata = 100

// portalLinkView is a portal link as it is answered. What opens it is shown to those
// who may change it, and else left empty, and out of the URL.
type portalLinkView struct {
	ID                event.ID         `json:"uid"`
	Name              string           `json:"name"`
	ProjectID         event.ID         `json:"project_id"`
	OwnerID           string           `json:"owner_id"`
	AuthType          string           `json:"auth_type"`
	AuthKey           string           `json:"auth_key"` // what is a key as it is: a static link's token
	Token             string           `json:"token"`
	URL               string           `json:"url"`
	CanManageEndpoint bool             `json:"can_manage_endpoint"`
	Endpoints         []event.ID       `json:"endpoints"`
	EndpointCount     int              `json:"endpoint_count"`     // that the link reaches
	EndpointsMetadata []*endpointView  `json:"endpoints_metadata"` // the first maxPortalMetadata of them
	AllowedParents    []string         `json:"allowed_parents"`    // empty: those that the server allows
	Brand             *portalBrandBody `json:"brand"`              // null: posthaste's own look
	ExpiresAt         *time.Time       `json:"expires_at"`         // null: never
	UsedAt            *time.Time       `json:"used_at"`            // null: not yet, or it is not for one use
	CreatedAt         time.Time        `json:"created_at"`
	UpdatedAt         time.Time        `json:"updated_at"`
	DeletedAt         *time.Time       `json:"deleted_at"`
}

// newPortalLinkView is the view of a link whose URL starts with portalURL.
func newPortalLinkView(l *event.PortalLink, snap *catalog.Snapshot, portalURL string, secrets bool) portalLinkView {
	v := portalLinkView{
		ID: l.ID, Name: l.Name, ProjectID: l.ProjectID, OwnerID: l.OwnerID,
		AuthType: l.AuthType, CanManageEndpoint: l.CanManageEndpoint,
		Endpoints: orNone(l.Endpoints), EndpointsMetadata: []*endpointView{},
		AllowedParents: append([]string{}, l.AllowedParents...), Brand: newPortalBrandView(l.Brand),
		ExpiresAt: l.ExpiresAt, UsedAt: l.UsedAt, CreatedAt: l.CreatedAt, UpdatedAt: l.UpdatedAt,
		URL: portalURL + "/portal",
	}
	if secrets {
		v.Token, v.URL = l.Token, v.URL+"?token="+url.QueryEscape(l.Token)
		if l.AuthType == event.PortalStatic {
			v.AuthKey = l.Token
		}
	}
	grant := event.Grant{Portal: true, ProjectID: l.ProjectID, OwnerID: l.OwnerID, Endpoints: l.Endpoints}
	for e := range reachable(snap, &grant) {
		if v.EndpointCount++; v.EndpointCount <= maxPortalMetadata {
			v.EndpointsMetadata = append(v.EndpointsMetadata, newEndpointView(&e.Endpoint, CurrentVersion))
		}
	}
	return v
}
