package api

import (
	"net/http"
	"strings"

	"posthaste/event"
)

func (a *API) listSources(c *call) (reply, error) {
	params := c.r.URL.Query()
	q, err := parsePageQuery(params)
	if err != nil {
		return reply{}, err
	}
	kind, provider, name := params.Get("type"), params.Get("provider"), strings.ToLower(params.Get("q"))
	match := func(s *event.Source) bool {
		return (kind == "" || s.Type == kind) && (provider == "" || s.Provider == provider) &&
			strings.Contains(strings.ToLower(s.Name), name)
	}
	p, err := readPage(q, listing[*event.Source]{
		fetch: func(r event.Range) ([]*event.Source, error) {
			return c.snap.Sources(c.project.ID, r, match), nil
		},
		id:    func(s *event.Source) event.ID { return s.ID },
		bytes: sourceBytes,
	}, a.o.MaxPageBytes)
	if err != nil {
		return reply{}, err
	}
	data, err := p.encode(func(dst []byte, s *event.Source) ([]byte, error) {
		return appendObject(dst, newSourceView(s, a.o.PublicURL))
	})
	if err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Sources fetched successfully", data)
}

// sourceBytes is what a source's long texts hold.
func sourceBytes(s *event.Source) int {
	n := len(s.BodyFunction) + len(s.HeaderFunction) + len(s.PubSub)
	if s.CustomResponse != nil {
		n += len(s.CustomResponse.Body)
	}
	return n
}

func (a *API) createSource(c *call) (reply, error) {
	var body sourceBody
	if err := a.readJSON(c.r, &body); err != nil {
		return reply{}, err
	}
	s := event.Source{ProjectID: c.project.ID, Type: event.SourceHTTP}
	setText(&s.Type, body.Type)
	if err := body.apply(&s); err != nil {
		return reply{}, err
	}
	made, err := a.o.Catalog.CreateSource(s)
	return a.respondSource(http.StatusCreated, "Source created successfully", made, err)
}

func (a *API) getSource(c *call) (reply, error) {
	s, err := c.source()
	return a.respondSource(http.StatusOK, "Source fetched successfully", s, err)
}

// updateSource changes what the body names and leaves the rest.
func (a *API) updateSource(c *call) (reply, error) {
	s, err := c.source()
	if err != nil {
		return reply{}, err
	}
	var body sourceBody
	if err := a.readJSON(c.r, &body); err != nil {
		return reply{}, err
	}
	s, err = a.o.Catalog.UpdateSource(c.project.ID, s.ID, body.apply)
	return a.respondSource(http.StatusAccepted, "Source updated successfully", s, err)
}

func (a *API) deleteSource(c *call) (reply, error) {
	s, err := c.source()
	if err != nil {
		return reply{}, err
	}
	if err := a.o.Catalog.DeleteSource(c.project.ID, s.ID); err != nil {
		return reply{}, err
	}
	return respond(http.StatusOK, "Source deleted successfully", nil)
}

// source is the source in the path, if the project has it.
func (c *call) source() (*event.Source, error) {
	id, err := pathID(c.r, "sourceID")
	if err != nil {
		return nil, err
	}
	s := c.snap.Source(c.project.ID, id)
	if s == nil {
		return nil, event.ErrNotFound
	}
	return s, nil
}

func (a *API) respondSource(code int, message string, s *event.Source, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return respond(code, message, newSourceView(s, a.o.PublicURL))
}
