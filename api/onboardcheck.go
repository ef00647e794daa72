package api

import (
	"errors"
	"net/netip"
	"strings"
	"unicode"

	"posthaste/event"
	"posthaste/internal/netguard"
	"posthaste/match"
)

// checkOnboarding lists what is wrong with the rows, and counts those with errors.
func (a *API) checkOnboarding(c *call, items []onboardItem) (wrong []onboardError, bad int) {
	wrong = []onboardError{}
	for i := range items {
		before := len(wrong)
		for _, e := range a.checkOnboardItem(c, &items[i]) {
			e.Row = i + 1
			wrong = append(wrong, e)
		}
		if len(wrong) > before {
			bad++
		}
	}
	return wrong, bad
}

func (a *API) checkOnboardItem(c *call, item *onboardItem) []onboardError {
	var wrong []onboardError
	add := func(field, message string) {
		if message != "" {
			wrong = append(wrong, onboardError{Field: field, Message: message})
		}
	}
	if item.Name == "" {
		add("name", "is empty; give the endpoint a name")
	}
	add("name", lineFault(item.Name, event.MaxNameBytes))
	add("url", a.urlFault(item.URL, c.project.Config.SSL.EnforceSecureEndpoints))
	if item.EventType != "" {
		add("event_type", typeFault(item.EventType))
	}
	add("auth_username", lineFault(item.AuthUsername, event.MaxNameBytes))
	add("auth_password", lineFault(item.AuthPassword, event.MaxHeaderBytes))
	switch {
	case item.AuthUsername == "" && item.AuthPassword != "":
		add("auth_username", "is empty, and there is a password; give both or neither")
	case item.AuthUsername != "" && item.AuthPassword == "":
		add("auth_password", "is empty, and there is a user name; give both or neither")
	case strings.Contains(item.AuthUsername, ":"):
		add("auth_username", "has a colon, which ends a user name in basic authentication")
	}
	return wrong
}

// lineFault says what is wrong with a text of one line; "" for nothing.
func lineFault(text string, most int) string {
	switch {
	case len(text) > most:
		return reasonOf(event.Invalid("", "has %d bytes; at most %d are allowed", len(text), most))
	case strings.ContainsFunc(text, unicode.IsControl):
		return "has a control character, such as a line break; remove it"
	case text != "" && strings.TrimSpace(text) == "":
		return "is blank"
	}
	return ""
}

func typeFault(eventType string) string {
	if fault := lineFault(eventType, event.MaxNameBytes); fault != "" {
		return fault
	}
	_, err := match.CompileTypes([]string{eventType})
	return reasonOf(err)
}

// anyAddress is a policy that looks at the form of a URL only.
var anyAddress = netguard.Policy{
	AllowHTTP: true, DeniedPorts: []uint16{},
	Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")},
}

// urlFault says what is wrong with a URL; "" for nothing.
func (a *API) urlFault(raw string, enforceTLS bool) string {
	if raw == "" {
		return "is empty; give an address that begins with https:// or http://"
	}
	if a.o.CheckURL != nil {
		_, err := a.o.CheckURL(raw, enforceTLS)
		return reasonOf(err)
	}
	canonical, err := anyAddress.CanonicalURL(raw)
	if err == nil && enforceTLS && !strings.HasPrefix(canonical, "https://") {
		return "is not https, and this project takes no other"
	}
	return reasonOf(err)
}

// reasonOf is what an error says of a field, without the field's name; "" of nil.
func reasonOf(err error) string {
	var invalid *event.InvalidError
	var refused *netguard.URLError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &invalid):
		return invalid.Reason
	case errors.As(err, &refused):
		return refused.Reason
	}
	return err.Error()
}
