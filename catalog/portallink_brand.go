package catalog

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"posthaste/event"
)

// checkLinkParents checks the origins of pages that may show a portal in a frame. They
// become part of a header.
func checkLinkParents(parents []string) error {
	if n := len(parents); n > event.MaxPortalParents {
		return event.Invalid("allowed_parents", "has %d entries; at most %d are allowed", n, event.MaxPortalParents)
	}
	for i, origin := range parents {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || origin != u.Scheme+"://"+u.Host ||
			len(origin) > event.MaxNameBytes || strings.ContainsFunc(origin, notInOrigin) {
			return event.Invalid(fmt.Sprintf("allowed_parents[%d]", i), "want an origin, such as https://app.example.com, without a path")
		}
	}
	return nil
}

func notInOrigin(c rune) bool {
	letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
	return !letter && !strings.ContainsRune("-._:/[]", c)
}

var accentForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// logoTypes are the pictures that a logo may be: no format that can hold a script.
var logoTypes = []string{"image/png", "image/jpeg", "image/webp"}

// normalizeBrand checks how a portal looks, and drops a brand that says nothing.
func normalizeBrand(l *event.PortalLink) error {
	b := l.Brand
	if b == nil {
		return nil
	}
	if err := checkText("brand.name", b.Name, event.MaxNameBytes); err != nil {
		return err
	}
	if b.Accent != "" && !accentForm.MatchString(b.Accent) {
		return event.Invalid("brand.accent", "want a colour as #rrggbb, such as #1f4f8a")
	}
	if n := len(b.Logo); n > event.MaxPortalLogoBytes {
		return event.Invalid("brand.logo", "has %d bytes; at most %d are allowed", n, event.MaxPortalLogoBytes)
	}
	if len(b.Logo) > 0 && !slices.Contains(logoTypes, http.DetectContentType(b.Logo)) {
		return event.Invalid("brand.logo", "want a PNG, JPEG or WebP picture, in base64")
	}
	if b.Name == "" && b.Accent == "" && len(bytes.TrimSpace(b.Logo)) == 0 {
		l.Brand = nil
	}
	return nil
}
