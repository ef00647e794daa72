package api

import (
	"errors"
	"net/http"
	"time"

	"posthaste/event"
)

// oauth2TestView says whether a token could be had, as Convoy does: with 200 either way.
type oauth2TestView struct {
	Success     bool       `json:"success"`
	AccessToken string     `json:"access_token"`
	TokenType   string     `json:"token_type"`
	ExpiresAt   *time.Time `json:"expires_at"` // null: it has no end
	Message     string     `json:"message"`
	Error       string     `json:"error"`
}

// testOAuth2 gets a token with credentials that need not be any endpoint's yet.
func (a *API) testOAuth2(c *call) (reply, error) {
	if a.o.TestOAuth2 == nil {
		return reply{}, errNoOAuth2
	}
	var in struct {
		OAuth2 *event.OAuth2Auth `json:"oauth2"`
	}
	if err := a.readJSON(c.r, &in); err != nil {
		return reply{}, err
	}
	if in.OAuth2 == nil {
		return reply{}, event.Invalid("oauth2", "is missing; give it as in an endpoint's authentication")
	}
	if err := unmaskAuthentication("", &event.Authentication{OAuth2: in.OAuth2}, nil); err != nil {
		return reply{}, err
	}
	view, err := a.tryOAuth2(c, in.OAuth2)
	if err != nil {
		return reply{}, err
	}
	c.did("oauth2.test", "oauth2", event.ID{}, "")
	return respond(http.StatusOK, view.Message, view)
}

// tryOAuth2 makes an answer of a failure too, unless the request itself is at fault.
func (a *API) tryOAuth2(c *call, o *event.OAuth2Auth) (*oauth2TestView, error) {
	token, tokenType, expires, err := a.o.TestOAuth2(c.r.Context(), o)
	var invalid *event.InvalidError
	switch {
	case errors.As(err, &invalid):
		return nil, event.Invalid("oauth2."+invalid.Field, "%s", invalid.Reason)
	case err != nil:
		return &oauth2TestView{Message: "OAuth2 connection test failed", Error: err.Error()}, nil
	}
	view := &oauth2TestView{Success: true, AccessToken: token, TokenType: tokenType, Message: "OAuth2 connection test successful"}
	if !expires.IsZero() {
		end := expires.UTC()
		view.ExpiresAt = &end
	}
	return view, nil
}
