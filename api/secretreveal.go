package api

import (
	"net/http"
	"slices"

	"posthaste/catalog"
	"posthaste/event"
)

// revealSecret answers with one secret in clear. It is a POST so that nothing on the way
// keeps the answer, and each is recorded.
func (a *API) revealSecret(c *call) (reply, error) {
	e, s, err := c.secret()
	if err != nil {
		return reply{}, err
	}
	c.did(reveal, "endpoint", e.ID, e.Name)
	c.done.Changes = []event.AuditChange{{Field: "secret", After: s.ID.String()}}
	return respond(http.StatusOK, "Secret revealed successfully", newSecretView(s))
}

// endSecret ends one secret at once that would have signed for some time beside a newer
// one.
func (a *API) endSecret(c *call) (reply, error) {
	e, s, err := c.secret()
	if err != nil {
		return reply{}, err
	}
	e, err = a.o.Catalog.EndSecret(c.project.ID, e.ID, s.ID)
	return a.respondEndpoint(c, http.StatusOK, "Secret ended successfully", e, err)
}

// secret is the secret in the path, if the endpoint in the path has it.
func (c *call) secret() (*catalog.Endpoint, event.Secret, error) {
	e, err := c.endpoint()
	if err != nil {
		return nil, event.Secret{}, err
	}
	id, err := pathID(c.r, "secretID")
	if err != nil {
		return nil, event.Secret{}, err
	}
	at := slices.IndexFunc(e.Secrets, func(s event.Secret) bool { return s.ID == id && s.DeletedAt == nil })
	if at < 0 {
		return nil, event.Secret{}, event.ErrNotFound
	}
	return e, e.Secrets[at], nil
}
