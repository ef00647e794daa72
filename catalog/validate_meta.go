package catalog

import (
	"fmt"
	"slices"
	"strings"

	"posthaste/event"
)

// metaTypeHTTP is the only way in which operational events go out.
const metaTypeHTTP = "http"

// normalizeMetaEvent checks where the project hears of what happens to it. A secret
// that is missing is kept from before, or made.
func (c *Catalog) normalizeMetaEvent(cfg *event.ProjectConfig, old *Project) error {
	const field = "config.meta_event"
	m, before := &cfg.MetaEvent, event.MetaEventConfig{}
	if old != nil {
		before = old.Config.MetaEvent
	}
	if m.Type != metaTypeHTTP {
		return event.Invalid(field+".type", "must be %q", metaTypeHTTP)
	}
	if err := normalizeMetaTypes(m); err != nil {
		return err
	}
	if m.URL != before.URL && m.URL != "" || m.IsEnabled && (m.URL == "" || !before.IsEnabled) {
		var err error
		if m.URL, err = c.canonicalURL(field+".url", m.URL, cfg.SSL.EnforceSecureEndpoints); err != nil {
			return err
		}
	}
	if m.Secret == "" {
		m.Secret = before.Secret
	}
	if m.Secret == "" && m.IsEnabled {
		m.Secret = newSecret()
	}
	if m.Secret == "" {
		return nil
	}
	return checkSecret(field+".secret", m.Secret, event.SignConvoy)
}

// normalizeMetaTypes lists each type once; none is all.
func normalizeMetaTypes(m *event.MetaEventConfig) error {
	known := event.MetaEventTypes()
	var types []string
	for i, t := range m.EventTypes {
		if !slices.Contains(known, t) {
			return event.Invalid(fmt.Sprintf("config.meta_event.event_type[%d]", i), "must be one of %s", strings.Join(known, ", "))
		}
		if !slices.Contains(types, t) {
			types = append(types, t)
		}
	}
	m.EventTypes = types
	return nil
}
