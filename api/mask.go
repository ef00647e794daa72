package api

import (
	"strings"

	"posthaste/event"
)

// masked stands in the place of a text that is not shown.
const masked = "********"

// hide is the mask for a text, and nothing for none.
func hide(text string) string {
	if text == "" {
		return ""
	}
	return masked
}

// unhide is what a request means by a text that answers hide: the one there is, if
// it sends the mask back.
func unhide(field, sent, before string) (string, error) {
	switch {
	case sent != masked:
		return sent, nil
	case before == "":
		return "", event.Invalid(field, "is the mask that answers show, and there is nothing behind it; give the value itself")
	}
	return before, nil
}

// minTailBytes is how long a signing secret must be for its end to be shown.
const minTailBytes = 16

// maskSecret hides a signing secret but for what its owner tells it from others by,
// its kind and its end: whsec_****abcd.
func maskSecret(secret string) string {
	if secret == "" {
		return ""
	}
	var kind, tail string
	if i := strings.IndexByte(secret, '_'); i >= 0 && (secret[:i] == "whsec" || secret[:i] == "whsk") {
		kind, secret = secret[:i+1], secret[i+1:]
	}
	if len(secret) >= minTailBytes {
		tail = strings.ToValidUTF8(secret[len(secret)-4:], "")
	}
	return kind + "****" + tail
}
