package match

import (
	"slices"
	"strings"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// value compiles the operand of $eq: a set of one.
func (c *compiler) value(n uint32, field string) (*equal, error) {
	e := &equal{}
	if c.doc.kind(n) != jsonscan.Array {
		return e, c.scalar(e, n, field)
	}
	e.isList = true
	for i := n + 1; i < c.doc.nodes[n].next; i = c.doc.nodes[i].next {
		e.list = append(e.list, equal{})
		if err := c.scalar(&e.list[len(e.list)-1], i, field); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// values compiles the operand of $in.
func (c *compiler) values(n uint32, field string) (*equal, error) {
	if c.doc.kind(n) != jsonscan.Array || n+1 == c.doc.nodes[n].next {
		return nil, event.Invalid(field, "wants an array with at least one value")
	}
	e := &equal{}
	for i := n + 1; i < c.doc.nodes[n].next; i = c.doc.nodes[i].next {
		if err := c.scalar(e, i, field); err != nil {
			return nil, err
		}
	}
	slices.Sort(e.texts)
	e.texts = slices.Clip(slices.Compact(e.texts))
	slices.SortFunc(e.numbers, decimal.compare)
	e.numbers = slices.Clip(e.numbers)
	return e, nil
}

// scalar puts one value into the set.
func (c *compiler) scalar(e *equal, n uint32, field string) error {
	switch c.doc.kind(n) {
	case jsonscan.Null:
		e.null = true
	case jsonscan.Bool:
		if c.doc.raw(n)[0] == 't' {
			e.yes = true
		} else {
			e.no = true
		}
	case jsonscan.Number:
		number, err := c.number(n, field)
		e.numbers = append(e.numbers, number)
		return err
	case jsonscan.String:
		e.texts = append(e.texts, c.text(n))
	default:
		return event.Invalid(field, "has an array or an object where a text, a number, true, false or null is wanted")
	}
	return nil
}

func (c *compiler) number(n uint32, field string) (decimal, error) {
	number, ok := parseDecimal(c.doc.raw(n))
	if !ok || number.exponent > maxOperandExponent || number.exponent < -maxOperandExponent {
		return decimal{}, event.Invalid(field, "has a number beyond 1e%d", maxOperandExponent)
	}
	return number, nil
}

func (c *compiler) text(n uint32) string {
	text, _ := c.doc.unquoted(n, nil)
	return string(text)
}

// bound compiles the operand of a comparison.
func (c *compiler) bound(operator string, n uint32, field string) (*ordered, error) {
	o := &ordered{
		less: operator[1] == 'l',
		more: operator[1] == 'g',
		same: strings.HasSuffix(operator, "e"),
	}
	var err error
	switch c.doc.kind(n) {
	case jsonscan.Number:
		o.isNumber = true
		o.number, err = c.number(n, field)
	case jsonscan.String:
		o.text = c.text(n)
	default:
		err = event.Invalid(field, "wants a number or a text")
	}
	return o, err
}

// pattern compiles the operand of $regex.
func (c *compiler) pattern(n uint32, field string) (*pattern, error) {
	if c.doc.kind(n) != jsonscan.String {
		return nil, event.Invalid(field, "wants a regular expression as a text")
	}
	re, size, reason := c.regexes.compile(c.text(n), false)
	if reason != "" {
		return nil, event.Invalid(field, "%s", reason)
	}
	return &pattern{re, size}, nil
}
