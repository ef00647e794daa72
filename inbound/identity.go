package inbound

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"unicode"
	"unicode/utf8"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// eventType is the type that the request names, or the source's mask id.
func (r *request) eventType() (string, *refusal) {
	where := r.plan.eventType
	text, kind := where.find(r)
	switch {
	case kind == jsonscan.Invalid, kind == jsonscan.Object, kind == jsonscan.Array:
		return r.plan.src.MaskID, nil
	case len(text) > event.MaxNameBytes:
		return "", malformed("event type: at most %d bytes at %s", event.MaxNameBytes, where)
	case !printable(text):
		return "", malformed("event type: want UTF-8 without control characters at %s", where)
	}
	return string(text), nil
}

func printable(b []byte) bool {
	return utf8.Valid(b) && bytes.IndexFunc(b, unicode.IsControl) < 0
}

// idempotencyKey is the hexadecimal SHA-256 of the source's id and, for each selector,
// the length of what it finds (a varint) and that itself; "" if none finds anything.
func (r *request) idempotencyKey() string {
	if len(r.plan.keys) == 0 {
		return ""
	}
	found := false
	h := sha256.New()
	h.Write(r.plan.src.ID[:])
	var length [binary.MaxVarintLen64]byte
	for _, s := range r.plan.keys {
		text, kind := s.find(r)
		found = found || kind != jsonscan.Invalid
		h.Write(length[:binary.PutUvarint(length[:], uint64(len(text)))])
		h.Write(text)
	}
	if !found {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}
