package match

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"posthaste/event"
)

// Limits of a list of types.
const (
	MaxTypes     = 1000
	MaxTypesSize = 10_000 // of all its regular expressions together, in instructions

	regexPrefix = "regex:"
	globMarks   = "*?["
)

// Types is a compiled list of event types. It never changes.
type Types struct {
	all     bool
	exact   []string // sorted
	globs   []string
	regexes []*regexp.Regexp
}

// everything is what every list with "*" in it compiles to.
var everything = &Types{all: true}

// CompileTypes compiles FilterConfig.EventTypes; an empty list matches nothing.
// An error is an event.InvalidError with a field relative to the list, as in "[2]".
func CompileTypes(patterns []string) (*Types, error) {
	if len(patterns) > MaxTypes {
		return nil, event.Invalid("", "has %d entries, more than %d", len(patterns), MaxTypes)
	}
	t := &Types{}
	budget := regexBudget{left: MaxTypesSize}
	for i, p := range patterns {
		if reason := t.add(p, &budget); reason != "" {
			return nil, event.Invalid(fmt.Sprintf("[%d]", i), "%s", reason)
		}
	}
	if t.all {
		return everything, nil
	}
	slices.Sort(t.exact)
	t.exact = slices.Clip(slices.Compact(t.exact))
	return t, nil
}

// add takes one entry in, or says what is wrong with it.
func (t *Types) add(pattern string, budget *regexBudget) (reason string) {
	expr, isRegex := strings.CutPrefix(pattern, regexPrefix)
	switch {
	case pattern == "":
		return "is empty: write * for all types"
	case isRegex:
		re, _, reason := budget.compile(expr, true)
		t.regexes = append(t.regexes, re)
		return reason
	case len(pattern) > event.MaxNameBytes:
		return fmt.Sprintf("has %d bytes, more than %d", len(pattern), event.MaxNameBytes)
	case pattern == "*":
		t.all = true
	case strings.ContainsAny(pattern, globMarks):
		t.globs = append(t.globs, pattern)
		return checkGlob(pattern)
	default:
		t.exact = append(t.exact, pattern)
	}
	return ""
}

// Match reports whether an event type is one of them. Any goroutine. It does not
// allocate.
func (t *Types) Match(eventType string) bool {
	if t.all {
		return true
	}
	if _, found := slices.BinarySearch(t.exact, eventType); found {
		return true
	}
	for _, g := range t.globs {
		if globMatches(g, eventType) {
			return true
		}
	}
	for _, re := range t.regexes {
		if re.MatchString(eventType) {
			return true
		}
	}
	return false
}
