package match

import (
	"regexp"
	"slices"

	"posthaste/internal/jsonscan"
)

// test is what a condition asks of one value.
type test interface {
	holds(in *Input, d *document, n uint32) bool
}

// present is passed by every value.
type present struct{}

func (present) holds(*Input, *document, uint32) bool { return true }

// equal is passed by a value that is one of a set.
type equal struct {
	texts         []string  // sorted
	numbers       []decimal // sorted
	null, yes, no bool
	isList        bool // an array with the elements of list, each a set of one
	list          []equal
}

func (e *equal) holds(in *Input, d *document, n uint32) bool {
	switch d.seen(n) {
	case jsonscan.Null:
		return e.null
	case jsonscan.Bool:
		return d.raw(n)[0] == 't' && e.yes || d.raw(n)[0] == 'f' && e.no
	case jsonscan.Number:
		return e.hasNumber(d.raw(n))
	case jsonscan.String:
		return e.holdsText(in, d, n)
	case jsonscan.Array:
		return e.isList && e.holdsList(in, d, n)
	}
	return false
}

func (e *equal) hasNumber(text []byte) bool {
	if len(e.numbers) == 0 {
		return false
	}
	number, ok := parseDecimal(text)
	if !ok {
		return false
	}
	_, found := slices.BinarySearchFunc(e.numbers, number, decimal.compare)
	return found
}

func (e *equal) holdsText(in *Input, d *document, n uint32) bool {
	if len(e.texts) == 0 && !d.text {
		return false
	}
	var text []byte
	text, in.scratch = d.unquoted(n, in.scratch)
	if _, found := slices.BinarySearchFunc(e.texts, text, compareText); found {
		return true
	}
	if !d.text {
		return false
	}
	return e.yes && string(text) == "true" || e.no && string(text) == "false" || e.hasNumber(text)
}

func (e *equal) holdsList(in *Input, d *document, n uint32) bool {
	i, end := 0, d.nodes[n].next
	for n++; n < end; n = d.nodes[n].next {
		if i == len(e.list) || !e.list[i].holds(in, d, n) {
			return false
		}
		i++
	}
	return i == len(e.list)
}

// compareText orders texts by their bytes.
func compareText(a string, b []byte) int {
	switch {
	case a < string(b):
		return -1
	case a > string(b):
		return 1
	}
	return 0
}

// ordered is passed by a value on one side of a bound: a number compares with a
// number, a text with a text.
type ordered struct {
	less, same, more bool // which outcomes of comparing the value with the bound pass
	isNumber         bool
	number           decimal
	text             string
}

func (o *ordered) holds(in *Input, d *document, n uint32) bool {
	switch d.seen(n) {
	case jsonscan.Number:
		return o.isNumber && o.holdsNumber(d.raw(n))
	case jsonscan.String:
		if o.isNumber && !d.text {
			return false
		}
		var text []byte
		if text, in.scratch = d.unquoted(n, in.scratch); o.isNumber {
			return o.holdsNumber(text)
		}
		return o.passes(-compareText(o.text, text))
	}
	return false
}

func (o *ordered) holdsNumber(text []byte) bool {
	number, ok := parseDecimal(text)
	return ok && o.passes(number.compare(o.number))
}

func (o *ordered) passes(comparison int) bool {
	return comparison < 0 && o.less || comparison == 0 && o.same || comparison > 0 && o.more
}

// MaxRegexSteps bounds the work of a filter's regular expressions on one event:
// bytes of text times the instructions of the expression, about, summed up. It
// allows an ordinary expression a megabyte of text. A $regex that would go beyond
// it fails.
const MaxRegexSteps = 32 << 20

// pattern is passed by a text that the expression is found in.
type pattern struct {
	expr *regexp.Regexp
	size int
}

func (p *pattern) holds(in *Input, d *document, n uint32) bool {
	if d.seen(n) != jsonscan.String {
		return false
	}
	var text []byte
	text, in.scratch = d.unquoted(n, in.scratch)
	if in.steps += (len(text) + 1) * p.size; in.steps > MaxRegexSteps {
		return false
	}
	return p.expr.Match(text)
}
