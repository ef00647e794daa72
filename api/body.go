package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"posthaste/event"
)

// readBody reads a request's JSON body, within the bound.
func (a *API) readBody(r *http.Request) ([]byte, error) {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return nil, errMediaType
	}
	return a.readAll(r)
}

// readAll reads a request's body of any kind, within the bound.
func (a *API) readAll(r *http.Request) ([]byte, error) {
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return nil, errEncoding
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, a.o.MaxBodyBytes))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, &httpError{http.StatusRequestEntityTooLarge,
			fmt.Sprintf("request body too large: at most %d bytes are taken here", large.Limit)}
	}
	if err != nil {
		return nil, event.Invalid("", "the body could not be read to its end")
	}
	return body, nil
}

// readJSON reads a request's JSON body over *into, see decode. Of a strict request, a
// field that *into does not have is refused.
func (a *API) readJSON(r *http.Request, into any) error {
	body, err := a.readBody(r)
	if err != nil {
		return err
	}
	return a.decodeFor(r, body, into)
}

// decodeFor is decode as a request asks for it.
func (a *API) decodeFor(r *http.Request, body []byte, into any) error {
	if err := decode(body, into); err != nil {
		return err
	}
	if a.o.Strict || prefersStrict(r) {
		return refuseUnknown(body, reflect.TypeOf(into))
	}
	return nil
}

// decode reads a JSON object over *into: a field that the body does not have
// stays as it is, and a field that *into does not have is ignored, because
// Convoy's clients send many. Of a field that comes twice the last one counts.
func decode(body []byte, into any) error {
	if i := invalidUTF8(body); i >= 0 {
		return event.Invalid("", "invalid JSON: not UTF-8 at byte %d", i)
	}
	err := json.Unmarshal(body, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		return event.Invalid("", "invalid JSON at byte %d: %s", syntax.Offset, syntax)
	case errors.As(err, &kind):
		return wrongKind(kind)
	}
	return event.Invalid("", "invalid JSON: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// wrongKind says what was wanted in the place of what was sent.
func wrongKind(err *json.UnmarshalTypeError) error {
	field := jsonPath(err.Field)
	switch {
	case err.Type == reflect.TypeFor[seconds]():
		return event.Invalid(field, wantSeconds)
	case err.Type == reflect.TypeFor[optionalTime]():
		return event.Invalid(field, wantTime)
	case err.Offset == 0:
		return event.Invalid(field, "want %s, got %s", wantText(err.Type), err.Value)
	}
	return event.Invalid(field, "want %s, got %s (at byte %d)", wantText(err.Type), err.Value, err.Offset)
}

// invalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(b []byte) int {
	if utf8.Valid(b) {
		return -1
	}
	i := 0
	for {
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
}

// jsonPath leaves the names of embedded structs out of a path. They are Go's, with
// a capital letter; the names in JSON are small.
func jsonPath(path string) string {
	parts := slices.DeleteFunc(strings.Split(path, "."), func(part string) bool {
		return part != "" && part[0] >= 'A' && part[0] <= 'Z'
	})
	return strings.Join(parts, ".")
}

// wantText names a Go type as JSON does.
func wantText(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number"
}

// isEmpty reports whether a JSON value says nothing: absent, null, "", {} or [].
func isEmpty(raw json.RawMessage) bool {
	switch text := strings.Join(strings.Fields(string(raw)), ""); text {
	case "", "null", `""`, "{}", "[]":
		return true
	}
	return false
}
