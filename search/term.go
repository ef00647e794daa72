package search

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"posthaste/event"
)

// Term is one condition of a query: an operator with its value, or the text that is left
// when the operators are taken out.
type Term struct {
	Term  string `json:"term"`  // as it was written
	Means string `json:"means"` // what was understood
	fits  func(*subject) (bool, error)
	not   bool
}

func textTerm(written, text string) Term {
	lower := []byte(strings.ToLower(text))
	return Term{
		Term: written, Means: fmt.Sprintf("“%s” in the idempotency key, the data, why it ended, or what failed attempts got", text),
		fits: func(d *subject) (bool, error) { return d.hasText(lower) },
	}
}

// operatorTerm reads a word as an operator, if it is one.
func operatorTerm(word string) (t Term, some bool, err error) {
	bare, not := strings.CutPrefix(word, "-")
	at := strings.IndexAny(bare, ":=<>")
	if at < 0 {
		return t, false, nil
	}
	name, sign, value := bare[:at], bare[at:at+1], bare[at+1:]
	if sign != ":" && sign != "=" && strings.HasPrefix(value, "=") {
		sign, value = sign+"=", value[1:]
	}
	value, _ = unquoted(value)
	path, isData := strings.CutPrefix(name, "data.")
	switch {
	case name == "code" && (sign == ":" || sign == "="):
		t, err = codeTerm(value)
	case name == "attempts":
		t, err = attemptsTerm(sign, value)
	case name == "type" && sign == ":":
		t = typeTerm(value)
	case name == "endpoint" && sign == ":":
		t, err = endpointTerm(value)
	case isData && path != "" && sign != ":":
		t, err = dataTerm(path, sign, value)
	default:
		return t, false, nil
	}
	if t.Term, t.not = word, not; not {
		t.Means = "not: " + t.Means
	}
	return t, true, err
}

// codeTerm is code:404, code:5xx, or code:timeout and the other classes of errors.
func codeTerm(value string) (Term, error) {
	low, high, class := 0, 0, strings.ToLower(value)
	if n, err := strconv.Atoi(value); err == nil && n >= 100 && n <= 599 {
		low, high = n, n
	} else if len(class) == 3 && class[0] >= '1' && class[0] <= '5' && class[1:] == "xx" {
		low = int(class[0]-'0') * 100
		high = low + 99
	} else if !slices.Contains(errorClasses(), class) {
		return Term{}, event.Invalid("query", "%.40q is no code: want a status such as 404, a class such as 5xx, or one of %s; to look for it as a text put it in quotes",
			"code:"+value, strings.Join(errorClasses(), ", "))
	}
	means := "an attempt was answered " + value
	if low == 0 {
		means = "an attempt failed with " + class
	}
	return Term{Means: means, fits: func(d *subject) (bool, error) {
		attempts, err := d.attempts()
		return slices.ContainsFunc(attempts, func(a event.Attempt) bool {
			if low > 0 {
				return a.StatusCode >= low && a.StatusCode <= high
			}
			return a.Class.String() == class
		}), err
	}}, nil
}

// errorClasses are those that are no answer.
func errorClasses() []string {
	var names []string
	for c := event.ClassTimeout; c <= event.ClassTransform; c++ {
		names = append(names, c.String())
	}
	return names
}

func attemptsTerm(sign, value string) (Term, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return Term{}, event.Invalid("query", "%.40q: want a number of attempts, such as attempts>3; to look for it as a text put it in quotes", "attempts"+sign+value)
	}
	return Term{Means: "attempts made: " + signText[sign] + " " + value, fits: func(d *subject) (bool, error) {
		return holds(sign, cmp.Compare(d.Attempts, n)), nil
	}}, nil
}

func typeTerm(value string) Term {
	return Term{Means: "the event's type is " + value, fits: func(d *subject) (bool, error) {
		e, err := d.event()
		return e != nil && e.Type == value, err
	}}
}

func endpointTerm(value string) (Term, error) {
	id, err := event.ParseID(value)
	if err != nil {
		return Term{}, event.Invalid("query", "%.40q: want the id of an endpoint; to look for it as a text put it in quotes", "endpoint:"+value)
	}
	return Term{Means: "it goes to the endpoint " + value, fits: func(d *subject) (bool, error) {
		return d.EndpointID == id, nil
	}}, nil
}

// dataTerm is data.customer.id=cus_1. Of an array each member is meant.
func dataTerm(path, sign, value string) (Term, error) {
	steps := strings.Split(path, ".")
	number, err := strconv.ParseFloat(value, 64)
	numeric := err == nil
	if sign != "=" && !numeric {
		return Term{}, event.Invalid("query", "%.40q: want a number to compare with; to look for it as a text put it in quotes", "data."+path+sign+value)
	}
	last := []byte(steps[len(steps)-1])
	return Term{Means: "data." + path + " " + signText[sign] + " " + value, fits: func(d *subject) (bool, error) {
		e, err := d.event()
		if e == nil || err != nil || !bytes.Contains(e.Data, last) {
			return false, err
		}
		found := false
		eachAt(d.data(), steps, func(v any) {
			switch v := v.(type) {
			case string:
				found = found || sign == "=" && v == value
			case json.Number:
				n, err := v.Float64()
				found = found || numeric && err == nil && holds(sign, cmp.Compare(n, number))
			case bool, nil:
				text, _ := json.Marshal(v)
				found = found || sign == "=" && string(text) == value
			}
		})
		return found, nil
	}}, nil
}

// eachAt calls f with what is at a path. It goes into each member of an array.
func eachAt(v any, steps []string, f func(any)) {
	if list, some := v.([]any); some {
		for _, member := range list {
			eachAt(member, steps, f)
		}
		return
	}
	if len(steps) == 0 {
		f(v)
		return
	}
	object, _ := v.(map[string]any)
	if next, some := object[steps[0]]; some {
		eachAt(next, steps[1:], f)
	}
}

var signText = map[string]string{":": "is", "=": "is", ">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}

// holds reports whether a comparison came out as its sign asks.
func holds(sign string, compared int) bool {
	switch sign {
	case ">":
		return compared > 0
	case ">=":
		return compared >= 0
	case "<":
		return compared < 0
	case "<=":
		return compared <= 0
	}
	return compared == 0
}
