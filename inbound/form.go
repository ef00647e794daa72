package inbound

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"posthaste/internal/jsonscan"
)

// maxFields bounds the values of a form: each takes some hundred bytes while the form
// is read.
const maxFields = 1000

var refuseFields = malformed("a form of more than %d values", maxFields)

// form collects the values of a form by name.
type form struct {
	values map[string][][]byte // as JSON
	count  int
}

// add appends a value, which is JSON, to those of its name.
func (f *form) add(name string, value []byte) *refusal {
	if f.count++; f.count > maxFields {
		return refuseFields
	}
	if f.values == nil {
		f.values = make(map[string][][]byte)
	}
	name = strings.ToValidUTF8(name, "\uFFFD") // what Quote makes of it, or two names could become one
	f.values[name] = append(f.values[name], value)
	return nil
}

// object is the form as JSON, the same for the same values whatever the order of
// their names.
func (f *form) object() []byte {
	dst := []byte{'{'}
	for i, name := range slices.Sorted(maps.Keys(f.values)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsonscan.Quote(dst, name), ':')
		values := f.values[name]
		if len(values) == 1 {
			dst = append(dst, values[0]...)
			continue
		}
		dst = append(dst, '[')
		dst = append(dst, bytes.Join(values, []byte{','})...)
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// urlencoded makes JSON of a urlencoded form.
func urlencoded(body []byte) ([]byte, *refusal) {
	var f form
	for name, value := range pairs(body) {
		if no := f.add(string(name), jsonscan.Quote(nil, string(value))); no != nil {
			return nil, no
		}
	}
	return f.object(), nil
}

// pairs goes over names and values that are urlencoded, of a form or of a query.
func pairs(encoded []byte) func(yield func(name, value []byte) bool) {
	return func(yield func(name, value []byte) bool) {
		for part := range bytes.SplitSeq(encoded, []byte{'&'}) {
			if len(part) == 0 {
				continue
			}
			name, value, _ := bytes.Cut(part, []byte{'='})
			if !yield(unescape(name), unescape(value)) {
				return
			}
		}
	}
}

// unescape undoes urlencoding. A percent sign without two hexadecimal digits after it
// stands for itself, as browsers and the URL standard have it.
func unescape(src []byte) []byte {
	if bytes.IndexByte(src, '%') < 0 && bytes.IndexByte(src, '+') < 0 {
		return src
	}
	dst := make([]byte, 0, len(src))
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '+':
			dst = append(dst, ' ')
		case c == '%' && i+2 < len(src) && hexDigit(src[i+1]) >= 0 && hexDigit(src[i+2]) >= 0:
			dst = append(dst, byte(hexDigit(src[i+1])<<4|hexDigit(src[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// hexDigit is the value of a hexadecimal digit, -1 for another character.
func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
