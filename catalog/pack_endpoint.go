package catalog

import "posthaste/event"

// packEndpoint and unpackEndpoint name the fields in the same order; so do the
// pairs below them, for the parts of an endpoint.
func packEndpoint(e *event.Endpoint) []byte {
	var p packer
	p.id(e.ID)
	p.id(e.ProjectID)
	p.text(e.OwnerID)
	p.text(e.URL)
	p.text(e.Name)
	p.text(e.Description)
	p.length(len(e.Secrets))
	for i := range e.Secrets {
		packSecret(&p, &e.Secrets[i])
	}
	p.bool(e.AdvancedSignatures)
	p.word(string(e.Status))
	p.int(e.HTTPTimeout)
	p.int(e.RateLimit)
	p.int(e.RateLimitDuration)
	p.word(e.ContentType)
	packAuthentication(&p, e.Authentication)
	p.text(e.SupportEmail)
	p.text(e.SlackWebhookURL)
	p.text(e.TeamsWebhookURL)
	p.time(e.CreatedAt)
	p.time(e.UpdatedAt)
	p.optionalTime(e.DeletedAt)
	return p.value()
}

func unpackEndpoint(value []byte) (e event.Endpoint, err error) {
	u, err := unpack(value)
	if err != nil {
		return e, err
	}
	e.ID = u.id()
	e.ProjectID = u.id()
	e.OwnerID = u.text()
	e.URL = u.text()
	e.Name = u.text()
	e.Description = u.text()
	e.Secrets = make([]event.Secret, u.count())
	for i := range e.Secrets {
		unpackSecret(u, &e.Secrets[i])
	}
	e.AdvancedSignatures = u.bool()
	e.Status = event.EndpointStatus(u.word())
	e.HTTPTimeout = u.int()
	e.RateLimit = u.int()
	e.RateLimitDuration = u.int()
	e.ContentType = u.word()
	e.Authentication = unpackAuthentication(u)
	e.SupportEmail = u.text()
	e.SlackWebhookURL = u.text()
	e.TeamsWebhookURL = u.text()
	e.CreatedAt = u.time()
	e.UpdatedAt = u.time()
	e.DeletedAt = u.optionalTime()
	return e, u.finish()
}

func packSecret(p *packer, s *event.Secret) {
	p.id(s.ID)
	p.text(s.Value)
	p.time(s.CreatedAt)
	p.time(s.UpdatedAt)
	p.optionalTime(s.ExpiresAt)
	p.optionalTime(s.DeletedAt)
}

func unpackSecret(u *unpacker, s *event.Secret) {
	s.ID = u.id()
	s.Value = u.text()
	s.CreatedAt = u.time()
	s.UpdatedAt = u.time()
	s.ExpiresAt = u.optionalTime()
	s.DeletedAt = u.optionalTime()
}

func packAuthentication(p *packer, a *event.Authentication) {
	if !p.bool(a != nil) {
		return
	}
	p.text(a.Type)
	if p.bool(a.APIKey != nil) {
		p.text(a.APIKey.HeaderName)
		p.text(a.APIKey.HeaderValue)
	}
}

func unpackAuthentication(u *unpacker) *event.Authentication {
	if !u.bool() {
		return nil
	}
	a := &event.Authentication{Type: u.text()}
	if u.bool() {
		a.APIKey = &event.APIKeyAuth{HeaderName: u.text(), HeaderValue: u.text()}
	}
	return a
}
