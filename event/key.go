package event

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// APIKey lets its bearer act on a project, on what one owner has in a project, or,
// with a zero project, on the whole instance. Only a digest of it is kept.
type APIKey struct {
	ID        ID         `json:"uid"`
	Name      string     `json:"name"`
	ProjectID ID         `json:"project_id"` // zero: every project
	OwnerID   string     `json:"owner_id"`   // portal-scoped: sees only what belongs to this owner; "": all of the project
	MaskID    string     `json:"mask_id"`    // the part of the key that is not secret
	Digest    []byte     `json:"digest"`     // HMAC-SHA256 of the key under the instance's pepper
	Scopes    Scope      `json:"scopes"`     // zero, of a record older than scopes: ScopeAll
	AllowFrom []string   `json:"allow_from"` // addresses and CIDR ranges it may be used from; empty: from anywhere
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	// LastUsedAt is exact to a minute or so, and may be that much behind after a crash.
	LastUsedAt *time.Time `json:"last_used_at"`
}

// Scope is a set of things that a key may do. It is stored.
type Scope uint8

// The scopes of a key. Reading includes the secrets of what is read only with
// ScopeManage.
const (
	ScopeIngest Scope = 1 << iota // post events
	ScopeRead                     // look at everything
	ScopeManage                   // change everything, retry and replay

	ScopeAll = ScopeIngest | ScopeRead | ScopeManage
)

// Has reports whether s has every scope of wanted.
func (s Scope) Has(wanted Scope) bool { return s&wanted == wanted }

// Names lists the scopes as the API writes them.
func (s Scope) Names() []string {
	names := []string{}
	for i, name := range scopeNames {
		if s.Has(1 << i) {
			names = append(names, name)
		}
	}
	return names
}

var scopeNames = []string{"ingest", "read", "manage"}

// ParseScopes reads what Names writes. The error is an InvalidError for the field
// "scopes".
func ParseScopes(names []string) (s Scope, err error) {
	for _, name := range names {
		found := false
		for i, known := range scopeNames {
			if name == known {
				s, found = s|1<<i, true
			}
		}
		if !found {
			return 0, Invalid("scopes", "has an entry that is none of %s", strings.Join(scopeNames, ", "))
		}
	}
	return s, nil
}

// Grant is what a caller may do.
type Grant struct {
	KeyID     ID
	ProjectID ID   // the only project it sees; zero for an instance key
	Instance  bool // may act on every project, and on the instance itself
	Scopes    Scope

	// Portal: the bearer is one of an owner's people. It sees what belongs to OwnerID
	// and, of a portal link with a list of endpoints, only those.
	Portal    bool
	OwnerID   string
	Endpoints []ID

	// AllowFrom are the addresses that the key may be used from; nil: from anywhere.
	AllowFrom []netip.Prefix
}

// Allows reports whether the grant reaches a project.
func (g *Grant) Allows(project ID) bool { return g.Instance || g.ProjectID == project }

// From reports whether the key may be used from an address.
func (g *Grant) From(addr netip.Addr) bool {
	if g.AllowFrom == nil {
		return true
	}
	addr = addr.Unmap()
	for _, p := range g.AllowFrom {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// SeesEndpoint reports whether a grant reaches an endpoint of its project. A portal
// grant reaches nothing that has no owner.
func (g *Grant) SeesEndpoint(e *Endpoint) bool {
	if !g.Portal {
		return true
	}
	if len(g.Endpoints) > 0 {
		return slices.Contains(g.Endpoints, e.ID) && (g.OwnerID == "" || g.OwnerID == e.OwnerID)
	}
	return g.OwnerID != "" && g.OwnerID == e.OwnerID
}
