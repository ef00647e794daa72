package inbound

import (
	"bytes"
	"strconv"
	"strings"

	"posthaste/internal/jsonscan"
)

type part uint8

const (
	fromNowhere part = iota
	fromBody
	fromHeader
	fromQuery
)

// maxSelectorBytes bounds a selector, and so how deep a search goes.
const maxSelectorBytes = 1024

// selector is a place in a request. The zero value finds nothing.
type selector struct {
	from part
	name string // of a header or a parameter; in the body, a path
}

// parseSelector reads what the package's comment describes. Anything else finds
// nothing.
func parseSelector(text string) selector {
	text = strings.TrimSpace(text)
	if len(text) > maxSelectorBytes {
		return selector{}
	}
	root, name, _ := strings.Cut(text, ".")
	if strings.EqualFold(root, "request") || strings.EqualFold(root, "req") {
		root, name, _ = strings.Cut(name, ".")
	}
	switch strings.ToLower(root) {
	case "body":
		return selector{fromBody, name}
	case "header", "headers":
		return selector{fromHeader, name}
	case "query", "queryparam", "queryparams":
		return selector{fromQuery, name}
	}
	return selector{}
}

// find is the text at the selector's place, which may be a part of the request, and its
// kind: Invalid if there is no text, String outside of the body.
func (s selector) find(r *request) (text []byte, kind jsonscan.Kind) {
	kind = jsonscan.String
	switch {
	case s.from == fromBody:
		value := find(r.data, s.name)
		text, kind = textOf(value), jsonscan.KindOf(value)
	case s.name == "":
	case s.from == fromHeader:
		text = join(r.head.PeekAll(s.name), ", ")
	case s.from == fromQuery:
		text = join(parameters(r.query, s.name), ",")
	}
	if len(text) == 0 {
		kind = jsonscan.Invalid
	}
	return text, kind
}

func (s selector) String() string {
	return [...]string{"nowhere", "request.body.", "request.header.", "request.query."}[s.from] + s.name
}

func join(values [][]byte, separator string) []byte {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return values[0]
	}
	return bytes.Join(values, []byte(separator))
}

// parameters lists the values of a query's parameter.
func parameters(query []byte, name string) (values [][]byte) {
	for n, value := range pairs(query) {
		if string(n) == name {
			values = append(values, value)
		}
	}
	return values
}

// textOf is what a JSON value stands for: a string's text, nothing for null and for
// no value, and any other as it is written.
func textOf(value []byte) []byte {
	switch jsonscan.KindOf(value) {
	case jsonscan.Invalid, jsonscan.Null:
		return nil
	case jsonscan.String:
		inside := value[1 : len(value)-1]
		if bytes.IndexByte(inside, '\\') < 0 {
			return inside
		}
		inside, _ = jsonscan.Unquote(nil, value)
		return inside
	}
	return value
}

// find is the value that a path leads to in a value, which must be JSON without white
// space around it; nil if it leads nowhere. Of two members of one name, the last that
// the path can be followed in counts.
func find(value []byte, path string) (found []byte) {
	if path == "" {
		return value
	}
	var s jsonscan.Scanner
	switch jsonscan.KindOf(value) {
	case jsonscan.Object:
		s.Object(value)
		for s.Next() {
			if rest, ok := follow(path, s.Key()); ok {
				if v := find(s.Value(), rest); v != nil {
					found = v
				}
			}
		}
	case jsonscan.Array:
		name, rest, _ := strings.Cut(path, ".")
		n, err := strconv.ParseUint(name, 10, 31)
		s.Array(value)
		for i := uint64(0); err == nil && s.Next(); i++ {
			if i == n {
				return find(s.Value(), rest)
			}
		}
	}
	return found
}

// follow takes a member's name off a path.
func follow(path string, name []byte) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, string(name))
	if !ok || rest == "" {
		return rest, ok
	}
	return strings.CutPrefix(rest, ".")
}
