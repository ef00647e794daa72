package match

import (
	"bytes"
	"math"
	"unicode/utf8"

	"posthaste/internal/jsonscan"
)

// document is a JSON text with an index of its values, in the order in which
// they start. The children of a value are the ones after it, each at the next of
// the one before, up to its own next:
//
//	{"a": [1, 2], "b": 3}
//	0     1 2  3       4      next: 5 4 3 4 5
//
// The index takes 16 bytes for a value, so at most 8 for each byte of the text.
type document struct {
	src   []byte
	nodes []node // empty: there is no value

	text bool // texts also stand for the numbers and truth values that they spell
	fold bool // the names of the outermost object compare without case
}

// node is one value.
type node struct {
	key      uint32 // where its name starts, at the quote, 0 in an array; the top bit says that it is not plain
	from, to uint32
	next     uint32 // while its end is not yet known: its parent
}

const (
	notPlain = 1 << 31
	noParent = math.MaxUint32
)

// read indexes another text. One that is not JSON holds no value.
func (d *document) read(src []byte) {
	d.src, d.nodes = src, d.nodes[:0]
	if len(src) < notPlain && jsonscan.Validate(src) == nil {
		d.index()
	}
}

// index walks the text, which is known to be JSON.
func (d *document) index() {
	parent, key := uint32(noParent), uint32(0)
	for i := 0; i < len(d.src); {
		c := d.src[i]
		switch {
		case c <= ' ' || c == ',' || c == ':':
			i++
		case c == '}' || c == ']':
			i++
			p := &d.nodes[parent]
			parent, p.next, p.to = p.next, uint32(len(d.nodes)), uint32(i)
		case c == '"' && key == 0 && parent != noParent && d.src[d.nodes[parent].from] == '{':
			end, plain := stringEnd(d.src, i)
			if key = uint32(i); !plain {
				key |= notPlain
			}
			i = end
		case c == '{' || c == '[':
			d.nodes = append(d.nodes, node{key: key, from: uint32(i), next: parent})
			parent, key = uint32(len(d.nodes)-1), 0
			i++
		default:
			end := scalarEnd(d.src, i)
			d.nodes = append(d.nodes, node{key: key, from: uint32(i), to: uint32(end), next: uint32(len(d.nodes) + 1)})
			key = 0
			i = end
		}
	}
}

// stringEnd is the offset after the string at i, and whether its inside means
// just what it says.
func stringEnd(src []byte, i int) (end int, plain bool) {
	plain = true
	for i++; ; i++ {
		switch c := src[i]; {
		case c == '"':
			return i + 1, plain
		case c == '\\':
			plain = false
			i++
		case c >= utf8.RuneSelf:
			plain = false // it may not be UTF-8
		}
	}
}

func scalarEnd(src []byte, i int) int {
	if src[i] == '"' {
		end, _ := stringEnd(src, i)
		return end
	}
	for i < len(src) && src[i] > ' ' && src[i] != ',' && src[i] != '}' && src[i] != ']' {
		i++
	}
	return i
}

// has reports whether there is a value at all.
func (d *document) has() bool { return len(d.nodes) > 0 }

// kind is the kind of a value.
func (d *document) kind(n uint32) jsonscan.Kind { return jsonscan.KindOf(d.src[d.nodes[n].from:]) }

// seen is the kind that a value counts as in a test: in a document of texts, as
// which a request's parts may be given in JSON, a number is the text of it.
func (d *document) seen(n uint32) jsonscan.Kind {
	k := d.kind(n)
	if d.text && (k == jsonscan.Number || k == jsonscan.Bool) {
		return jsonscan.String
	}
	return k
}

// raw is a value as it stands in the text.
func (d *document) raw(n uint32) []byte { return d.src[d.nodes[n].from:d.nodes[n].to] }

// name is the name of a member: a part of the text, or written over scratch,
// which it returns grown.
func (d *document) name(n uint32, scratch []byte) (name, newScratch []byte) {
	key := d.nodes[n].key
	from := key &^ notPlain
	if key&notPlain == 0 {
		inside := d.src[from+1:]
		return inside[:bytes.IndexByte(inside, '"')], scratch
	}
	end, _ := stringEnd(d.src, int(from))
	scratch, _ = jsonscan.Unquote(scratch[:0], d.src[from:end])
	return scratch, scratch
}

// unquoted is the text of what is seen as a string, likewise.
func (d *document) unquoted(n uint32, scratch []byte) (text, newScratch []byte) {
	raw := d.raw(n)
	if raw[0] != '"' {
		return raw, scratch
	}
	if inside := raw[1 : len(raw)-1]; bytes.IndexByte(inside, '\\') < 0 && utf8.Valid(inside) {
		return inside, scratch
	}
	scratch, _ = jsonscan.Unquote(scratch[:0], raw)
	return scratch, scratch
}
