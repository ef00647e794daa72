package jsonscan

import "unicode/utf8"

// DefaultMaxDepth is how deep arrays and objects may nest, the outermost one
// counted: the limit of encoding/json.
const DefaultMaxDepth = 10_000

// Kind is the type of a JSON value.
type Kind uint8

// The kinds of values. KindOf tells them by their first byte.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// KindOf is the kind of a value as Value hands it out: without white space
// around it, and known to be JSON.
func KindOf(value []byte) Kind {
	if len(value) == 0 {
		return Invalid
	}
	switch value[0] {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	}
	return Number
}

// Scanner walks the members of a top-level object or the elements of a
// top-level array. A loop looks like this; when it is over and Err is nil, the
// whole document is JSON:
//
//	s.Object(document)
//	for s.Next() {
//		use(s.Key(), s.Value())
//	}
//	if err := s.Err(); err != nil {
//
// The zero value is ready, and a Scanner is meant to be used again and again:
// it is over a kilobyte large, most of it the stack of open brackets. It
// belongs to one goroutine at a time.
type Scanner struct {
	// MaxDepth bounds the nesting; 0, or more than DefaultMaxDepth, means
	// DefaultMaxDepth. Set it before Object or Array.
	MaxDepth int

	src    []byte
	pos    int      // the next byte to look at
	base   int      // brackets open around the members, the document's own counted
	limit  int      // MaxDepth, resolved
	open   byte     // '{' or '[': what the document is
	state  progress // how far the walk has got
	nested bool     // a value of another Scanner's document: more follows it
	err    *SyntaxError
	inner  *Scanner // walks the current element, whose end it knows

	keyFrom, keyTo     int
	valueFrom, valueTo int

	// stack has one bit for each open bracket: set for an object. Bits at and
	// above the current depth mean nothing, so it is never cleared.
	stack [DefaultMaxDepth/64 + 1]uint64
}

type progress uint8

const (
	unopened progress = iota // the opening bracket is still to be read
	first                    // no member was read yet
	rest                     // a comma or the end comes next
	over
)

// Object starts a walk over the members of document, which must be an object.
// The Scanner keeps document until it is started again or released.
func (s *Scanner) Object(document []byte) { s.start(document, '{') }

// Array starts a walk over the elements of document, which must be an array.
func (s *Scanner) Array(document []byte) { s.start(document, '[') }

// Release forgets the document, so that a Scanner kept in a pool does not keep
// it alive.
func (s *Scanner) Release() { s.start(nil, '{') }

func (s *Scanner) start(document []byte, open byte) {
	s.src, s.pos, s.base, s.open = document, 0, 1, open
	s.state, s.nested, s.err, s.inner = unopened, false, nil, nil
	s.limit = depthLimit(s.MaxDepth)
}

func depthLimit(limit int) int {
	if limit <= 0 || limit > DefaultMaxDepth {
		return DefaultMaxDepth
	}
	return limit
}

// Next goes to the next member or element and checks it whole. It returns
// false at the end of the document and at its first error, which Err tells apart.
func (s *Scanner) Next() bool {
	if !s.advance() {
		return false
	}
	end := s.value(s.valueFrom)
	if end < 0 {
		return s.halt()
	}
	s.valueTo, s.pos = end, end
	return true
}

// NextInto is Next for an array of objects: an element that is an object is
// not checked but handed to inner, which walks its members in the same pass,
// with offsets of this document. Anything else is checked whole, as by Next;
// Kind tells which. The walk goes on where inner's ends; if inner is left
// early, the rest of its object is checked first.
func (s *Scanner) NextInto(inner *Scanner) bool {
	if !s.advance() {
		return false
	}
	if s.valueFrom < len(s.src) && s.src[s.valueFrom] == '{' {
		inner.start(s.src, '{')
		inner.pos, inner.base, inner.limit, inner.nested = s.valueFrom, s.base+1, s.limit, true
		s.inner = inner
		return true
	}
	end := s.value(s.valueFrom)
	if end < 0 {
		return s.halt()
	}
	s.valueTo, s.pos = end, end
	return true
}

// Key is the current member's name: a part of the document, or, for a name with
// an escape or with invalid UTF-8 in it, new memory that holds it unquoted.
func (s *Scanner) Key() []byte {
	key := s.src[s.keyFrom+1 : s.keyTo-1]
	if plain(key) {
		return key
	}
	key, _ = Unquote(nil, s.src[s.keyFrom:s.keyTo])
	return key
}

// Value is the current value, byte for byte as it stands in the document,
// without the white space around it. It means nothing for an element that
// NextInto handed to another Scanner.
func (s *Scanner) Value() []byte { return s.src[s.valueFrom:s.valueTo:s.valueTo] }

// Kind is the current value's kind.
func (s *Scanner) Kind() Kind { return KindOf(s.src[s.valueFrom:]) }

// Err is what is wrong with the document, a *SyntaxError, or nil.
func (s *Scanner) Err() error {
	if s.err == nil {
		return nil
	}
	return s.err
}

// Validate reports what is wrong with a JSON document of any kind: a
// *SyntaxError, or nil.
func Validate(document []byte) error {
	s := Scanner{src: document, limit: DefaultMaxDepth}
	end := s.value(space(document, 0))
	if end >= 0 {
		s.end(end)
	}
	return s.Err()
}

// plain reports whether the inside of a string means just what it says.
func plain(inside []byte) bool {
	for i, c := range inside {
		if c == '\\' {
			return false
		}
		if c >= utf8.RuneSelf {
			return utf8.Valid(inside[i:]) && plainEnd(inside, i) == len(inside)
		}
	}
	return true
}
