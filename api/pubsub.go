package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"posthaste/event"
)

// brokerSecrets are the parts of the names, in lower case, of those members of a broker's
// configuration that are not shown, however deep they lie.
var brokerSecrets = []string{
	"secret", "password", "service_account", "token", "private_key", "credential", "connection_string",
}

func isBrokerSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(brokerSecrets, func(part string) bool { return strings.Contains(name, part) })
}

// applyPubSub changes a source's broker if the request names one. Without a type it is
// what clients send that have none.
func applyPubSub(s *event.Source, sent json.RawMessage) error {
	switch {
	case len(sent) == 0 || string(sent) == "null":
		return nil
	case isEmpty(sent):
		s.PubSub = nil
		return nil
	}
	broker, ok := brokerOf(sent)
	if !ok {
		return event.Invalid("pub_sub", "want an object with a type")
	}
	if broker["type"] == nil || broker["type"] == "" {
		return nil
	}
	before, _ := brokerOf(s.PubSub)
	if err := unmaskBroker("pub_sub", broker, before); err != nil {
		return err
	}
	encoded, err := marshal(broker)
	s.PubSub = encoded
	return err
}

// maskedBroker is a broker's configuration as it is shown; nil for none.
func maskedBroker(raw json.RawMessage) json.RawMessage {
	broker, ok := brokerOf(raw)
	if !ok {
		return nil
	}
	maskBroker(broker)
	shown, err := marshal(broker)
	if err != nil {
		return nil
	}
	return shown
}

func brokerOf(raw json.RawMessage) (broker map[string]any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err := d.Decode(&broker)
	return broker, err == nil && broker != nil
}

// maskBroker masks the secrets in a value, in place.
func maskBroker(v any) {
	switch v := v.(type) {
	case []any:
		for _, inner := range v {
			maskBroker(inner)
		}
	case map[string]any:
		for name, inner := range v {
			if isBrokerSecret(name) && inner != nil && inner != "" {
				v[name] = masked
				continue
			}
			maskBroker(inner)
		}
	}
}

// unmaskBroker puts what there was before, at the same place, in the place of masks.
func unmaskBroker(in string, v, before any) error {
	switch v := v.(type) {
	case []any:
		known, _ := before.([]any)
		known = append(slices.Clip(known), make([]any, max(len(v)-len(known), 0))...)
		for i, inner := range v {
			if err := unmaskBroker(fmt.Sprintf("%s[%d]", in, i), inner, known[i]); err != nil {
				return err
			}
		}
	case map[string]any:
		known, _ := before.(map[string]any)
		for name, inner := range v {
			path := in + "." + name
			if text, ok := inner.(string); ok && isBrokerSecret(name) {
				was, _ := known[name].(string)
				text, err := unhide(path, text, was)
				if err != nil {
					return err
				}
				v[name] = text
				continue
			}
			if err := unmaskBroker(path, inner, known[name]); err != nil {
				return err
			}
		}
	}
	return nil
}
