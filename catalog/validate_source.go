package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
)

// maxPubSubBytes bounds a broker's settings, as JSON.
const maxPubSubBytes = 64 << 10

// normalizeSource fills defaults in and checks the rest. The source is the catalog's
// own copy.
func normalizeSource(s *event.Source) error {
	if s.Type == "" {
		s.Type = event.SourceHTTP
	}
	if err := checkName("name", s.Name); err != nil {
		return err
	}
	if err := normalizePubSub(s); err != nil {
		return err
	}
	if err := normalizeVerifier(s); err != nil {
		return err
	}
	if err := checkSelectors(s); err != nil {
		return err
	}
	if err := normalizeForwardHeaders(s); err != nil {
		return err
	}
	if err := normalizeCustomResponse(s); err != nil {
		return err
	}
	for _, f := range []struct {
		field  string
		source *string
	}{{"body_function", &s.BodyFunction}, {"header_function", &s.HeaderFunction}} {
		if err := normalizeFunction(f.field, f.source); err != nil {
			return err
		}
	}
	if s.CRCVerifiedAt != nil {
		*s.CRCVerifiedAt = s.CRCVerifiedAt.UTC().Round(0)
	}
	return nil
}

// normalizePubSub checks the type, and a broker's settings, which only the sources
// that read one have. This server reads none, so these are always disabled.
func normalizePubSub(s *event.Source) error {
	switch s.Type {
	case event.SourceHTTP, event.SourceREST:
		s.PubSub = nil
		return nil
	case event.SourcePubSub, event.SourceDBStream:
		s.IsDisabled = true
	default:
		return event.Invalid("type", "must be %q, %q, %q or %q", event.SourceHTTP, event.SourceREST, event.SourcePubSub, event.SourceDBStream)
	}
	if text := bytes.TrimSpace(s.PubSub); len(text) == 0 || string(text) == "null" {
		s.PubSub = nil
		if s.Type == event.SourcePubSub {
			return event.Invalid("pub_sub", "is missing; a source of the type %q needs the settings of its broker", s.Type)
		}
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, s.PubSub); err != nil || compact.Bytes()[0] != '{' {
		return event.Invalid("pub_sub", "must be a JSON object")
	}
	if compact.Len() > maxPubSubBytes {
		return event.Invalid("pub_sub", "has %d bytes; at most %d are allowed", compact.Len(), maxPubSubBytes)
	}
	s.PubSub = compact.Bytes()
	return nil
}

func checkSelectors(s *event.Source) error {
	if len(s.IdempotencyKeys) == 0 {
		s.IdempotencyKeys = nil
	}
	if n := len(s.IdempotencyKeys); n > event.MaxSourceSelectors {
		return event.Invalid("idempotency_keys", "has %d entries; at most %d are allowed", n, event.MaxSourceSelectors)
	}
	for i, text := range s.IdempotencyKeys {
		if err := checkSelector(fmt.Sprintf("idempotency_keys[%d]", i), text); err != nil {
			return err
		}
	}
	if s.EventTypeLocation == "" {
		return nil
	}
	return checkSelector("event_type_location", s.EventTypeLocation)
}

// normalizeForwardHeaders lists each name once: names are the same in any letter case.
func normalizeForwardHeaders(s *event.Source) error {
	if n := len(s.ForwardHeaders); n > event.MaxForwardHeaders {
		return event.Invalid("forward_headers", "has %d entries; at most %d are allowed", n, event.MaxForwardHeaders)
	}
	var names []string
	seen := make(map[string]bool, len(s.ForwardHeaders))
	for i, name := range s.ForwardHeaders {
		if err := checkReceivedHeader(fmt.Sprintf("forward_headers[%d]", i), name); err != nil {
			return err
		}
		if lower := strings.ToLower(name); !seen[lower] {
			seen[lower] = true
			names = append(names, name)
		}
	}
	s.ForwardHeaders = names
	return nil
}

// checkReceivedHeader checks the name of a header that is looked for in requests.
func checkReceivedHeader(field, name string) error {
	if len(name) > maxHeaderNameBytes {
		return event.Invalid(field, "has %d bytes; at most %d are allowed", len(name), maxHeaderNameBytes)
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return event.Invalid(field, "is not a header name; use letters, digits and -")
	}
	return nil
}

// normalizeCustomResponse checks what is answered in the place of the envelope; an
// empty one is none.
func normalizeCustomResponse(s *event.Source) error {
	r := s.CustomResponse
	if r == nil || *r == (event.CustomResponse{}) {
		s.CustomResponse = nil
		return nil
	}
	if n := len(r.Body); n > event.MaxResponseBytes {
		return event.Invalid("custom_response.body", "has %d bytes; at most %d are allowed", n, event.MaxResponseBytes)
	}
	if !utf8.ValidString(r.Body) {
		return event.Invalid("custom_response.body", "is not valid UTF-8")
	}
	if r.ContentType == "" {
		return nil
	}
	if err := checkText("custom_response.content_type", r.ContentType, event.MaxNameBytes); err != nil {
		return err
	}
	if kind, _, err := mime.ParseMediaType(r.ContentType); err != nil || !strings.Contains(kind, "/") || !httpguts.ValidHeaderFieldValue(r.ContentType) {
		return event.Invalid("custom_response.content_type", "is not a media type such as application/json")
	}
	return nil
}
