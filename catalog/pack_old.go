package catalog

import "posthaste/event"

// Version 1 of the packed records: all texts in clear, the authentication among the
// fields, and none of the rare fields. It is read and never written.

func unpackEndpoint1(body, scratch []byte) (e event.Endpoint, _ []byte, err error) {
	u, scratch, err := unpack(body, nil, scratch)
	if err != nil {
		return e, scratch, err
	}
	e.ID = u.id()
	e.ProjectID = u.id()
	e.OwnerID = u.text()
	e.URL = u.text()
	e.Name = u.text()
	e.Description = u.text()
	e.Secrets = make([]event.Secret, u.count())
	for i := range e.Secrets {
		unpackSecret1(&u, &e.Secrets[i])
	}
	e.AdvancedSignatures = u.bool()
	e.SignatureMode = event.SignConvoy
	e.Status = event.EndpointStatus(u.word())
	e.HTTPTimeout = u.int()
	e.RateLimit = u.int()
	e.RateLimitDuration = u.int()
	e.ContentType = u.word()
	e.Authentication = unpackAuthentication1(&u)
	e.Reach(unpackContacts(&u))
	e.CreatedAt = u.stamp()
	e.UpdatedAt = u.stamp()
	u.optionalTime()
	return e, scratch, u.finish()
}

func unpackSecret1(u *unpacker, s *event.Secret) {
	s.ID = u.id()
	s.Value = u.text()
	s.CreatedAt = u.stamp()
	s.UpdatedAt = u.stamp()
	s.ExpiresAt = u.optionalTime()
	s.DeletedAt = u.optionalTime()
}

func unpackAuthentication1(u *unpacker) *event.Authentication {
	if !u.bool() {
		return nil
	}
	a := &event.Authentication{Type: u.text()}
	if u.bool() {
		a.APIKey = &event.APIKeyAuth{HeaderName: u.text(), HeaderValue: u.text()}
	}
	return a
}

func unpackSubscription1(body, scratch []byte) (s event.Subscription, _ []byte, err error) {
	u, scratch, err := unpack(body, nil, scratch)
	if err != nil {
		return s, scratch, err
	}
	unpackSubscriptionFields(&u, &s)
	return s, scratch, u.finish()
}
