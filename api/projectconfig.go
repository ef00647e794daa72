package api

import (
	"encoding/json"

	"posthaste/event"
)

// configBody is a project's config in a request. It is filled with the config as
// it is before a request is read over it; its own fields take the place of those
// with the same names in event.ProjectConfig, and are laid over it afterwards.
type configBody struct {
	event.ProjectConfig
	RateLimit         rateLimitBody    `json:"ratelimit"`
	Strategy          strategyBody     `json:"strategy"`
	Signature         signatureBody    `json:"signature"`
	DeadEndpoint      deadEndpointBody `json:"dead_endpoint"`
	MetaEvent         metaEventBody    `json:"meta_event"`
	Retention         retentionBody    `json:"retention"`
	IdempotencyWindow seconds          `json:"idempotency_window"`

	// SyncDynamicEventAck is an older name of verify_dynamic_events, which Convoy refuses.
	SyncDynamicEventAck json.RawMessage `json:"sync_dynamic_event_ack"`
}

type rateLimitBody struct {
	Count    *int    `json:"count"`
	Duration seconds `json:"duration"`
	Enabled  *bool   `json:"enabled"`
}

type signatureBody struct {
	Header   *string            `json:"header"`
	Versions *[]versionInConfig `json:"versions"` // nil: as before
}

// versionInConfig is a signature version in a request. Clients send its uid and
// date back, or empty texts in their place.
type versionInConfig struct {
	ID        string          `json:"uid"`
	Hash      string          `json:"hash"`
	Encoding  string          `json:"encoding"`
	CreatedAt json.RawMessage `json:"created_at"` // ignored
}

type deadEndpointBody struct {
	Strategy *string `json:"strategy"`
	Count    *int    `json:"count"`
	Window   seconds `json:"window"`
}

type metaEventBody struct {
	IsEnabled  *bool           `json:"is_enabled"`
	Type       *string         `json:"type"`
	EventTypes []string        `json:"event_type"` // null: as before; empty: all
	URL        *string         `json:"url"`
	Secret     *string         `json:"secret"` // "", or its mask: as before
	PubSub     json.RawMessage `json:"pub_sub"`
}

type retentionBody struct {
	Payload  seconds `json:"payload"`
	History  seconds `json:"history"`
	MaxBytes *int64  `json:"max_bytes"`
}

// config is the body laid over the config as it was.
func (b *configBody) config(old event.ProjectConfig) (event.ProjectConfig, error) {
	switch {
	case !isEmpty(b.MetaEvent.PubSub):
		return old, event.Invalid("config.meta_event.pub_sub", "operational events go to a url only; leave it out")
	case !isEmpty(b.SyncDynamicEventAck):
		return old, event.Invalid("config.sync_dynamic_event_ack", "replaced by verify_dynamic_events")
	}
	c := b.ProjectConfig
	c.RateLimit, c.Signature, c.DeadEndpoint = old.RateLimit, old.Signature, old.DeadEndpoint
	c.MetaEvent, c.Retention, c.IdempotencyWindow = old.MetaEvent, old.Retention, old.IdempotencyWindow
	c.Strategy = b.Strategy.over(old.Strategy)
	set(&c.RateLimit.Count, b.RateLimit.Count)
	setSeconds(&c.RateLimit.Duration, b.RateLimit.Duration)
	set(&c.RateLimit.Enabled, b.RateLimit.Enabled)
	b.Signature.apply(&c.Signature)
	set(&c.DeadEndpoint.Strategy, b.DeadEndpoint.Strategy)
	set(&c.DeadEndpoint.Count, b.DeadEndpoint.Count)
	setSeconds(&c.DeadEndpoint.Window, b.DeadEndpoint.Window)
	b.MetaEvent.apply(&c.MetaEvent)
	setSeconds(&c.Retention.Payload, b.Retention.Payload)
	setSeconds(&c.Retention.History, b.Retention.History)
	set(&c.Retention.MaxBytes, b.Retention.MaxBytes)
	setSecondsOrDefault(&c.IdempotencyWindow, b.IdempotencyWindow, event.DefaultIdempotencyWindow)
	return c, nil
}

func (b *metaEventBody) apply(m *event.MetaEventConfig) {
	set(&m.IsEnabled, b.IsEnabled)
	set(&m.URL, b.URL)
	if b.Type != nil && *b.Type != "" {
		m.Type = *b.Type
	}
	if b.EventTypes != nil {
		m.EventTypes = b.EventTypes
	}
	if b.Secret != nil && *b.Secret != "" && *b.Secret != maskSecret(m.Secret) {
		m.Secret = *b.Secret
	}
}

func (b *signatureBody) apply(s *event.SignatureConfig) {
	set(&s.Header, b.Header)
	if b.Versions != nil {
		s.Versions = signatureVersions(*b.Versions, s.Versions)
	}
}

// signatureVersions are new versions, which the catalog gives an id and a date,
// except those that were there before.
func signatureVersions(in []versionInConfig, old []event.SignatureVersion) []event.SignatureVersion {
	out := make([]event.SignatureVersion, len(in))
	for i, v := range in {
		out[i] = event.SignatureVersion{Hash: v.Hash, Encoding: v.Encoding}
		for _, o := range old {
			if o.ID.String() == v.ID {
				out[i].ID, out[i].CreatedAt = o.ID, o.CreatedAt
			}
		}
	}
	return out
}
