package ingest

import (
	"bytes"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// customHeaders reads the headers that are to travel with an event and appends
// them to r.headers. What a receiver must be able to trust, and what frames a
// message, is not for a producer to set.
func (r *request) customHeaders(raw []byte) *refusal {
	if jsonscan.KindOf(raw) != jsonscan.Object {
		return malformed("custom_headers:must be an object of strings")
	}
	from, size := len(r.headers), 0
	r.header.Object(raw)
	for r.header.Next() {
		h := headerSpan{name: r.header.Key()}
		if no := h.read(r.header.Value()); no != nil {
			return no
		}
		if hasName(r.headers[from:], h.name) {
			return malformed("custom_headers:%.64q is there twice", h.name)
		}
		if len(r.headers)-from == event.MaxCustomHeaders {
			return malformed("custom_headers:at most %d headers", event.MaxCustomHeaders)
		}
		if size += len(h.name) + len(h.value); size > event.MaxHeaderBytes {
			return malformed("custom_headers:at most %d bytes, names and values together", event.MaxHeaderBytes)
		}
		r.headers = append(r.headers, h)
	}
	return nil
}

// read checks the header's name and takes its value.
func (h *headerSpan) read(raw []byte) *refusal {
	if !httpguts.ValidHeaderFieldName(stringOf(h.name)) {
		return malformed("custom_headers:%.64q is not a header name", h.name)
	}
	if reserved(h.name) {
		return malformed("custom_headers:%.64q is reserved, posthaste or the connection sets it", h.name)
	}
	if string(raw) == "null" {
		return nil // an empty value, as Convoy reads it
	}
	value, ok := unquote(raw)
	if !ok {
		return malformed("custom_headers:the value of %.64q must be a string", h.name)
	}
	if !httpguts.ValidHeaderFieldValue(stringOf(value)) {
		return malformed("custom_headers:the value of %.64q has a character that a header cannot carry", h.name)
	}
	h.value = value
	return nil
}

func hasName(headers []headerSpan, name []byte) bool {
	for i := range headers {
		if len(headers[i].name) == len(name) && bytes.EqualFold(headers[i].name, name) {
			return true
		}
	}
	return false
}

var (
	reservedPrefixes = [][]byte{[]byte("webhook-"), []byte("posthaste-"), []byte("proxy-")}
	reservedNames    = [][]byte{
		[]byte("host"), []byte("content-length"), []byte("transfer-encoding"), []byte("connection"), []byte("keep-alive"),
		[]byte("expect"), []byte("te"), []byte("trailer"), []byte("upgrade"), []byte("cookie"),
		[]byte("x-convoy-signature"), []byte("convoy-timestamp"),
	}
)

// reserved reports whether a producer may not set the header of this name.
func reserved(name []byte) bool {
	for _, p := range reservedPrefixes {
		if len(name) >= len(p) && bytes.EqualFold(name[:len(p)], p) {
			return true
		}
	}
	for _, n := range reservedNames {
		if len(name) == len(n) && bytes.EqualFold(name, n) {
			return true
		}
	}
	return false
}
