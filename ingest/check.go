package ingest

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// check makes an item of an event's raw values, or an item that says what is
// wrong with them.
func (r *request) check(f *fields) item {
	it := item{headersFrom: len(r.headers)}
	if it.no = r.fill(&it, f); it.no != nil {
		clear(r.headers[it.headersFrom:])
		r.headers = r.headers[:it.headersFrom]
	}
	it.headersTo = len(r.headers)
	return it
}

func (r *request) fill(it *item, f *fields) (no *refusal) {
	if no = r.missing(f); no != nil {
		return no
	}
	if no = r.address(it, f); no != nil {
		return no
	}
	if it.eventType, no = text("event_type", f.eventType, event.MaxNameBytes); no != nil {
		return no
	}
	if f.key != nil {
		if it.key, no = text("idempotency_key", f.key, event.MaxIdempotencyKeyBytes); no != nil {
			return no
		}
	}
	if len(f.data) > r.maxData {
		return dataTooLarge(len(f.data), r.maxData)
	}
	it.data = f.data
	if f.headers == nil {
		return nil
	}
	return r.customHeaders(f.headers)
}

// missing names every field that the event lacks, in Convoy's words.
func (r *request) missing(f *fields) *refusal {
	noOwner := r.route == routeFanout && f.owner == nil
	noURL := r.route == routeDynamic && f.url == nil
	if f.data != nil && f.eventType != nil && !noOwner && !noURL && (f.key != nil || !r.requireKey) {
		return nil
	}
	var lacks []string
	if f.data == nil {
		lacks = append(lacks, "data:please provide your data")
	}
	if f.eventType == nil {
		lacks = append(lacks, "event_type:please provide an event type")
	}
	if noOwner {
		lacks = append(lacks, "owner_id:please provide an owner id")
	}
	if noURL {
		lacks = append(lacks, "url:please provide a url")
	}
	if len(lacks) == 0 {
		return malformed("idempotency_key is required when a custom request_id_header is configured")
	}
	return malformed("%s", strings.Join(lacks, ", "))
}

// text is what a raw value stands for, if it is a string of at most limit
// bytes that can travel in a header and be shown on a screen.
func text(field string, raw []byte, limit int) ([]byte, *refusal) {
	inside, ok := unquote(raw)
	switch {
	case !ok:
		return nil, malformed("%s:must be a string", field)
	case len(inside) > limit:
		return nil, malformed("%s:at most %d bytes", field, limit)
	case !printable(inside):
		return nil, malformed("%s:must be UTF-8 without control characters", field)
	}
	return inside, nil
}

// unquote is the text of a JSON string: a span of it if it has no escapes.
func unquote(raw []byte) (inside []byte, ok bool) {
	if jsonscan.KindOf(raw) != jsonscan.String {
		return nil, false
	}
	inside = raw[1 : len(raw)-1]
	if bytes.IndexByte(inside, '\\') < 0 {
		return inside, true
	}
	inside, err := jsonscan.Unquote(nil, raw)
	return inside, err == nil
}

func printable(b []byte) bool {
	for i, c := range b {
		if c >= utf8.RuneSelf {
			return utf8.Valid(b[i:]) && bytes.IndexFunc(b[i:], unicode.IsControl) < 0
		}
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
