package wal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// What was sent and answered is recorded word for word, and most of its words are the
// same in every attempt. The header lines of an attempt are stored with a number in
// place of a name, and of a value, that is in headerNames, and a run of hexadecimal
// digits, such as a signature, in half of its length:
//
//	text   lines, then 0
//	line   2 + number of the name, value
//	       1, name text, value                 the name has no number
//	       255, length n, bytes                what is no line "Name: value\r\n"; the end
//	value  parts, each: n
//	         n mod 4 = 0   literal of n/4 bytes; the end
//	         n mod 4 = 1   literal of n/4 bytes, then a run: bytes n, at least 16; a part follows
//	         n mod 4 = 2   the name's value n/4; the end
//
// Names and values are compared with case, so that the text that comes out is what
// went in.
const (
	headerTextEnd  = 0
	headerTextName = 1
	headerTextRest = 255
	headerTextBase = 2

	valueLiteral = 0
	valueRun     = 1
	valueKnown   = 2

	minHexBytes = 16
)

// headerNames is part of the format: entries may be added at the end of it and of a
// name's values, and in no other place.
var headerNames = []struct {
	name   string
	values []string
}{
	{"Host", nil},
	{"User-Agent", nil},
	{"Content-Type", []string{"application/json", "text/plain; charset=utf-8", "application/json; charset=utf-8", "text/plain", "text/html; charset=utf-8", "text/html; charset=UTF-8", "text/html", "application/x-www-form-urlencoded"}},
	{"Content-Length", []string{"0", "2"}},
	{"X-Convoy-Signature", nil},
	{"X-Convoy-Event-ID", nil},
	{"X-Convoy-EventDelivery-ID", nil},
	{"X-Convoy-Idempotency-Key", nil},
	{"Convoy-Timestamp", nil},
	{"Posthaste-Replay", []string{"true"}},
	{"Authorization", nil},
	{"webhook-id", nil},
	{"webhook-timestamp", nil},
	{"webhook-signature", nil},
	{"Date", nil},
	{"Server", []string{"nginx", "cloudflare", "Apache", "fasthttp", "Microsoft-IIS/10.0", "envoy", "awselb/2.0", "Google Frontend", "gunicorn"}},
	{"Connection", []string{"keep-alive", "close", "Keep-Alive"}},
	{"Keep-Alive", nil},
	{"Transfer-Encoding", []string{"chunked"}},
	{"Vary", []string{"Accept-Encoding", "Origin"}},
	{"Cache-Control", []string{"no-cache", "no-store", "private", "max-age=0, private, must-revalidate", "no-cache, private"}},
	{"Pragma", []string{"no-cache"}},
	{"Expires", []string{"0", "-1"}},
	{"ETag", nil},
	{"Etag", nil},
	{"Set-Cookie", nil},
	{"Location", nil},
	{"Retry-After", nil},
	{"Via", nil},
	{"X-Request-Id", nil},
	{"X-Runtime", nil},
	{"X-Powered-By", []string{"Express", "PHP/8.3", "ASP.NET"}},
	{"X-Content-Type-Options", []string{"nosniff"}},
	{"X-Frame-Options", []string{"SAMEORIGIN", "DENY"}},
	{"X-XSS-Protection", []string{"0", "1; mode=block"}},
	{"Strict-Transport-Security", []string{"max-age=31536000; includeSubDomains", "max-age=63072000; includeSubDomains", "max-age=31536000"}},
	{"Referrer-Policy", []string{"strict-origin-when-cross-origin", "no-referrer"}},
	{"Access-Control-Allow-Origin", []string{"*"}},
	{"CF-RAY", nil},
	{"CF-Cache-Status", []string{"DYNAMIC"}},
	{"Alt-Svc", []string{`h3=":443"; ma=86400`}},
	{"Report-To", nil},
	{"NEL", nil},
	{"X-Amzn-Trace-Id", nil},
	{"x-amzn-RequestId", nil},
}

// maxNameLen is the length of the longest name in headerNames.
const maxNameLen = 27

// namesByLen finds the few names of a length.
var namesByLen = func() (by [maxNameLen + 1][]byte) {
	for i := range headerNames {
		n := len(headerNames[i].name)
		by[n] = append(by[n], byte(i))
	}
	return by
}()

