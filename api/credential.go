package api

import "posthaste/event"

// credential is one text of an Authentication that is not shown, and the field that
// it has in a request.
type credential struct {
	field string
	text  *string
}

// credentialsOf lists what is secret of an Authentication, the same fields for any two
// that have the same parts.
func credentialsOf(a *event.Authentication) []credential {
	var all []credential
	if a.APIKey != nil {
		all = append(all, credential{"api_key.header_value", &a.APIKey.HeaderValue})
	}
	if a.BasicAuth != nil {
		all = append(all, credential{"basic_auth.password", &a.BasicAuth.Password})
	}
	if a.Bearer != nil {
		all = append(all, credential{"bearer.token", &a.Bearer.Token})
	}
	if a.OAuth2 != nil {
		all = append(all, credential{"oauth2.client_secret", &a.OAuth2.ClientSecret})
		all = append(all, keyParts(a.OAuth2.SigningKey)...)
	}
	return all
}

// keyParts lists the private parts of a key (RFC 7518 sections 6.2.2 and 6.3.2).
func keyParts(k *event.JWK) []credential {
	if k == nil {
		return nil
	}
	const in = "oauth2.signing_key."
	return []credential{
		{in + "d", &k.D}, {in + "p", &k.P}, {in + "q", &k.Q},
		{in + "dp", &k.DP}, {in + "dq", &k.DQ}, {in + "qi", &k.QI},
	}
}

// maskedAuthentication is a copy that may be shown.
func maskedAuthentication(a *event.Authentication) *event.Authentication {
	if a == nil {
		return nil
	}
	a = cloneAuthentication(a)
	for _, c := range credentialsOf(a) {
		*c.text = hide(*c.text)
	}
	return a
}

// unmaskAuthentication puts what there was before in the place of the masks in a. in is
// what stands in front of its fields' names.
func unmaskAuthentication(in string, a, before *event.Authentication) error {
	known := make(map[string]string)
	if before != nil {
		for _, c := range credentialsOf(before) {
			known[c.field] = *c.text
		}
	}
	for _, c := range credentialsOf(a) {
		var err error
		if *c.text, err = unhide(in+c.field, *c.text, known[c.field]); err != nil {
			return err
		}
	}
	return nil
}

// cloneAuthentication copies a with all that it points to.
func cloneAuthentication(a *event.Authentication) *event.Authentication {
	c := &event.Authentication{Type: a.Type, APIKey: clone(a.APIKey), BasicAuth: clone(a.BasicAuth), Bearer: clone(a.Bearer)}
	if a.OAuth2 != nil {
		c.OAuth2 = clone(a.OAuth2)
		c.OAuth2.SigningKey = clone(a.OAuth2.SigningKey)
		c.OAuth2.FieldMapping = clone(a.OAuth2.FieldMapping)
	}
	return c
}

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}

// onlyType drops the parts of an Authentication that its type does not use: what is not
// used should not be kept.
func onlyType(a *event.Authentication) {
	if a.Type != event.AuthAPIKey {
		a.APIKey = nil
	}
	if a.Type != event.AuthBasic {
		a.BasicAuth = nil
	}
	if a.Type != event.AuthBearer {
		a.Bearer = nil
	}
	if a.Type != event.AuthOAuth2 {
		a.OAuth2 = nil
	}
}
