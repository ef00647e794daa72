package api

import (
	"encoding/json"

	"posthaste/event"
)

// configBody is a project's config in a request. Its own fields take the place of
// those with the same names in event.ProjectConfig.
type configBody struct {
	event.ProjectConfig
	Signature signatureBody `json:"signature"`

	// What Convoy has and posthaste has not. Inert settings are ignored, those
	// that ask for behaviour are refused.
	MetaEvent struct {
		IsEnabled bool `json:"is_enabled"`
	} `json:"meta_event"`
	VerifyDynamicEvents       bool            `json:"verify_dynamic_events"`
	AllowUnmatchedDynamicURLs bool            `json:"allow_unmatched_dynamic_urls"`
	SyncDynamicEventAck       json.RawMessage `json:"sync_dynamic_event_ack"`
}

type signatureBody struct {
	Header   string             `json:"header"`
	Versions *[]versionInConfig `json:"versions"` // nil: as before
}

// versionInConfig is a signature version in a request. Clients send its uid and
// date back, or empty texts in their place.
type versionInConfig struct {
	ID       string `json:"uid"`
	Hash     string `json:"hash"`
	Encoding string `json:"encoding"`
}

func newConfigBody(c event.ProjectConfig) configBody {
	b := configBody{ProjectConfig: c}
	b.Signature.Header = c.Signature.Header
	return b
}

// config is the body as a config. old are the signature versions as they were.
func (b *configBody) config(old []event.SignatureVersion) (event.ProjectConfig, error) {
	switch {
	case b.MetaEvent.IsEnabled:
		return event.ProjectConfig{}, notYet("config.meta_event.is_enabled")
	case b.VerifyDynamicEvents:
		return event.ProjectConfig{}, notYet("config.verify_dynamic_events")
	case b.AllowUnmatchedDynamicURLs:
		return event.ProjectConfig{}, notYet("config.allow_unmatched_dynamic_urls")
	case !isEmpty(b.SyncDynamicEventAck):
		return event.ProjectConfig{}, event.Invalid("config.sync_dynamic_event_ack", "replaced by verify_dynamic_events")
	}
	c := b.ProjectConfig
	c.Signature = event.SignatureConfig{Header: b.Signature.Header, Versions: old}
	if b.Signature.Versions != nil {
		c.Signature.Versions = signatureVersions(*b.Signature.Versions, old)
	}
	return c, nil
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
