// Package search finds deliveries by a line that a person writes: a text, and operators
// such as code:5xx, attempts>3 and data.customer.id=cus_1. It reads an event and its
// attempts only where a condition asks for them.
package search

import (
	"strings"

	"posthaste/event"
)

// Bounds of a query.
const (
	MaxBytes = 256
	maxTerms = 8 // operators
)

// Query is a line as it was understood. It never changes: any goroutine may use it.
type Query struct{ terms []Term }

// Terms are its conditions. A delivery has to meet all of them.
func (q *Query) Terms() []Term { return q.terms }

// Reader reads what a condition asks for.
type Reader interface {
	// Event returns event.ErrNotFound if the project has no such event.
	Event(project, id event.ID) (*event.Event, error)
	// Attempts returns a delivery's attempts, oldest first.
	Attempts(project, delivery event.ID) ([]event.Attempt, error)
}

// Fits reports whether a delivery meets every condition, and how many bytes of data and
// answers were read to know that.
func (q *Query) Fits(from Reader, d *event.Delivery) (fits bool, read int, err error) {
	s := subject{Delivery: d, from: from}
	for i := range q.terms {
		t := &q.terms[i]
		meets, err := t.fits(&s)
		if err != nil || meets == t.not {
			return false, s.bytes, err
		}
	}
	return true, s.bytes, nil
}

// Parse reads a line. What is no operator is one text, spaces and all; so is everything if
// it stands in quotes. An error is an event.InvalidError of the field query.
func Parse(line string) (*Query, error) {
	if len(line) > MaxBytes {
		return nil, event.Invalid("query", "has %d bytes; look for at most %d", len(line), MaxBytes)
	}
	if inner, quoted := unquoted(line); quoted {
		return &Query{[]Term{textTerm(line, inner)}}, nil
	}
	var terms []Term
	rest := line
	for _, word := range words(line) {
		t, some, err := operatorTerm(word)
		if err != nil {
			return nil, err
		}
		if !some {
			continue
		}
		if len(terms) == maxTerms {
			return nil, event.Invalid("query", "has more than %d operators", maxTerms)
		}
		terms = append(terms, t)
		rest = strings.Replace(rest, word, "\x00", 1)
	}
	if len(terms) == 0 {
		return &Query{[]Term{textTerm(line, line)}}, nil
	}
	rest = strings.Join(strings.Fields(strings.ReplaceAll(rest, "\x00", " ")), " ")
	if inner, quoted := unquoted(rest); quoted {
		return &Query{append(terms, textTerm(rest, inner))}, nil
	}
	if rest != "" {
		terms = append(terms, textTerm(rest, rest))
	}
	return &Query{terms}, nil
}

// words splits at spaces that are not within quotes.
func words(text string) []string {
	quoted := false
	return strings.FieldsFunc(text, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ' ' && !quoted
	})
}

// unquoted is what stands between two quotes, if text is that.
func unquoted(text string) (string, bool) {
	if len(text) > 2 && text[0] == '"' && text[len(text)-1] == '"' && strings.Count(text, `"`) == 2 {
		return text[1 : len(text)-1], true
	}
	return text, false
}
