package catalog

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
)

// Why a header's name cannot be had.
const (
	framesRequest  = "frames the request and is set by HTTP itself"
	carriesSigning = "carries posthaste's signature"
	carriesContent = "says what the body is; set content_type instead"
	isOurs         = "is set by posthaste"
)

// taken are the headers that posthaste or HTTP itself sets, in lower case, and why no
// setting can give them another meaning.
var taken = map[string]string{
	"host": framesRequest, "connection": framesRequest, "content-length": framesRequest,
	"transfer-encoding": framesRequest, "expect": framesRequest, "keep-alive": framesRequest, "te": framesRequest,
	"trailer": framesRequest, "upgrade": framesRequest, "http2-settings": framesRequest, "cookie": framesRequest,
	"content-type": carriesContent, "content-encoding": carriesContent, "accept-encoding": isOurs,
	"convoy-timestamp": carriesSigning, "webhook-id": carriesSigning, "webhook-timestamp": carriesSigning,
	"webhook-signature": carriesSigning,
}

// takenFrom is why a header's name cannot be had, from its beginning.
var takenFrom = []struct{ prefix, why string }{{"proxy-", framesRequest}, {"posthaste-", isOurs}}

// notForSettings are headers that a custom header may replace and no other setting.
var notForSettings = map[string]bool{"user-agent": true, "date": true}

// whyTaken says why nobody may set a header; "" if one may.
func whyTaken(lower string) string {
	for _, t := range takenFrom {
		if strings.HasPrefix(lower, t.prefix) {
			return t.why
		}
	}
	return taken[lower]
}

// checkHeaderName checks the name of a header that a setting has sent to receivers.
// others are names that are taken by other settings.
func checkHeaderName(field, name string, others ...string) error {
	if err := checkHeaderForm(field, name); err != nil {
		return err
	}
	if notForSettings[strings.ToLower(name)] {
		return event.Invalid(field, "%s is a header that posthaste or HTTP itself sets; choose another name", name)
	}
	for _, other := range others {
		if strings.EqualFold(name, other) {
			return event.Invalid(field, "%s is used by another setting of the project; choose another name", name)
		}
	}
	return nil
}

func checkHeaderForm(field, name string) error {
	if len(name) > maxHeaderNameBytes {
		return event.Invalid(field, "has %d bytes; at most %d are allowed", len(name), maxHeaderNameBytes)
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return event.Invalid(field, "is not a header name; use letters, digits and -")
	}
	if why := whyTaken(strings.ToLower(name)); why != "" {
		return event.Invalid(field, "%s %s; choose another name", name, why)
	}
	return nil
}

// checkHeaderValue checks a value that must be given.
func checkHeaderValue(field, value string) error {
	if value == "" {
		return event.Invalid(field, "is empty")
	}
	return checkHeaderText(field, value)
}

func checkHeaderText(field, value string) error {
	if len(value) > maxTextBytes {
		return event.Invalid(field, "has %d bytes; at most %d are allowed", len(value), maxTextBytes)
	}
	if !httpguts.ValidHeaderFieldValue(value) || !utf8.ValidString(value) {
		return event.Invalid(field, "has a character that a header cannot carry, such as a line break, or is not valid UTF-8")
	}
	return nil
}

// checkCustomHeaders checks the headers that an endpoint gets with every request.
func checkCustomHeaders(e *event.Endpoint, p *Project) error {
	if n := len(e.CustomHeaders); n > event.MaxCustomHeaders {
		return event.Invalid("custom_headers", "has %d entries; at most %d are allowed", n, event.MaxCustomHeaders)
	}
	size, seen := 0, make(map[string]bool, len(e.CustomHeaders))
	for i := range e.CustomHeaders {
		h := &e.CustomHeaders[i]
		field := fmt.Sprintf("custom_headers[%d]", i)
		if err := checkHeaderForm(field, h.Name); err != nil {
			return err
		}
		field, lower := "custom_headers."+h.Name, strings.ToLower(h.Name)
		if why := whyTakenHere(lower, e, p); why != "" {
			return event.Invalid(field, "%s; choose another name", why)
		}
		if seen[lower] {
			return event.Invalid(field, "is there twice: names are the same in any letter case")
		}
		seen[lower] = true
		if err := checkHeaderText(field, h.Value); err != nil {
			return err
		}
		size += len(h.Name) + len(h.Value)
	}
	if size > event.MaxHeaderBytes {
		return event.Invalid("custom_headers", "has %d bytes, names and values together; at most %d are allowed", size, event.MaxHeaderBytes)
	}
	return nil
}

// whyTakenHere says why a custom header cannot have this name for this endpoint.
func whyTakenHere(lower string, e *event.Endpoint, p *Project) string {
	switch lower {
	case strings.ToLower(p.Config.Signature.Header):
		return "is the project's signature header"
	case strings.ToLower(p.Config.RequestIDHeader):
		return "is the project's request id header"
	case authenticationHeader(e.Authentication):
		return "is set by the endpoint's authentication"
	}
	return ""
}

// authenticationHeader is the header that an authentication sends, in lower case; ""
// if there is none.
func authenticationHeader(a *event.Authentication) string {
	switch {
	case a == nil:
		return ""
	case a.Type == event.AuthAPIKey && a.APIKey != nil:
		return strings.ToLower(a.APIKey.HeaderName)
	}
	return "authorization"
}
