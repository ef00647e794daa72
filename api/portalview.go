package api

import (
	"net/http"
	"slices"
	"time"

	"posthaste/catalog"
	"posthaste/event"
	"posthaste/retry"
)

// portalView is what the pages of a portal have to know beside the objects on them: whose
// link it is, what it may do and how it looks, and how the project signs and retries. Of
// the project and the link it says nothing that is the operator's own, such as a name.
type portalView struct {
	OwnerID           string           `json:"owner_id"`
	CanManageEndpoint bool             `json:"can_manage_endpoint"`
	ExpiresAt         *time.Time       `json:"expires_at"`      // of the link; null: never
	AllowedParents    []string         `json:"allowed_parents"` // empty: those that the server allows
	Brand             *portalBrandBody `json:"brand"`           // null: posthaste's own look

	SignatureHeader   string                `json:"signature_header"`
	SignatureVersions []portalSignatureView `json:"signature_versions"` // v1 first
	Retry             portalRetryView       `json:"retry"`
}

// portalSignatureView is one version of the project's signatures.
type portalSignatureView struct {
	Hash     string `json:"hash"`
	Encoding string `json:"encoding"`
}

// portalRetryView is when attempts are made, by the project's strategy. Jitter is left
// out.
type portalRetryView struct {
	Strategy        string `json:"strategy"`
	Attempts        int    `json:"attempts"`          // the first included
	Waits           []int  `json:"waits"`             // seconds after each attempt until the next, the first hundred
	MaxAge          int    `json:"max_age"`           // seconds; an attempt that fails later is the last
	NoRetryStatuses []int  `json:"no_retry_statuses"` // after which none is made
}

// maxShownWaits bounds the waits that are listed.
const maxShownWaits = 100

// getPortal says what a portal shows around its objects. A project's key is told what a
// link without an owner would be.
func (a *API) getPortal(c *call) (reply, error) {
	v := portalView{
		OwnerID: c.grant.OwnerID, CanManageEndpoint: c.mayManage(), AllowedParents: []string{},
		SignatureHeader: c.project.Config.Signature.Header, SignatureVersions: []portalSignatureView{}, Retry: newPortalRetryView(c.project),
	}
	for _, s := range c.project.Config.Signature.Versions {
		v.SignatureVersions = append(v.SignatureVersions, portalSignatureView{s.Hash, s.Encoding})
	}
	if l := c.snap.PortalLink(c.project.ID, c.grant.KeyID); l != nil {
		v.ExpiresAt, v.Brand = l.ExpiresAt, newPortalBrandView(l.Brand)
		v.AllowedParents = append(v.AllowedParents, l.AllowedParents...)
	}
	return respond(http.StatusOK, "Portal fetched successfully", v)
}

func newPortalRetryView(p *catalog.Project) portalRetryView {
	strategy := retry.Normalize(p.Config.Strategy)
	v := portalRetryView{
		Strategy: strategy.Type, Attempts: p.Retry.Limit(), Waits: []int{}, MaxAge: int(p.Retry.MaxAge() / time.Second),
		NoRetryStatuses: append([]int{}, strategy.NoRetryStatuses...),
	}
	strategy.Jitter = new(int) // none: the waits as they are meant
	plain, err := retry.Compile(strategy)
	if err != nil { // of a stored strategy only Jitter could be at fault
		plain = p.Retry
	}
	for n := 1; n < v.Attempts && n <= maxShownWaits; n++ {
		v.Waits = append(v.Waits, int(plain.Wait(n, 1<<31)/time.Second))
	}
	return v
}

// jobWithin reports whether a job is about endpoints within reach, and no others.
func (r *reach) jobWithin(j *event.Job) bool {
	of := j.Filter.Deliveries.Endpoints
	return j.Kind == event.JobRetry && j.ProjectID == r.grant.ProjectID && len(of) > 0 &&
		!slices.ContainsFunc(of, func(id event.ID) bool { return !r.has(id) })
}
