package catalog

import (
	"slices"

	"posthaste/event"
)

// The functions here give a noun its own copy of what it shares with the value
// that it was copied from, so that a caller may change it.

func detachEndpoint(e *event.Endpoint) {
	e.Secrets = slices.Clone(e.Secrets)
	e.CustomHeaders = slices.Clone(e.CustomHeaders)
	e.StatusHistory = slices.Clone(e.StatusHistory)
	e.ClientCert = cloned(e.ClientCert)
	e.AppID = cloned(e.AppID)
	e.Contacts = cloned(e.Contacts)
	if e.Strategy = cloned(e.Strategy); e.Strategy != nil {
		detachStrategy(e.Strategy)
	}
	if e.Authentication = cloned(e.Authentication); e.Authentication != nil {
		detachAuthentication(e.Authentication)
	}
}

func detachAuthentication(a *event.Authentication) {
	a.APIKey = cloned(a.APIKey)
	a.BasicAuth = cloned(a.BasicAuth)
	a.Bearer = cloned(a.Bearer)
	if a.OAuth2 = cloned(a.OAuth2); a.OAuth2 != nil {
		a.OAuth2.SigningKey = cloned(a.OAuth2.SigningKey)
		a.OAuth2.FieldMapping = cloned(a.OAuth2.FieldMapping)
	}
}

func detachStrategy(s *event.Strategy) {
	s.Schedule = slices.Clone(s.Schedule)
	s.NoRetryStatuses = slices.Clone(s.NoRetryStatuses)
	s.Jitter = cloned(s.Jitter)
}

func detachSubscription(s *event.Subscription) {
	s.FilterConfig.EventTypes = slices.Clone(s.FilterConfig.EventTypes)
	if s.FilterConfig.Filter = cloned(s.FilterConfig.Filter); s.FilterConfig.Filter != nil {
		detachFilter(s.FilterConfig.Filter)
	}
	if s.Extra = cloned(s.Extra); s.Extra != nil {
		detachExtra(s.Extra)
	}
}

func detachFilter(f *event.Filter) {
	f.Headers, f.Body = slices.Clone(f.Headers), slices.Clone(f.Body)
	f.Query, f.Path = slices.Clone(f.Query), slices.Clone(f.Path)
}

func detachExtra(x *event.SubscriptionExtra) {
	x.Filters = slices.Clone(x.Filters)
	for i := range x.Filters {
		f := &x.Filters[i]
		f.EnabledAt = cloned(f.EnabledAt)
		detachFilter(&f.Filter)
	}
	x.AlertConfig, x.RateLimitConfig, x.RetryConfig = cloned(x.AlertConfig), cloned(x.RateLimitConfig), cloned(x.RetryConfig)
}

func detachSource(s *event.Source) {
	if s.Verifier = cloned(s.Verifier); s.Verifier != nil {
		v := s.Verifier
		v.HMac, v.BasicAuth, v.APIKey = cloned(v.HMac), cloned(v.BasicAuth), cloned(v.APIKey)
	}
	s.CustomResponse = cloned(s.CustomResponse)
	s.ForwardHeaders, s.IdempotencyKeys = slices.Clone(s.ForwardHeaders), slices.Clone(s.IdempotencyKeys)
	s.PubSub = slices.Clone(s.PubSub)
	s.CRCVerifiedAt = cloned(s.CRCVerifiedAt)
}

func detachLink(l *event.PortalLink) {
	l.Endpoints = slices.Clone(l.Endpoints)
	l.UsedAt, l.ExpiresAt = cloned(l.UsedAt), cloned(l.ExpiresAt)
	l.AllowedParents = slices.Clone(l.AllowedParents)
	if l.Brand = cloned(l.Brand); l.Brand != nil {
		l.Brand.Logo = slices.Clone(l.Brand.Logo)
	}
}

func detachProject(p *event.Project) {
	p.Config.Signature.Versions = slices.Clone(p.Config.Signature.Versions)
	p.Config.MetaEvent.EventTypes = slices.Clone(p.Config.MetaEvent.EventTypes)
	detachStrategy(&p.Config.Strategy)
}

// cloned is a pointer to a copy; nil of nil.
func cloned[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}
