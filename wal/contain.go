package wal

import (
	"bytes"
	"encoding/json"
	"strings"

	"posthaste/event"
)

// Bounds of a body filter: what it costs to look for it grows with its parts.
const (
	maxBodyParts = 256 // values in it, members and elements included
	maxBodyDepth = 32
)

// jsonNode is a JSON value to be looked for in others.
type jsonNode struct {
	kind    byte   // one of { [ " 0 t f n
	text    string // of a string, decoded
	number  decimal
	members []jsonMember
	items   []*jsonNode
}

type jsonMember struct {
	name string
	node *jsonNode
}

// parseContained reads a body filter and counts its parts.
func parseContained(raw []byte) (*jsonNode, int, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return nil, 0, event.Invalid("body", "is not one JSON value")
	}
	b := nodeBuilder{}
	n := b.node(v, 0)
	if b.tooMuch {
		return nil, 0, event.Invalid("body", "has more than %d values, or they are nested more than %d deep; look for less", maxBodyParts, maxBodyDepth)
	}
	return n, b.parts, nil
}

type nodeBuilder struct {
	parts   int
	tooMuch bool
}

func (b *nodeBuilder) node(v any, depth int) *jsonNode {
	b.parts++
	if b.tooMuch = b.tooMuch || b.parts > maxBodyParts || depth > maxBodyDepth; b.tooMuch {
		return nil
	}
	n := &jsonNode{kind: 'n'}
	switch v := v.(type) {
	case map[string]any:
		n.kind = '{'
		for name, value := range v {
			n.members = append(n.members, jsonMember{name, b.node(value, depth+1)})
		}
	case []any:
		n.kind = '['
		for _, value := range v {
			n.items = append(n.items, b.node(value, depth+1))
		}
	case string:
		n.kind, n.text = '"', v
	case json.Number:
		n.kind, n.number = '0', parseDecimal([]byte(v))
	case bool:
		n.kind = 'f'
		if v {
			n.kind = 't'
		}
	}
	return n
}

// within reports whether data, which is valid JSON, contains n as PostgreSQL's @> has
// it: an object contains one with some of its members, each containing its counterpart;
// an array one whose elements each are contained in one of its own; a scalar
// itself. At the top an array contains its scalars, too.
func (n *jsonNode) within(data []byte) bool {
	data = bytes.Trim(data, " \t\r\n")
	if len(data) == 0 {
		return false
	}
	if data[0] == '[' && n.kind != '{' && n.kind != '[' {
		return anyElement(data, n.in)
	}
	return n.in(data)
}

// in is within without the exception. raw is a value without white space around it.
func (n *jsonNode) in(raw []byte) bool {
	switch n.kind {
	case '{':
		return raw[0] == '{' && n.inObject(raw)
	case '[':
		if raw[0] != '[' {
			return false
		}
		for _, item := range n.items {
			if !anyElement(raw, item.in) {
				return false
			}
		}
		return true
	case '"':
		return raw[0] == '"' && sameText(raw, n.text)
	case '0':
		return (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') && parseDecimal(raw) == n.number
	}
	return raw[0] == n.kind
}

// inObject looks every member up. Of members with one name the last counts.
func (n *jsonNode) inObject(raw []byte) bool {
	found := make([][]byte, len(n.members))
	for at := skipSpace(raw, 1); at < len(raw) && raw[at] == '"'; {
		end := skipValue(raw, at)
		name := raw[at:end]
		at = skipSpace(raw, skipSpace(raw, end)+1) // the colon
		end = skipValue(raw, at)
		for i := range n.members {
			if sameText(name, n.members[i].name) {
				found[i] = raw[at:end]
			}
		}
		at = skipSpace(raw, skipSpace(raw, end)+1) // the comma
	}
	for i, value := range found {
		if len(value) == 0 || !n.members[i].node.in(value) {
			return false
		}
	}
	return true
}

// anyElement reports whether one of an array's elements passes.
func anyElement(raw []byte, passes func([]byte) bool) bool {
	for at := skipSpace(raw, 1); at < len(raw) && raw[at] != ']'; {
		end := skipValue(raw, at)
		if end == at {
			return false // not JSON
		}
		if passes(raw[at:end]) {
			return true
		}
		at = skipSpace(raw, skipSpace(raw, end)+1) // the comma
	}
	return false
}

// sameText compares a string's raw form with a text.
func sameText(raw []byte, text string) bool {
	inner := raw[1:max(1, len(raw)-1)]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner) == text
	}
	var decoded string
	return json.Unmarshal(raw, &decoded) == nil && decoded == text
}

func skipSpace(b []byte, at int) int {
	at = min(at, len(b))
	for at < len(b) && (b[at] == ' ' || b[at] == '\n' || b[at] == '\t' || b[at] == '\r') {
		at++
	}
	return at
}

// skipValue is where a value ends.
func skipValue(b []byte, at int) int {
	depth := 0
	for at < len(b) {
		switch b[at] {
		case '"':
			at = skipString(b, at)
		case '{', '[':
			depth++
			at++
			continue
		case '}', ']':
			depth--
			at++
		case ' ', '\n', '\t', '\r', ',', ':':
			at++
			continue
		default:
			for at < len(b) && !strings.ContainsRune(" \n\t\r,:]}", rune(b[at])) {
				at++
			}
		}
		if depth <= 0 {
			return at
		}
	}
	return at
}

func skipString(b []byte, at int) int {
	for at++; at < len(b); at++ {
		switch b[at] {
		case '\\':
			at++
		case '"':
			return at + 1
		}
	}
	return len(b)
}

// decimal is a number in a form that is the same for equal numbers: its digits without
// zeros at the ends, and the power of ten of the first.
type decimal struct {
	negative bool
	digits   string
	power    int
}

const maxPower = 1 << 40

func parseDecimal(raw []byte) (d decimal) {
	d.negative = raw[0] == '-'
	raw = bytes.TrimPrefix(raw, []byte("-"))
	mantissa, exponent := raw, []byte(nil)
	if i := bytes.IndexAny(raw, "eE"); i >= 0 {
		mantissa, exponent = raw[:i], raw[i+1:]
	}
	whole, fraction, _ := bytes.Cut(mantissa, []byte("."))
	digits := append(bytes.Clone(whole), fraction...)
	d.power = len(whole) + powerOf(exponent)
	trimmed := bytes.TrimLeft(digits, "0")
	d.power -= len(digits) - len(trimmed)
	if d.digits = string(bytes.TrimRight(trimmed, "0")); d.digits == "" {
		return decimal{}
	}
	return d
}

func powerOf(exponent []byte) int {
	negative := bytes.HasPrefix(exponent, []byte("-"))
	n := 0
	for _, c := range bytes.TrimLeft(exponent, "+-") {
		n = min(n*10+int(c-'0'), maxPower)
	}
	if negative {
		return -n
	}
	return n
}
