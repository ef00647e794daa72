package catalog

import (
	"crypto/x509"
	"encoding/pem"
	"sync/atomic"
	"time"

	"posthaste/event"
	"posthaste/ratelimit"
	"posthaste/retry"
)

// Endpoint is an endpoint, compiled, with its subscriptions. It never changes,
// apart from the signers that it caches: an update makes another one.
type Endpoint struct {
	event.Endpoint
	subscriptions []*Subscription // oldest first
	signer        atomic.Pointer[cachedSigner]
	compiled      *compiledEndpoint // nil for most
	rev           uint64
}

// compiledEndpoint is what few endpoints have, so that the others do not pay for it.
type compiledEndpoint struct {
	retry    *retry.Policy // of the endpoint's own strategy; nil: none
	certEnds time.Time     // of the client certificate; zero: none
	standard atomic.Pointer[cachedStandard]
}

// compileEndpoint makes an Endpoint of a valid noun. An error is an
// event.InvalidError that names a field.
func compileEndpoint(e event.Endpoint, subscriptions []*Subscription, rev uint64) (*Endpoint, error) {
	var compiled *compiledEndpoint
	if e.Strategy != nil || e.ClientCert != nil || e.SignatureMode == event.SignStandard {
		compiled = &compiledEndpoint{}
		if e.ClientCert != nil {
			compiled.certEnds = certificateEnds(e.ClientCert.Cert)
		}
		if e.Strategy != nil {
			var err error
			if compiled.retry, err = retry.Compile(*e.Strategy); err != nil {
				return nil, within("strategy", err)
			}
		}
	}
	return assemble(e, subscriptions, compiled, rev), nil
}

func assemble(e event.Endpoint, subscriptions []*Subscription, compiled *compiledEndpoint, rev uint64) *Endpoint {
	return &Endpoint{
		Endpoint:      e,
		subscriptions: subscriptions,
		compiled:      compiled,
		rev:           rev,
	}
}

// Timeout is how long one attempt may take.
func (e *Endpoint) Timeout() time.Duration { return time.Duration(e.HTTPTimeout) * time.Second }

// Hash is event.EndpointHash of its id.
func (e *Endpoint) Hash() uint32 { return event.EndpointHash(e.ID) }

// Limit is the rate limit of attempts. It is made anew each time: an endpoint that has
// nothing to do keeps no more than it must.
func (e *Endpoint) Limit() ratelimit.Limit {
	if e.RateLimit <= 0 {
		return ratelimit.Limit{}
	}
	return ratelimit.PerDuration(e.RateLimit, time.Duration(e.RateLimitDuration)*time.Second, 0)
}

// withSubscriptions is the same endpoint with other subscriptions.
func (e *Endpoint) withSubscriptions(subs []*Subscription) *Endpoint {
	c := assemble(e.Endpoint, subs, e.compiled, e.rev)
	c.signer.Store(e.signer.Load())
	return c
}

// certificateEnds is when the first certificate of a PEM text ends; zero if there is
// none that can be read.
func certificateEnds(text string) time.Time {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return time.Time{}
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}
	}
	return cert.NotAfter.UTC()
}

// Subscriptions lists the endpoint's subscriptions, oldest first. The slice is
// shared: it is read only. Any goroutine may call it.
func (e *Endpoint) Subscriptions() []*Subscription { return e.subscriptions }

// Subscription is the endpoint's subscription with this id; nil if it is gone.
func (e *Endpoint) Subscription(id event.ID) *Subscription {
	for _, s := range e.subscriptions {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// Policy is when deliveries to the endpoint are retried: its own policy, or its
// project's.
func (e *Endpoint) Policy(p *Project) *retry.Policy {
	if e.compiled != nil && e.compiled.retry != nil {
		return e.compiled.retry
	}
	return p.Retry
}

// ClientCertExpires is when the certificate ends that posthaste shows to the
// endpoint; zero if there is none.
func (e *Endpoint) ClientCertExpires() time.Time {
	if e.compiled == nil {
		return time.Time{}
	}
	return e.compiled.certEnds
}

func (e *Endpoint) ref() Change {
	return Change{Kind: KindEndpoint, ID: e.ID, ProjectID: e.ProjectID}
}
func (e *Endpoint) revision() uint64 { return e.rev }

func (e *Endpoint) insertInto(s *state) {
	s.endpoints.put(e.ID, e)
	s.listing.put(e)
	if e.OwnerID != "" {
		s.owners.put(e)
	}
	e.indexRare(s)
	s.changed.endpoints = true
}

// indexRare enters the endpoint into the indexes that few endpoints are in.
func (e *Endpoint) indexRare(s *state) {
	if e.AppID != nil {
		s.apps.put(e)
	}
	if e.Dynamic {
		s.dynamic.put(hashDynamic(e.ProjectID, e.URL), e)
	}
}

func (e *Endpoint) removeFrom(s *state) {
	s.endpoints.remove(e.ID)
	s.listing.remove(e)
	if e.OwnerID != "" {
		s.owners.remove(e)
	}
	if e.AppID != nil {
		s.apps.remove(e)
	}
	if e.Dynamic {
		s.dynamic.remove(hashDynamic(e.ProjectID, e.URL), e.ID)
	}
	s.changed.endpoints = true
}
