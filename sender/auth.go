package sender

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
	"posthaste/oauth"
)

const authorization = "Authorization"

// authError is about credentials that could not be had: nothing was sent.
type authError struct {
	what string
	err  error
}

func (e *authError) Error() string { return e.what + ": " + e.err.Error() }
func (e *authError) Unwrap() error { return e.err }

// authHeader is the header by which the endpoint knows posthaste; no name if there
// is none. The value of a token's header is not known here: it is "", and c.oauth is
// set. Credentials that cannot be sent are an error: without them nothing is sent.
func (c *client) authHeader() (name, value string, err error) {
	a := c.endpoint.Authentication
	if a == nil {
		return "", "", nil
	}
	switch {
	case a.Type == event.AuthOAuth2 && a.OAuth2 != nil:
		c.oauth = a.OAuth2
		return authorization, "", nil
	case a.Type == event.AuthBasic && a.BasicAuth != nil:
		pair := a.BasicAuth.UserName + ":" + a.BasicAuth.Password
		name, value = authorization, "Basic "+base64.StdEncoding.EncodeToString([]byte(pair))
	case a.Type == event.AuthBearer && a.Bearer != nil:
		name, value = authorization, "Bearer "+a.Bearer.Token
	case (a.Type == event.AuthAPIKey || a.Type == "") && a.APIKey != nil:
		name, value = a.APIKey.HeaderName, a.APIKey.HeaderValue
	default:
		return "", "", authFault("its type is not one that can be used, or its settings are missing")
	}
	switch {
	case !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value):
		return "", "", authFault("it has a character that no header can carry")
	case c.taken(name):
		return "", "", authFault(fmt.Sprintf("%s is a header that posthaste itself sets; choose another name", name))
	}
	return name, value, nil
}

func authFault(reason string) error {
	return &authError{"the endpoint's authentication cannot be sent", errors.New(reason)}
}

// getToken waits for the endpoint's token, no longer than the attempt's time.
func (s *Sender) getToken(x *exchange, c *client) (err error) {
	ctx, cancel := context.WithDeadline(c.target.alive, x.deadline)
	defer cancel()
	x.token, err = s.tokens.Token(ctx, c.endpoint.ID, c.oauth)
	x.begun = time.Now()
	x.attempt.Timing.Token = x.begun.Sub(x.attempt.StartedAt)
	if err != nil {
		return &authError{"access token", err}
	}
	if !x.begun.Before(x.deadline) {
		return errNoTime
	}
	return nil
}

// heedToken drops a token that the endpoint refused, so that the next attempt gets
// another one.
func (s *Sender) heedToken(x *exchange, c *client) {
	if x.token != "" && x.attempt.StatusCode == http.StatusUnauthorized {
		s.tokens.Drop(c.endpoint.ID, x.token)
	}
}

// Tokens are the access tokens of endpoints with OAuth2. They end with Close.
func (s *Sender) Tokens() *oauth.Tokens { return s.tokens }
