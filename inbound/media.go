package inbound

import (
	"bytes"
	"mime"

	"github.com/valyala/fasthttp"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

type coding uint8

const (
	identity coding = iota
	gzipped
	zstandard
)

// contentEncoding is how the body is compressed. Only one encoding is taken: two of
// them, in one header or in two, are refused like an unknown one.
func contentEncoding(h *fasthttp.RequestHeader) (coding, *refusal) {
	all := h.PeekAll(fasthttp.HeaderContentEncoding)
	if len(all) == 0 {
		return identity, nil
	}
	switch name := all[0]; {
	case len(all) > 1:
	case len(name) == 0, bytes.EqualFold(name, []byte("identity")):
		return identity, nil
	case bytes.EqualFold(name, []byte("gzip")), bytes.EqualFold(name, []byte("x-gzip")):
		return gzipped, nil
	case bytes.EqualFold(name, []byte("zstd")):
		return zstandard, nil
	}
	return 0, refuseEncoding
}

// dataOf makes the event's data of a body: a part of it, or new memory. Parameters
// such as charset are ignored: JSON is UTF-8 (RFC 8259, 8.1).
func (r *request) dataOf(body []byte) ([]byte, *refusal) {
	if len(body) == 0 {
		return nil, refuseEmpty
	}
	full := r.head.ContentType()
	kind, _, _ := bytes.Cut(full, []byte{';'})
	kind = bytes.TrimSpace(kind)
	switch {
	case isJSON(kind):
		return r.json(body, "")
	case len(kind) == 0, bytes.EqualFold(kind, []byte("text/plain")):
		return r.json(body, refuseMedia.message)
	case r.plan.src.Provider == event.ProviderTwitter:
		return nil, refuseNoObject
	case bytes.EqualFold(kind, []byte("application/x-www-form-urlencoded")):
		return urlencoded(body)
	case bytes.EqualFold(kind, []byte("multipart/form-data")):
		_, params, err := mime.ParseMediaType(string(full))
		if err != nil || params["boundary"] == "" {
			return nil, malformed("Content-Type: multipart/form-data without a boundary")
		}
		return multiparts(body, params["boundary"])
	}
	return nil, refuseMedia
}

// isJSON takes application/json, text/json, and what RFC 6839 makes of them.
func isJSON(kind []byte) bool {
	const suffix = "+json"
	return bytes.EqualFold(kind, []byte(mediaTypeJSON)) || bytes.EqualFold(kind, []byte("text/json")) ||
		len(kind) > len(suffix) && bytes.EqualFold(kind[len(kind)-len(suffix):], []byte(suffix))
}

// json takes a body that is JSON. If it is not, the answer is what is wrong with it or,
// where nobody said that it was JSON, want.
func (r *request) json(body []byte, want string) ([]byte, *refusal) {
	if err := jsonscan.Validate(body); err != nil {
		if want != "" {
			return nil, unsupported(want)
		}
		return nil, malformed("invalid JSON: %v", err)
	}
	data := bytes.Trim(body, " \t\r\n")
	if r.plan.src.Provider == event.ProviderTwitter && jsonscan.KindOf(data) != jsonscan.Object {
		return nil, refuseNoObject
	}
	return data, nil
}
