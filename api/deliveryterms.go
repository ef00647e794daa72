package api

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

// maxTerms bounds what one search may ask for.
const maxTerms = 8

// deliveryTerm is one condition of a search: an operator with its value, or the text that
// is left when the operators are taken out.
type deliveryTerm struct {
	Term  string `json:"term"`  // as it was written
	Means string `json:"means"` // what the server understood
	fits  func(*searchedDelivery) (bool, error)
	not   bool
}

// parseTerms reads a search. What is no operator is one text, spaces and all; so is
// everything if it stands in quotes.
func parseTerms(query string) ([]deliveryTerm, error) {
	if inner, quoted := unquoted(query); quoted {
		return []deliveryTerm{textTerm(query, inner)}, nil
	}
	var terms []deliveryTerm
	rest := query
	for _, word := range words(query) {
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
		return []deliveryTerm{textTerm(query, query)}, nil
	}
	rest = strings.Join(strings.Fields(strings.ReplaceAll(rest, "\x00", " ")), " ")
	if inner, quoted := unquoted(rest); quoted {
		return append(terms, textTerm(rest, inner)), nil
	}
	if rest != "" {
		terms = append(terms, textTerm(rest, rest))
	}
	return terms, nil
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

func textTerm(written, text string) deliveryTerm {
	lower := []byte(strings.ToLower(text))
	return deliveryTerm{
		Term: written, Means: fmt.Sprintf("“%s” in the idempotency key, the data, why it ended, or what failed attempts got", text),
		fits: func(d *searchedDelivery) (bool, error) { return d.hasText(lower) },
	}
}

// operatorTerm reads a word as an operator, if it is one.
func operatorTerm(word string) (t deliveryTerm, some bool, err error) {
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
func codeTerm(value string) (deliveryTerm, error) {
	low, high, class := 0, 0, strings.ToLower(value)
	if n, err := strconv.Atoi(value); err == nil && n >= 100 && n <= 599 {
		low, high = n, n
	} else if len(class) == 3 && class[0] >= '1' && class[0] <= '5' && class[1:] == "xx" {
		low = int(class[0]-'0') * 100
		high = low + 99
	} else if !slices.Contains(errorClasses(), class) {
		return deliveryTerm{}, event.Invalid("query", "%.40q is no code: want a status such as 404, a class such as 5xx, or one of %s; to look for it as a text put it in quotes",
			"code:"+value, strings.Join(errorClasses(), ", "))
	}
	means := "an attempt was answered " + value
	if low == 0 {
		means = "an attempt failed with " + class
	}
	return deliveryTerm{Means: means, fits: func(d *searchedDelivery) (bool, error) {
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

func attemptsTerm(sign, value string) (deliveryTerm, error) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return deliveryTerm{}, event.Invalid("query", "%.40q: want a number of attempts, such as attempts>3; to look for it as a text put it in quotes", "attempts"+sign+value)
	}
	return deliveryTerm{Means: "attempts made: " + signText[sign] + " " + value, fits: func(d *searchedDelivery) (bool, error) {
		return holds(sign, cmp.Compare(d.Attempts, n)), nil
	}}, nil
}

func typeTerm(value string) deliveryTerm {
	return deliveryTerm{Means: "the event's type is " + value, fits: func(d *searchedDelivery) (bool, error) {
		e, err := d.event()
		return e != nil && e.Type == value, err
	}}
}

func endpointTerm(value string) (deliveryTerm, error) {
	id, err := event.ParseID(value)
	if err != nil {
		return deliveryTerm{}, event.Invalid("query", "%.40q: want the id of an endpoint; to look for it as a text put it in quotes", "endpoint:"+value)
	}
	return deliveryTerm{Means: "it goes to the endpoint " + value, fits: func(d *searchedDelivery) (bool, error) {
		return d.EndpointID == id, nil
	}}, nil
}

// dataTerm is data.customer.id=cus_1. Of an array each member is meant.
func dataTerm(path, sign, value string) (deliveryTerm, error) {
	steps := strings.Split(path, ".")
	number, err := strconv.ParseFloat(value, 64)
	numeric := err == nil
	if sign != "=" && !numeric {
		return deliveryTerm{}, event.Invalid("query", "%.40q: want a number to compare with; to look for it as a text put it in quotes", "data."+path+sign+value)
	}
	last := []byte(steps[len(steps)-1])
	return deliveryTerm{Means: "data." + path + " " + signText[sign] + " " + value, fits: func(d *searchedDelivery) (bool, error) {
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
