package api

import (
	"net/http"
	"time"

	"posthaste/event"
)

// errBadToken is a portal link's token that opens nothing, or nothing any more.
var errBadToken = &httpError{http.StatusUnauthorized, "this portal token is not known, was used, or has ended; ask for a new link"}

// exchangePortalToken answers with a short-lived token for a portal link's own token.
// It takes no key: the token is one.
func (a *API) exchangePortalToken(c *call) (reply, error) {
	var body struct {
		Token string `json:"token"`
	}
	if err := a.readJSON(c.r, &body); err != nil {
		return reply{}, err
	}
	if body.Token == "" {
		return reply{}, event.Invalid("token", "is empty; give the token of the portal link")
	}
	short, expires, ok, err := a.o.Catalog.ExchangePortalToken([]byte(body.Token))
	switch {
	case err != nil:
		return reply{}, err
	case !ok:
		return reply{}, errBadToken
	}
	return respond(http.StatusOK, "Portal token created successfully", struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}{short, expires.UTC()})
}
