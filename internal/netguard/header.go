package netguard

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// HeaderError says why a custom header is refused.
type HeaderError struct {
	Name   string
	Reason string
}

func (e *HeaderError) Error() string { return fmt.Sprintf("header %q: %s", e.Name, e.Reason) }

// reservedHeaders frame the request or belong to the connection; whoever sets
// them decides where a request ends or what a proxy makes of it.
var reservedHeaders = []string{
	"connection", "content-length", "cookie", "expect", "host", "http2-settings",
	"keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
}

// reservedPrefixes are the headers of proxies and of Standard Webhooks signatures.
var reservedPrefixes = []string{"proxy-", "webhook-"}

// CheckHeader reports whether a custom header may be sent: nil or a *HeaderError.
// The name must be a token and the value free of control characters (RFC 9110),
// and the name none that posthaste or the connection sets.
func CheckHeader(name, value string) error {
	switch {
	case !httpguts.ValidHeaderFieldName(name):
		return &HeaderError{name, "the name may contain letters, digits and hyphens only"}
	case !httpguts.ValidHeaderFieldValue(value):
		return &HeaderError{name, "the value must not contain line breaks or other control characters"}
	}
	lower := strings.ToLower(name)
	if slices.Contains(reservedHeaders, lower) ||
		slices.ContainsFunc(reservedPrefixes, func(p string) bool { return strings.HasPrefix(lower, p) }) {
		return &HeaderError{name, "the name is reserved: choose another one"}
	}
	return nil
}
