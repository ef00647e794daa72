package catalog

import (
	"strings"

	"posthaste/event"
)

// The ways in which an OAuth2 client shows who it is, and the only grant.
const (
	sharedSecret      = "shared_secret"
	clientAssertion   = "client_assertion"
	clientCredentials = "client_credentials"
)

// authenticationTypes are the types that there are.
var authenticationTypes = strings.Join([]string{event.AuthAPIKey, event.AuthBasic, event.AuthBearer, event.AuthOAuth2}, ", ")

// normalizeAuthentication checks how posthaste shows an endpoint who it is, and
// drops the settings of other types. An empty one is none.
func (c *Catalog) normalizeAuthentication(e *event.Endpoint, p *Project) error {
	a := e.Authentication
	if a == nil || *a == (event.Authentication{}) {
		e.Authentication = nil
		return nil
	}
	switch a.Type {
	case event.AuthAPIKey:
		*a = event.Authentication{Type: a.Type, APIKey: a.APIKey}
		return checkAPIKey(a.APIKey, p)
	case event.AuthBasic:
		*a = event.Authentication{Type: a.Type, BasicAuth: a.BasicAuth}
		return checkBasicAuth("authentication.basic_auth", a.BasicAuth)
	case event.AuthBearer:
		*a = event.Authentication{Type: a.Type, Bearer: a.Bearer}
		return checkBearer(a.Bearer)
	case event.AuthOAuth2:
		*a = event.Authentication{Type: a.Type, OAuth2: a.OAuth2}
		return c.normalizeOAuth2(a.OAuth2, p)
	}
	return event.Invalid("authentication.type", "must be one of %s", authenticationTypes)
}

func checkAPIKey(k *event.APIKeyAuth, p *Project) error {
	const field = "authentication.api_key"
	if k == nil {
		return event.Invalid(field, "is missing; give header_name and header_value")
	}
	cfg := &p.Config
	if err := checkHeaderName(field+".header_name", k.HeaderName, cfg.Signature.Header, cfg.RequestIDHeader); err != nil {
		return err
	}
	return checkHeaderValue(field+".header_value", k.HeaderValue)
}

func checkBasicAuth(field string, b *event.BasicAuth) error {
	if b == nil {
		return event.Invalid(field, "is missing; give username and password")
	}
	if err := checkGiven(field+".username", b.UserName, event.MaxNameBytes); err != nil {
		return err
	}
	if strings.Contains(b.UserName, ":") {
		return event.Invalid(field+".username", "has a colon, which ends the name in this scheme")
	}
	return checkGiven(field+".password", b.Password, maxTextBytes)
}

func checkBearer(b *event.BearerAuth) error {
	const field = "authentication.bearer"
	if b == nil {
		return event.Invalid(field, "is missing; give token")
	}
	if err := checkHeaderValue(field+".token", b.Token); err != nil {
		return err
	}
	if strings.ContainsAny(b.Token, " \t") {
		return event.Invalid(field+".token", "has a space; give the token alone, without the word Bearer")
	}
	return nil
}

// normalizeOAuth2 checks what every OAuth2 client needs; what the key and the
// algorithm are good for is for Options.CheckOAuth2 to say.
func (c *Catalog) normalizeOAuth2(o *event.OAuth2Auth, p *Project) error {
	const field = "authentication.oauth2"
	if o == nil {
		return event.Invalid(field, "is missing; give url, client_id, authentication_type and a client_secret or a signing_key")
	}
	fillOAuth2(o)
	if err := checkOAuth2Texts(o); err != nil {
		return within(field, err)
	}
	var err error
	if o.URL, err = c.canonicalURL(field+".url", o.URL, p.Config.SSL.EnforceSecureEndpoints); err != nil {
		return err
	}
	if err := checkOAuth2Kinds(o); err != nil {
		return within(field, err)
	}
	if c.checkOAuth2 == nil {
		return nil
	}
	if err := c.checkOAuth2(o); err != nil {
		return within(field, err)
	}
	return nil
}

func fillOAuth2(o *event.OAuth2Auth) {
	if o.GrantType == "" {
		o.GrantType = clientCredentials
	}
	switch {
	case o.AuthenticationType != "":
	case o.SigningKey != nil:
		o.AuthenticationType = clientAssertion
	default:
		o.AuthenticationType = sharedSecret
	}
	switch o.AuthenticationType {
	case sharedSecret:
		o.SigningKey, o.SigningAlgorithm, o.Issuer, o.Subject = nil, "", "", ""
	case clientAssertion:
		o.ClientSecret = ""
	}
	if o.FieldMapping != nil && *o.FieldMapping == (event.OAuth2Fields{}) {
		o.FieldMapping = nil
	}
}

func checkOAuth2Texts(o *event.OAuth2Auth) error {
	if err := checkGiven("client_id", o.ClientID, maxTextBytes); err != nil {
		return err
	}
	fields := event.OAuth2Fields{}
	if o.FieldMapping != nil {
		fields = *o.FieldMapping
	}
	for _, t := range []struct{ field, text string }{
		{"scope", o.Scope}, {"audience", o.Audience}, {"client_secret", o.ClientSecret},
		{"signing_algorithm", o.SigningAlgorithm}, {"issuer", o.Issuer}, {"subject", o.Subject},
		{"field_mapping.access_token", fields.AccessToken}, {"field_mapping.token_type", fields.TokenType},
		{"field_mapping.expires_in", fields.ExpiresIn},
	} {
		if err := checkText(t.field, t.text, maxTextBytes); err != nil {
			return err
		}
	}
	return nil
}

func checkOAuth2Kinds(o *event.OAuth2Auth) error {
	if o.GrantType != clientCredentials {
		return event.Invalid("grant_type", "must be %q", clientCredentials)
	}
	switch o.ExpiryTimeUnit {
	case "", "seconds", "milliseconds", "minutes", "hours":
	default:
		return event.Invalid("expiry_time_unit", `must be "seconds", "milliseconds", "minutes" or "hours"`)
	}
	switch o.AuthenticationType {
	case sharedSecret:
		return checkGiven("client_secret", o.ClientSecret, maxTextBytes)
	case clientAssertion:
		if o.SigningKey == nil {
			return event.Invalid("signing_key", "is missing; the authentication type %q needs a private key as a JWK", clientAssertion)
		}
		return checkJWKTexts(o.SigningKey)
	}
	return event.Invalid("authentication_type", "must be %q or %q", sharedSecret, clientAssertion)
}

func checkJWKTexts(k *event.JWK) error {
	all := strings.Join([]string{k.Kty, k.Kid, k.Crv, k.X, k.Y, k.D, k.N, k.E, k.P, k.Q, k.DP, k.DQ, k.QI}, "")
	if err := checkText("signing_key", all, event.MaxPEMBytes); err != nil {
		return err
	}
	if k.Kty == "" {
		return event.Invalid("signing_key", "has no kty; give a private key as a JWK")
	}
	return nil
}

// checkGiven checks a text of one line that must be given.
func checkGiven(field, text string, maxBytes int) error {
	if text == "" {
		return event.Invalid(field, "is empty; give one of 1 to %d bytes", maxBytes)
	}
	return checkText(field, text, maxBytes)
}
