package catalog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"posthaste/event"
)

// auditShown are the fields whose values the audit log shows, each with all that is below
// it. Of all others, those that were added since among them, it shows digests: whoever
// adds one says here whether it may be read.
var auditShown = map[byte][]string{
	KindProject: {
		"name", "logo_url", "type", "config.max_payload_read_size", "config.replay_attacks_prevention_enabled",
		"config.add_event_id_trace_headers", "config.verify_dynamic_events", "config.allow_unmatched_dynamic_urls",
		"config.disable_endpoint", "config.multiple_endpoint_subscriptions", "config.search_policy", "config.ssl",
		"config.ratelimit", "config.strategy", "config.signature.header", "config.request_id_header",
		"config.dead_endpoint", "config.circuit_breaker", "config.meta_event.is_enabled", "config.meta_event.type",
		"config.meta_event.event_type", "config.meta_event.url", "config.retention", "config.idempotency_window",
	},
	KindEndpoint: {
		"owner_id", "url", "name", "description", "advanced_signatures", "dynamic", "status", "http_timeout", "rate_limit",
		"rate_limit_duration", "content_type", "authentication.type", "signature_mode", "strategy", "max_concurrency", "app_id",
		"contacts.support_email",
	},
	KindSubscription: {
		"name", "type", "endpoint_id", "delivery_mode", "filter_config.event_types", "extra.source_id", "extra.alert_config",
		"extra.rate_limit_config", "extra.retry_config",
	},
	KindKey:       {"name", "owner_id", "mask_id", "scopes", "allow_from", "expires_at"},
	KindEventType: {"name", "category", "description", "deprecated_at"},
	KindSource: {
		"name", "type", "provider", "is_disabled", "verifier.type", "verifier.hmac.header", "verifier.hmac.hash",
		"verifier.hmac.encoding", "forward_headers", "idempotency_keys", "event_type_location",
	},
	KindPortalLink:  {"name", "owner_id", "endpoints", "auth_type", "can_manage_endpoint", "used_at", "expires_at", "allowed_parents", "brand.name", "brand.accent"},
	KindApplication: {"name", "support_email", "is_disabled"},
}

// auditSkipped are fields that say nothing of what was done.
var auditSkipped = []string{
	"uid", "project_id", "created_at", "updated_at", "deleted_at", "status_history", "last_used_at", "crc_verified_at", "digest",
}

// maxAuditValue is how many bytes of a value are shown.
const maxAuditValue = 256

// changes lists the fields that an edit sets or changes, by name.
func (c *Catalog) changes(kind byte, e *edit) []event.AuditChange {
	after := fieldsOf(e.after)
	before := map[string]string{}
	if e.before != nil {
		before = fieldsOf(e.before)
	}
	names := maps.Clone(before)
	maps.Copy(names, after)
	var list []event.AuditChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if before[name] != after[name] {
			list = append(list, event.AuditChange{Field: name, Before: c.auditText(kind, name, before[name]), After: c.auditText(kind, name, after[name])})
		}
	}
	return list
}

// auditText is a field's value as the audit log shows it.
func (c *Catalog) auditText(kind byte, name, value string) string {
	switch {
	case value == "":
		return ""
	case !isShown(kind, name):
		return c.auditDigest(value)
	case strings.HasSuffix(name, "url"):
		if bare, query, found := strings.Cut(value, "?"); found { // a query may hold a token
			return bare + "?" + c.auditDigest(query)
		}
	}
	if len(value) > maxAuditValue {
		return strings.ToValidUTF8(value[:maxAuditValue], "") + "... " + c.auditDigest(value)
	}
	return value
}

func isShown(kind byte, name string) bool {
	return slices.ContainsFunc(auditShown[kind], func(shown string) bool {
		rest, found := strings.CutPrefix(name, shown)
		return found && (rest == "" || rest[0] == '.')
	})
}

// auditLabel keeps these digests apart from those of keys.
const auditLabel = "posthaste audit log"

// auditDigest stands for a value that is not shown. It is made under the pepper, so that a
// short secret cannot be found by trying, and is cut short.
func (c *Catalog) auditDigest(value string) string {
	sum := sha256.Sum256([]byte(value))
	keyed := c.digest.sum(append([]byte(auditLabel), sum[:]...))
	return "digest:" + hex.EncodeToString(keyed[:6])
}

// fieldsOf are an object's fields by their path in its JSON; what is empty has none.
func fieldsOf(o object) map[string]string {
	_, noun := nounOf(o)
	fields := make(map[string]string)
	raw, err := json.Marshal(noun)
	if err != nil {
		panic("BUG: a noun cannot be written as JSON: " + err.Error())
	}
	addFields(fields, "", raw)
	for _, name := range auditSkipped {
		delete(fields, name)
	}
	return fields
}

func addFields(fields map[string]string, name string, raw json.RawMessage) {
	var object map[string]json.RawMessage
	if raw[0] == '{' && json.Unmarshal(raw, &object) == nil {
		for member, value := range object {
			addFields(fields, strings.TrimPrefix(name+"."+member, "."), value)
		}
		return
	}
	switch text := string(bytes.TrimSpace(raw)); text {
	case `""`, "null", "0", "false", "[]":
	default:
		if raw[0] == '"' {
			_ = json.Unmarshal(raw, &text)
		}
		fields[name] = text
	}
}
