package catalog

import (
	"strings"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
)

// checkSelector checks the name of a part of a request:
//
//	selector = [ ("request" | "req") "." ] place
//	place    = ("header" | "headers") "." name of a header
//	         | "body" "." member *( "." member )
//	         | ("query" | "queryparam" | "queryparams") "." name of a parameter
//
// The words are the same in any letter case; the names behind them are as given.
func checkSelector(field, text string) error {
	if err := checkText(field, text, event.MaxNameBytes); err != nil {
		return err
	}
	root, rest, _ := strings.Cut(text, ".")
	if strings.EqualFold(root, "request") || strings.EqualFold(root, "req") {
		root, rest, _ = strings.Cut(rest, ".")
	}
	switch strings.ToLower(root) {
	case "header", "headers":
		if !httpguts.ValidHeaderFieldName(rest) {
			return event.Invalid(field, "names no header; write it as in request.header.X-Request-Id")
		}
	case "body":
		if rest == "" || strings.HasPrefix(rest, ".") || strings.HasSuffix(rest, ".") || strings.Contains(rest, "..") {
			return event.Invalid(field, "has an empty member name; write it as in request.body.order.id")
		}
	case "query", "queryparam", "queryparams":
		if rest == "" {
			return event.Invalid(field, "names no query parameter; write it as in request.query.id")
		}
	default:
		return event.Invalid(field, "must begin with request.header., request.body. or request.query.")
	}
	return nil
}