// appendHeaderText appends the packed form of header lines.
func appendHeaderText(dst, text []byte) []byte {
	for len(text) > 0 {
		name, value, rest, ok := cutHeaderLine(text)
		if !ok {
			return appendBytes(append(dst, headerTextRest), text)
		}
		number := nameNumber(name)
		if number < 0 {
			dst = appendHeaderValue(appendBytes(append(dst, headerTextName), name), value)
		} else {
			dst = appendKnownValue(append(dst, byte(headerTextBase+number)), headerNames[number].values, value)
		}
		text = rest
	}
	return append(dst, headerTextEnd)
}

// cutHeaderLine takes "Name: value\r\n" off the front of text.
func cutHeaderLine(text []byte) (name, value, rest []byte, ok bool) {
	end := bytes.IndexByte(text, '\n')
	if end < 1 || text[end-1] != '\r' {
		return nil, nil, nil, false
	}
	line := text[:end-1]
	colon := bytes.IndexByte(line, ':')
	if colon < 0 || colon+1 == len(line) || line[colon+1] != ' ' {
		return nil, nil, nil, false
	}
	return line[:colon], line[colon+2:], text[end+1:], true
}

func nameNumber(name []byte) int {
	if len(name) > maxNameLen {
		return -1
	}
	for _, i := range namesByLen[len(name)] {
		if headerNames[i].name == string(name) {
			return int(i)
		}
	}
	return -1
}

func appendKnownValue(dst []byte, known []string, value []byte) []byte {
	for i, v := range known {
		if v == string(value) {
			return binary.AppendUvarint(dst, uint64(i)<<2|valueKnown)
		}
	}
	return appendHeaderValue(dst, value)
}

func appendHeaderValue(dst, value []byte) []byte {
	for len(value) >= 2*minHexBytes {
		from, to := hexRun(value)
		if from == to {
			break
		}
		dst = binary.AppendUvarint(dst, uint64(from)<<2|valueRun)
		dst = append(dst, value[:from]...)
		dst = binary.AppendUvarint(dst, uint64(to-from)/2)
		at := len(dst)
		dst = slices.Grow(dst, (to-from)/2)[:at+(to-from)/2]
		_, _ = hex.Decode(dst[at:], value[from:to]) // they are digits
		value = value[to:]
	}
	dst = binary.AppendUvarint(dst, uint64(len(value))<<2|valueLiteral)
	return append(dst, value...)
}

// hexRun finds the first run of lower-case hexadecimal digits that is long enough, of
// an even length; from == to if there is none.
func hexRun(value []byte) (from, to int) {
	for from+2*minHexBytes <= len(value) {
		to = from
		for to < len(value) && isHexDigit[value[to]] {
			to++
		}
		if to-from >= 2*minHexBytes {
			return from, to - (to-from)%2
		}
		from = to + 1
	}
	return 0, 0
}

var isHexDigit = func() (is [256]bool) {
	for _, c := range []byte("0123456789abcdef") {
		is[c] = true
	}
	return is
}()

// headerText reads what appendHeaderText wrote; nil if that was nothing.
func (r *reader) headerText() (text []byte) {
	for {
		switch op := r.byte(); {
		case op == headerTextEnd: // or the record ends before its last field
			return text
		case op == headerTextRest:
			return append(text, r.bytes()...)
		case op == headerTextName:
			text = append(append(text, r.bytes()...), ": "...)
			text = r.headerValue(text, nil)
		case int(op)-headerTextBase < len(headerNames):
			h := &headerNames[op-headerTextBase]
			text = append(append(text, h.name...), ": "...)
			text = r.headerValue(text, h.values)
		default:
			r.bad, r.b = true, nil
			return nil
		}
	}
}

// headerValue appends a value and the end of its line.
func (r *reader) headerValue(text []byte, known []string) []byte {
	for {
		head := r.uvarint()
		n := head >> 2
		switch head & 3 {
		case valueKnown:
			if n >= uint64(len(known)) {
				r.bad, r.b = true, nil
				return text
			}
			return append(append(text, known[n]...), "\r\n"...)
		case valueRun:
			text = append(text, r.takeLong(n)...)
			text = hex.AppendEncode(text, r.bytes())
		default:
			return append(append(text, r.takeLong(n)...), "\r\n"...)
		}
		if r.bad {
			return text
		}
	}
}
