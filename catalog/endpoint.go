package catalog

import (
	"fmt"
	"sync/atomic"
	"time"

	"posthaste/event"
	"posthaste/ratelimit"
	"posthaste/sig"
)

// Endpoint is an endpoint, compiled, with its subscriptions. It never changes,
// apart from the signer that it caches: an update makes another one.
type Endpoint struct {
	event.Endpoint
	Hash    uint32          // event.EndpointHash(ID)
	Limit   ratelimit.Limit // of attempts
	Timeout time.Duration   // of one attempt

	subscriptions []*event.Subscription // oldest first
	signer        atomic.Pointer[cachedSigner]
	rev           uint64
}

// cachedSigner is a signer and what it was made from.
type cachedSigner struct {
	project *Project
	signer  *sig.Signer
	until   time.Time // when one of its secrets ends; zero: never
}

func compileEndpoint(e event.Endpoint, subscriptions []*event.Subscription, rev uint64) *Endpoint {
	c := &Endpoint{
		Endpoint:      e,
		Hash:          event.EndpointHash(e.ID),
		Timeout:       time.Duration(e.HTTPTimeout) * time.Second,
		subscriptions: subscriptions,
		rev:           rev,
	}
	if e.RateLimit > 0 {
		c.Limit = ratelimit.PerDuration(e.RateLimit, time.Duration(e.RateLimitDuration)*time.Second, 0)
	}
	return c
}

// withSubscriptions is the same endpoint with other subscriptions.
func (e *Endpoint) withSubscriptions(subs []*event.Subscription) *Endpoint {
	c := compileEndpoint(e.Endpoint, subs, e.rev)
	c.signer.Store(e.signer.Load())
	return c
}

// Subscriptions lists the endpoint's subscriptions, oldest first. The slice is
// shared: it is read only. Any goroutine may call it.
func (e *Endpoint) Subscriptions() []*event.Subscription { return e.subscriptions }

// Signer signs for this endpoint under p's signature settings, with every secret
// that is alive now. It is built when first asked for, which costs some
// microseconds, and again when p is another project value or a secret has ended;
// otherwise the call costs an atomic load. Any goroutine may call it.
func (e *Endpoint) Signer(p *Project) *sig.Signer {
	if c := e.signer.Load(); c != nil && c.project == p && c.until.IsZero() {
		return c.signer
	}
	return e.signerAt(p, time.Now())
}

func (e *Endpoint) signerAt(p *Project, now time.Time) *sig.Signer {
	c := e.signer.Load()
	if c == nil || c.project != p || !c.until.IsZero() && !now.Before(c.until) {
		c = e.buildSigner(p, now)
		e.signer.Store(c)
	}
	return c.signer
}

func (e *Endpoint) buildSigner(p *Project, now time.Time) *cachedSigner {
	c := &cachedSigner{project: p}
	secrets := make([]string, 0, len(e.Secrets))
	for i := range e.Secrets {
		s := &e.Secrets[i]
		if !live(s, now) {
			continue
		}
		secrets = append(secrets, s.Value)
		if s.ExpiresAt != nil && (c.until.IsZero() || s.ExpiresAt.Before(c.until)) {
			c.until = *s.ExpiresAt
		}
	}
	var err error
	if c.signer, err = sig.New(p.versions, secrets, e.AdvancedSignatures); err != nil {
		panic(fmt.Sprintf("BUG: endpoint %s was stored though it cannot be signed for: %v", e.ID, err))
	}
	return c
}

// live reports whether a secret signs at now. It ends exactly at ExpiresAt.
func live(s *event.Secret, now time.Time) bool {
	return s.DeletedAt == nil && (s.ExpiresAt == nil || now.Before(*s.ExpiresAt))
}

func (e *Endpoint) ref() Change {
	return Change{Kind: KindEndpoint, ID: e.ID, ProjectID: e.ProjectID}
}
func (e *Endpoint) revision() uint64 { return e.rev }
func (e *Endpoint) noun() any        { return &e.Endpoint }

func (e *Endpoint) insertInto(s *state) {
	s.endpoints.ReplaceOrInsert(e.ID, e)
	s.listing.ReplaceOrInsert(e, struct{}{})
	if e.OwnerID != "" {
		s.owners.ReplaceOrInsert(e, struct{}{})
	}
	s.changed.endpoints = true
}

func (e *Endpoint) removeFrom(s *state) {
	s.endpoints.Delete(e.ID)
	s.listing.Delete(e)
	if e.OwnerID != "" {
		s.owners.Delete(e)
	}
	s.changed.endpoints = true
}
