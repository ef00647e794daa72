package match

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// maxOperandExponent bounds the exponent of a number in a filter. An event may
// have any.
const maxOperandExponent = 1_000_000_000

// compiler reads the parts of one filter, and counts over all of them what is
// bounded.
type compiler struct {
	doc                   document
	names                 Input // for its scratch
	conditions, wildcards int
	regexes               regexBudget
}

// place is where the compiler is: in a part as an error names it, and on a path.
type place struct {
	field string
	path  string
	root  bool // no path yet: not the same as the path "", which is a name
	depth int
}

// step goes to a member.
func (p place) step(name string) place {
	p.field += "." + name
	if !p.root {
		name = p.path + "." + name
	}
	p.path, p.root = name, false
	return p
}

// part compiles one part, nil for one without conditions.
func (c *compiler) part(src []byte, name string) (clause, error) {
	if src = bytes.TrimSpace(src); len(src) == 0 || string(src) == "null" {
		return nil, nil
	}
	c.doc.read(bytes.Clone(src)) // what is compiled points into it
	if !c.doc.has() || c.doc.kind(0) != jsonscan.Object {
		return nil, event.Invalid(name, "is not a JSON object of conditions")
	}
	if c.doc.nodes[0].next == 1 {
		return nil, nil
	}
	clauses, err := c.object(nil, 0, place{field: name, root: true})
	return conjunction(clauses), err
}

// conjunction is one clause for several.
func conjunction(clauses []clause) clause {
	if len(clauses) == 1 {
		return clauses[0]
	}
	return all(slices.Clip(clauses))
}

// object appends the conditions that an object of them stands for.
func (c *compiler) object(dst []clause, n uint32, at place) ([]clause, error) {
	if at.depth++; at.depth > MaxDepth {
		return nil, event.Invalid(at.field, "is nested deeper than %d", MaxDepth)
	}
	end := c.doc.nodes[n].next
	if n+1 == end {
		return nil, event.Invalid(at.field, "is an object without a condition")
	}
	var err error
	for m := n + 1; m < end && err == nil; m = c.doc.nodes[m].next {
		name, _ := c.doc.name(m, nil)
		if !c.names.comesAgain(&c.doc, m, end, string(name)) {
			dst, err = c.member(dst, string(name), m, at)
		}
	}
	return dst, err
}

// member appends the conditions of one member: an operator or a step of the path.
func (c *compiler) member(dst []clause, name string, n uint32, at place) ([]clause, error) {
	if strings.HasPrefix(name, "$") && name != "$" && !strings.HasPrefix(name, "$.") {
		return c.operator(dst, name, n, at)
	}
	at = at.step(name)
	switch c.doc.kind(n) {
	case jsonscan.Object:
		return c.object(dst, n, at)
	case jsonscan.Array:
		return c.leaf(dst, "$in", n, at)
	}
	return c.leaf(dst, "$eq", n, at)
}

func (c *compiler) operator(dst []clause, name string, n uint32, at place) ([]clause, error) {
	switch name {
	case "$or", "$and":
		return c.logic(dst, name, n, at)
	case "$eq", "$neq", "$in", "$nin", "$gt", "$gte", "$lt", "$lte", "$exist", "$regex":
		root := at.root
		if at.field += "." + name; root {
			return nil, event.Invalid(at.field, "stands where a name is wanted")
		}
		return c.leaf(dst, name, n, at)
	}
	return nil, event.Invalid(at.field+"."+name,
		"is not an operator: want $eq, $neq, $in, $nin, $gt, $gte, $lt, $lte, $exist, $regex, $and or $or")
}

// logic compiles $or and $and.
func (c *compiler) logic(dst []clause, name string, n uint32, at place) ([]clause, error) {
	at.field += "." + name
	end := c.doc.nodes[n].next
	if c.doc.kind(n) != jsonscan.Array || n+1 == end {
		return nil, event.Invalid(at.field, "wants an array with at least one object of conditions")
	}
	at.depth++
	var branches []clause
	for e := n + 1; e < end; e = c.doc.nodes[e].next {
		in := at
		in.field += fmt.Sprintf("[%d]", len(branches))
		if c.doc.kind(e) != jsonscan.Object {
			return nil, event.Invalid(in.field, "is not an object of conditions")
		}
		clauses, err := c.object(nil, e, in)
		if err != nil {
			return nil, err
		}
		branches = append(branches, conjunction(clauses))
	}
	if name == "$and" || len(branches) == 1 {
		return append(dst, branches...), nil
	}
	return append(dst, anyOf(slices.Clip(branches))), nil
}

// leaf compiles one condition.
func (c *compiler) leaf(dst []clause, operator string, n uint32, at place) ([]clause, error) {
	if err := checkPath(at.path, at.field); err != nil {
		return nil, err
	}
	if c.conditions++; c.conditions > MaxConditions {
		return nil, event.Invalid(at.field, "is one condition too many: at most %d", MaxConditions)
	}
	if strings.HasPrefix(at.path, "$.") || strings.Contains(at.path, ".$.") {
		if c.wildcards++; c.wildcards > MaxWildcardConditions {
			return nil, event.Invalid(at.field, "is one condition with $ in its path too many: at most %d", MaxWildcardConditions)
		}
	}
	cond := &condition{path: at.path}
	var err error
	switch operator {
	case "$eq", "$neq":
		cond.not = operator == "$neq"
		cond.test, err = c.value(n, at.field)
	case "$in", "$nin":
		cond.not = operator == "$nin"
		cond.test, err = c.values(n, at.field)
	case "$exist":
		if c.doc.kind(n) != jsonscan.Bool {
			return nil, event.Invalid(at.field, "wants true or false")
		}
		cond.not = c.doc.raw(n)[0] == 'f'
		cond.test = present{}
	case "$regex":
		cond.test, err = c.pattern(n, at.field)
	default:
		cond.test, err = c.bound(operator, n, at.field)
	}
	return append(dst, cond), err
}
