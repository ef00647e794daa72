package catalog

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/http/httpguts"

	"posthaste/event"
)

// Bounds that are the catalog's own. Those that other packages share are in event.
const (
	maxTextBytes         = 4096 // of a description, an address, an authentication header
	maxHeaderNameBytes   = 256  // of a configured header's name
	maxSecrets           = 10   // of an endpoint, alive at once
	maxVersions          = 10   // of a signature header
	maxEventTypes        = 1000 // of a subscription
	maxRateCount         = 1_000_000
	maxRateSeconds       = 86400 // of a rate limit's duration
	defaultRateSeconds   = 60
	maxPayloadLimitBytes = 1 << 30
)

// notFound is event.ErrNotFound with what was looked for.
func notFound(what string, id event.ID) error {
	return fmt.Errorf("%s %s: %w", what, id, event.ErrNotFound)
}

// checkName checks a name that must be given.
func checkName(field, name string) error {
	if strings.TrimSpace(name) == "" {
		return event.Invalid(field, "is empty; give one of 1 to %d bytes", event.MaxNameBytes)
	}
	return checkText(field, name, event.MaxNameBytes)
}

// checkText checks a text that may be empty and is one line.
func checkText(field, text string, maxBytes int) error {
	if len(text) > maxBytes {
		return event.Invalid(field, "has %d bytes; at most %d are allowed", len(text), maxBytes)
	}
	if !utf8.ValidString(text) {
		return event.Invalid(field, "is not valid UTF-8")
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return event.Invalid(field, "has a control character, such as a line break; remove it")
	}
	return nil
}

// checkProse checks a text that may be empty and may have lines.
func checkProse(field, text string, maxBytes int) error {
	oneLine := strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(text)
	return checkText(field, oneLine, maxBytes)
}

// checkRange checks a number; what names its unit.
func checkRange(field string, n, low, high int, what string) error {
	if n < low || n > high {
		return event.Invalid(field, "is %d; it must be %d to %d %s", n, low, high, what)
	}
	return nil
}

// checkSecret checks a signing secret.
func checkSecret(field, secret string) error {
	if secret == "" {
		return event.Invalid(field, "is empty; give one of 1 to %d bytes, or leave it out to have one made", event.MaxSecretBytes)
	}
	return checkText(field, secret, event.MaxSecretBytes)
}

// reserved are the headers that posthaste or HTTP itself sets, in lower case: an
// endpoint or a project cannot give them another meaning.
var reserved = map[string]bool{
	"host": true, "connection": true, "content-length": true, "content-type": true,
	"content-encoding": true, "transfer-encoding": true, "accept-encoding": true,
	"expect": true, "keep-alive": true, "te": true, "trailer": true, "upgrade": true,
	"user-agent": true, "date": true, "cookie": true, "convoy-timestamp": true,
}

// checkHeaderName checks the name of a header that is sent to receivers. others
// are names that are taken by other settings.
func checkHeaderName(field, name string, others ...string) error {
	if len(name) > maxHeaderNameBytes {
		return event.Invalid(field, "has %d bytes; at most %d are allowed", len(name), maxHeaderNameBytes)
	}
	if !httpguts.ValidHeaderFieldName(name) {
		return event.Invalid(field, "is not a header name; use letters, digits and -")
	}
	lower := strings.ToLower(name)
	if reserved[lower] || strings.HasPrefix(lower, "proxy-") {
		return event.Invalid(field, "%s is a header that posthaste or HTTP itself sets; choose another name", name)
	}
	for _, other := range others {
		if strings.EqualFold(name, other) {
			return event.Invalid(field, "%s is used by another setting of the project; choose another name", name)
		}
	}
	return nil
}

// asInvalid makes err an error of the field, unless it names one already.
func asInvalid(field string, err error) error {
	var invalid *event.InvalidError
	if errors.As(err, &invalid) && invalid.Field != "" {
		return err
	}
	return event.Invalid(field, "%s", err)
}

// cutName appends suffix to name, and cuts name where the whole is too long.
func cutName(name, suffix string) string {
	if room := event.MaxNameBytes - len(suffix); len(name) > room {
		name = strings.ToValidUTF8(name[:room], "")
	}
	return name + suffix
}
