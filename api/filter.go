package api

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"posthaste/event"
	"posthaste/match"
)

// filterTestBody is a filter to try out on a made-up event. Convoy's clients write
// header where a subscription has headers.
type filterTestBody struct {
	Request filterTestScopes `json:"request"`
	Schema  filterTestScopes `json:"schema"`
}

// filterTestScopes are the parts of a filter, or the parts of an event that it looks at.
type filterTestScopes struct {
	Header  json.RawMessage `json:"header"`
	Headers json.RawMessage `json:"headers"`
	Body    json.RawMessage `json:"body"`
	Query   json.RawMessage `json:"query"`
	Path    json.RawMessage `json:"path"`
}

// header is the part under either name, and the name.
func (s *filterTestScopes) header() (string, json.RawMessage) {
	if isEmpty(s.Header) && !isEmpty(s.Headers) {
		return "headers", s.Headers
	}
	return "header", s.Header
}

// testFilter says whether an event like the request would pass the filter in schema.
func (a *API) testFilter(c *call) (reply, error) {
	var in filterTestBody
	if err := a.readJSON(c.r, &in); err != nil {
		return reply{}, err
	}
	filter, err := in.Schema.filter()
	if err != nil {
		return reply{}, err
	}
	ev, err := in.Request.event()
	if err != nil {
		return reply{}, err
	}
	var input match.Input
	input.Reset(ev)
	return respond(http.StatusOK, "Filter validated successfully", filter.Match(&input))
}

// filter compiles the scopes as conditions.
func (s *filterTestScopes) filter() (*match.Filter, error) {
	var f event.Filter
	_, headers := s.header()
	setConditions(&f.Headers, headers)
	setConditions(&f.Body, s.Body)
	setConditions(&f.Query, s.Query)
	setConditions(&f.Path, s.Path)
	filter, err := match.CompileFilter(&f)
	var invalid *event.InvalidError
	if errors.As(err, &invalid) {
		return nil, event.Invalid("schema."+invalid.Field, "%s", invalid.Reason)
	}
	return filter, err
}

// event is an event that looks as the scopes say.
func (s *filterTestScopes) event() (*event.Event, error) {
	name, raw := s.header()
	headers, err := texts("request."+name, raw)
	if err != nil {
		return nil, err
	}
	ev := &event.Event{Data: s.Body}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for _, value := range headers[name] {
			ev.Headers = append(ev.Headers, event.Header{Name: name, Value: value})
		}
	}
	if ev.Query, err = s.query(); err != nil {
		return nil, err
	}
	ev.Path, err = s.path()
	return ev, err
}

// query is the query string, given as such or as an object.
func (s *filterTestScopes) query() (string, error) {
	var text string
	if json.Unmarshal(s.Query, &text) == nil {
		return text, nil
	}
	params, err := texts("request.query", s.Query)
	return url.Values(params).Encode(), err
}

// path is the path, given as a text or, as conditions have it, as an object.
func (s *filterTestScopes) path() (string, error) {
	var text string
	if isEmpty(s.Path) || json.Unmarshal(s.Path, &text) == nil {
		return text, nil
	}
	var object struct {
		Path *string `json:"path"`
	}
	if json.Unmarshal(s.Path, &object) != nil || object.Path == nil {
		return "", event.Invalid("request.path", `want a text like "/orders/1", or {"path": "/orders/1"}`)
	}
	return *object.Path, nil
}

// texts reads an object whose values are texts, numbers, truth values, or arrays of
// these: several values of one name.
func texts(field string, raw json.RawMessage) (map[string][]string, error) {
	if isEmpty(raw) {
		return nil, nil
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return nil, event.Invalid(field, "want an object of names and texts")
	}
	out := make(map[string][]string, len(object))
	for name, value := range object {
		list := []json.RawMessage{value}
		if value[0] == '[' {
			list = nil
			if err := json.Unmarshal(value, &list); err != nil {
				return nil, err
			}
		}
		for _, v := range list {
			text, ok := textOf(v)
			if !ok {
				return nil, event.Invalid(field+"."+name, "want a text, or an array of texts")
			}
			out[name] = append(out[name], text)
		}
	}
	return out, nil
}

// textOf is a JSON text, number or truth value as a text.
func textOf(raw json.RawMessage) (string, bool) {
	var text string
	switch raw[0] {
	case '{', '[', 'n':
		return "", false
	case '"':
		return text, json.Unmarshal(raw, &text) == nil
	}
	return string(raw), true
}
