package match

import "posthaste/event"

// Limits of a filter, beside event.MaxFilterBytes for all its parts together.
const (
	MaxDepth              = 16     // objects, and arrays of $and and $or, within each other, the part's own counted
	MaxConditions         = 1000   // in all parts together
	MaxWildcardConditions = 100    // conditions whose path has a $: each looks at whole arrays
	MaxFilterRegexSize    = 10_000 // of all regular expressions together, in instructions
)

// Filter is a compiled event.Filter. It never changes. Matching takes time in
// proportion to the conditions times the event at the most, and no memory but the
// Input's.
type Filter struct {
	parts [parts]clause // nil: no conditions
}

// The parts of a filter, in the order in which they are evaluated.
const (
	partPath = iota
	partHeaders
	partQuery
	partBody
	parts
)

var partNames = [parts]string{"path", "headers", "query", "body"}

// CompileFilter compiles a filter; nil, and no error, for one without conditions.
// An error is an event.InvalidError whose field is relative, as in "body.$or[1].amount".
func CompileFilter(f *event.Filter) (*Filter, error) {
	if f == nil {
		return nil, nil
	}
	sources := [parts][]byte{f.Path, f.Headers, f.Query, f.Body}
	size := 0
	for _, src := range sources {
		size += len(src)
	}
	if size > event.MaxFilterBytes {
		return nil, event.Invalid("", "has %d bytes, more than %d", size, event.MaxFilterBytes)
	}
	c := &compiler{regexes: regexBudget{left: MaxFilterRegexSize}}
	compiled, some := &Filter{}, false
	for i, src := range sources {
		part, err := c.part(src, partNames[i])
		if err != nil {
			return nil, err
		}
		compiled.parts[i] = part
		some = some || part != nil
	}
	if !some {
		return nil, nil
	}
	return compiled, nil
}

// Match reports whether the event passes. A nil filter lets all pass. Any goroutine
// may call it with an input of its own.
func (f *Filter) Match(in *Input) bool {
	if f == nil {
		return true
	}
	in.steps = 0
	for i, part := range f.parts {
		if part != nil && !part.holds(in, in.document(i)) {
			return false
		}
	}
	return true
}

// clause is a condition, or several.
type clause interface {
	holds(in *Input, d *document) bool
}

// all holds if all its clauses do.
type all []clause

func (a all) holds(in *Input, d *document) bool {
	for _, c := range a {
		if !c.holds(in, d) {
			return false
		}
	}
	return true
}

// anyOf holds if one of its clauses does.
type anyOf []clause

func (a anyOf) holds(in *Input, d *document) bool {
	for _, c := range a {
		if c.holds(in, d) {
			return true
		}
	}
	return false
}

// condition holds if the path leads to a value that passes the test, or, with
// not, if it leads to none.
type condition struct {
	path string
	not  bool
	test test
}

func (c *condition) holds(in *Input, d *document) bool {
	return in.find(d, c.path, c.test) != c.not
}
