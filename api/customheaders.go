package api

import (
	"maps"
	"slices"
	"strings"

	"posthaste/event"
)

// headersView is custom headers as they are shown: by name, without what opens
// something.
func headersView(headers []event.Header) map[string]string {
	view := make(map[string]string, len(headers))
	for _, h := range headers {
		view[h.Name] = h.Value
		if event.SecretHeader(h.Name) {
			view[h.Name] = hide(h.Value)
		}
	}
	return view
}

// customHeaders are custom headers as a request gives them, sorted by name. What is
// masked is as it was before.
func customHeaders(sent map[string]string, before []event.Header) ([]event.Header, error) {
	known := make(map[string]string, len(before))
	for _, h := range before {
		known[strings.ToLower(h.Name)] = h.Value
	}
	var headers []event.Header // nil: none
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		value, err := unhide("custom_headers."+name, sent[name], known[strings.ToLower(name)])
		if err != nil {
			return nil, err
		}
		headers = append(headers, event.Header{Name: name, Value: value})
	}
	return headers, nil
}
