package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"

	"posthaste/event"
)

// errListedOnly: a link that lists endpoints is for these.
var errListedOnly = &httpError{http.StatusForbidden, "this token is for endpoints that are there already; it makes no others"}

// ownEndpoint refuses a new endpoint that would be out of the grant's reach, or part of
// an application. The handler makes it the owner's.
func (a *API) ownEndpoint(c *call) error {
	if c.grant.OwnerID == "" || len(c.grant.Endpoints) > 0 {
		return errListedOnly
	}
	body, err := a.readBody(c.r)
	if err != nil {
		return err
	}
	var sent struct {
		AppID json.RawMessage `json:"app_id"`
		Other json.RawMessage `json:"appID"`
	}
	if err := decode(body, &sent); err != nil {
		return err
	}
	if !isEmpty(sent.AppID) || !isEmpty(sent.Other) {
		return event.Invalid("app_id", "is not for a portal to give; leave it out")
	}
	c.r = c.r.WithContext(c.r.Context()) // a shallow copy
	c.r.Body, c.r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return nil
}
