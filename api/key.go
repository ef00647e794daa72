package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"posthaste/event"
)

// keysProject is the project whose keys a request is about; zero for the instance's own.
func (c *call) keysProject() event.ID {
	if c.project == nil {
		return event.ID{}
	}
	return c.project.ID
}

func (a *API) listKeys(c *call) (reply, error) {
	params := c.r.URL.Query()
	q, err := parsePageQuery(params)
	if err != nil {
		return reply{}, err
	}
	owner, name := params.Get("ownerId"), strings.ToLower(params.Get("q"))
	keys := slices.DeleteFunc(slices.Clone(c.snap.Keys(c.keysProject())), func(k event.APIKey) bool {
		return owner != "" && k.OwnerID != owner || !strings.Contains(strings.ToLower(k.Name), name)
	})
	keyID := func(k event.APIKey) event.ID { return k.ID }
	p, err := readPage(q, listing[event.APIKey]{
		fetch: func(r event.Range) ([]event.APIKey, error) { return rowsIn(keys, r, keyID), nil },
		id:    keyID,
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, k event.APIKey) ([]byte, error) {
		return appendObject(dst, newAPIKeyView(k, ""))
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "API keys fetched successfully", data)
}

// rowsIn are the rows of a range, in its order, out of rows in the order of their ids.
func rowsIn[T any](rows []T, r event.Range, id func(T) event.ID) []T {
	var out []T
	for i := range rows {
		row := rows[i]
		if r.Descending {
			row = rows[len(rows)-1-i]
		}
		at := id(row)
		if at.Compare(r.From) < 0 || !r.To.IsZero() && at.Compare(r.To) > 0 {
			continue
		}
		if out = append(out, row); len(out) == r.Limit {
			break
		}
	}
	return out
}

// createKey makes a key. Its text is in this answer and in no other.
func (a *API) createKey(c *call) (reply, error) {
	var body keyBody
	if err := a.readJSON(c.r, &body); err != nil {
		return reply{}, err
	}
	if c.project == nil && body.OwnerID != "" {
		return reply{}, event.Invalid("owner_id", "belongs to a project's key; make one below /projects/{projectID}/keys, or leave it out")
	}
	k, err := a.keyFor(c, &body)
	if err != nil {
		return reply{}, err
	}
	k.ProjectID = c.keysProject()
	made, text, err := a.o.Catalog.CreateKey(k)
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusCreated, "API key created successfully", newAPIKeyView(made, text))
}

// keyFor is the key that a body asks for, which gives no more than the caller has.
func (a *API) keyFor(c *call, body *keyBody) (event.APIKey, error) {
	var ends *time.Time // nil: never, as the instance's own key
	if !c.grant.KeyID.IsZero() {
		own, found := c.snap.Key(c.grant.ProjectID, c.grant.KeyID)
		if !found {
			return event.APIKey{}, errBadKey // it was revoked a moment ago
		}
		ends = own.ExpiresAt
	}
	return body.key(&c.grant, ends, a.o.Now())
}

func (a *API) getKey(c *call) (reply, error) {
	k, err := c.key()
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "API key fetched successfully", newAPIKeyView(k, ""))
}

// revokeKey ends a key at once. Nothing is left of it.
func (a *API) revokeKey(c *call) (reply, error) {
	k, err := c.key()
	if err != nil {
		return reply{}, err
	}
	if err := a.o.Catalog.DeleteKey(c.keysProject(), k.ID); err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "API key revoked successfully", nil)
}

// key is the key in the path, if it is one of the project's, or of the instance's.
func (c *call) key() (event.APIKey, error) {
	id, err := pathID(c.r, "keyID")
	if err != nil {
		return event.APIKey{}, err
	}
	k, found := c.snap.Key(c.keysProject(), id)
	if !found {
		return event.APIKey{}, event.ErrNotFound
	}
	return k, nil
}
