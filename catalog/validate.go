package catalog

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"posthaste/event"
	"posthaste/sig"
)

// Bounds that are the catalog's own. Those that other packages share are in event.
const (
	maxTextBytes         = 4096 // of a description, an address, an authentication header
	maxHeaderNameBytes   = 256  // of a configured header's name
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

// checkSecret checks a signing secret for an endpoint that signs in this mode.
func checkSecret(field, secret, mode string) error {
	if secret == "" {
		return event.Invalid(field, "is empty; give one of 1 to %d bytes, or leave it out to have one made", event.MaxSecretBytes)
	}
	if err := checkText(field, secret, event.MaxSecretBytes); err != nil || mode != event.SignStandard {
		return err
	}
	if err := sig.CheckStandardSecret(secret); err != nil {
		return event.Invalid(field, "does not fit the signature mode %q: %s", event.SignStandard, err)
	}
	return nil
}

// within makes an error of a part, whose fields are relative to it, one of the whole.
func within(field string, err error) error {
	var invalid *event.InvalidError
	if !errors.As(err, &invalid) {
		return event.Invalid(field, "%s", err)
	}
	switch {
	case invalid.Field == "":
	case invalid.Field[0] == '[':
		field += invalid.Field
	default:
		field += "." + invalid.Field
	}
	return event.Invalid(field, "%s", invalid.Reason)
}

// cutName appends suffix to name, and cuts name where the whole is too long.
func cutName(name, suffix string) string {
	if room := event.MaxNameBytes - len(suffix); len(name) > room {
		name = strings.ToValidUTF8(name[:room], "")
	}
	return name + suffix
}
