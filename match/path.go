package match

import (
	"strconv"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// Limits of a path.
const (
	MaxPathBytes = 1024
	MaxWildcards = 3
)

// checkPath refuses a path that a condition cannot stand on.
func checkPath(path, field string) error {
	if len(path) > MaxPathBytes {
		return event.Invalid(field, "has a path of %d bytes, more than %d", len(path), MaxPathBytes)
	}
	wildcards, last := 0, ""
	for rest, more := path, true; more; {
		last, rest, more = cutSegment(rest)
		if last == "$" {
			wildcards++
		} else if last != "" && last[0] == '$' {
			return event.Invalid(field, "has %s in a path: write an operator as the name of an object's member", last)
		}
	}
	if last == "$" {
		return event.Invalid(field, "ends in $: name what is looked at in the array's elements, or leave .$ away to look at the elements themselves")
	}
	if wildcards > MaxWildcards {
		return event.Invalid(field, "has %d times $ in its path, more than %d", wildcards, MaxWildcards)
	}
	return nil
}

// cutSegment takes the first segment off a path. more is false when it was the last.
func cutSegment(path string) (segment, rest string, more bool) {
	for i := range len(path) {
		if path[i] == '.' {
			return path[:i], path[i+1:], true
		}
	}
	return path, "", false
}

// find reports whether the path leads to a value that passes the test, itself or
// as an array by one of its elements. Every value is reached by one way only, so
// the work is in proportion to the document.
func (in *Input) find(d *document, path string, t test) bool {
	if !d.has() {
		return false
	}
	return in.findIn(d, 0, path, t)
}

// findIn looks among the members or elements of one value for what path leads to.
func (in *Input) findIn(d *document, parent uint32, path string, t test) bool {
	switch d.kind(parent) {
	case jsonscan.Object:
		return in.findMember(d, parent, path, t)
	case jsonscan.Array:
		return in.findElement(d, parent, path, t)
	}
	return false
}

func (in *Input) findMember(d *document, parent uint32, path string, t test) bool {
	end := d.nodes[parent].next
	fold := d.fold && parent == 0
	for n := parent + 1; n < end; n = d.nodes[n].next {
		size, fits := in.nameFits(d, n, path, fold)
		if !fits || !fold && in.comesAgain(d, n, end, path[:size]) {
			continue
		}
		if size == len(path) {
			if in.passes(d, n, t) {
				return true
			}
		} else if in.findIn(d, n, path[size+1:], t) {
			return true
		}
	}
	return false
}

// nameFits reports whether a member's name is what path starts with, up to a dot
// or the path's end.
func (in *Input) nameFits(d *document, n uint32, path string, fold bool) (size int, fits bool) {
	key := d.nodes[n].key
	if !fold && key&notPlain == 0 {
		return plainNameFits(d.src[key+1:], path)
	}
	var name []byte
	name, in.scratch = d.name(n, in.scratch)
	if size = len(name); size > len(path) || size < len(path) && path[size] != '.' {
		return 0, false
	}
	if fold {
		return size, equalFold(path[:size], name)
	}
	return size, path[:size] == string(name)
}

// plainNameFits is nameFits for a name that stands as it is up to the next quote.
func plainNameFits(name []byte, path string) (size int, fits bool) {
	for i, c := range name {
		if c == '"' {
			return i, i == len(path) || path[i] == '.'
		}
		if i == len(path) || path[i] != c {
			break
		}
	}
	return 0, false
}

// comesAgain reports whether a later member has the same name.
func (in *Input) comesAgain(d *document, n, end uint32, name string) bool {
	for n = d.nodes[n].next; n < end; n = d.nodes[n].next {
		if size, fits := in.nameFits(d, n, name, false); fits && size == len(name) {
			return true
		}
	}
	return false
}

func (in *Input) findElement(d *document, parent uint32, path string, t test) bool {
	segment, rest, more := cutSegment(path)
	if segment == "$" {
		for n := parent + 1; n < d.nodes[parent].next; n = d.nodes[n].next {
			if in.findIn(d, n, rest, t) { // there is more: no path ends in $
				return true
			}
		}
		return false
	}
	position, ok := parsePosition(segment)
	if !ok {
		return false
	}
	for n := parent + 1; n < d.nodes[parent].next; n = d.nodes[n].next {
		if position--; position >= 0 {
			continue
		}
		if more {
			return in.findIn(d, n, rest, t)
		}
		return in.passes(d, n, t)
	}
	return false
}

// parsePosition reads a position in an array as it is written in JSON.
func parsePosition(segment string) (position int, ok bool) {
	if segment == "" || len(segment) > 9 || segment[0] == '0' && len(segment) > 1 {
		return 0, false
	}
	for i := range len(segment) {
		if segment[i]-'0' > 9 {
			return 0, false
		}
	}
	position, err := strconv.Atoi(segment)
	return position, err == nil
}

// passes applies the test to a value, and to its elements if it is an array.
func (in *Input) passes(d *document, n uint32, t test) bool {
	if t.holds(in, d, n) {
		return true
	}
	if d.kind(n) != jsonscan.Array {
		return false
	}
	for e := n + 1; e < d.nodes[n].next; e = d.nodes[e].next {
		if t.holds(in, d, e) {
			return true
		}
	}
	return false
}

// equalFold compares names of headers, which are ASCII.
func equalFold(a string, b []byte) bool {
	for i := range b {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
