package catalog

import (
	"bytes"
	"encoding/json"

	"posthaste/event"
)

// Bounds of a project's catalogue of event types.
const (
	maxEventTypesOfProject = 10_000
	maxSchemaBytes         = 64 << 10
)

func tooManyEventTypes() error {
	return event.Invalid("", "the project would have more than %d event types; at most %d are allowed", maxEventTypesOfProject, maxEventTypesOfProject)
}

// normalizeEventType checks an event type.
func normalizeEventType(t *event.EventType) error {
	if err := checkName("name", t.Name); err != nil {
		return err
	}
	if err := checkText("category", t.Category, event.MaxNameBytes); err != nil {
		return err
	}
	if err := checkProse("description", t.Description, maxTextBytes); err != nil {
		return err
	}
	return normalizeSchema(t)
}

// normalizeSchema takes the white space out of a JSON schema: an object, or, for all
// and nothing, true and false.
func normalizeSchema(t *event.EventType) error {
	if len(bytes.TrimSpace(t.JSONSchema)) == 0 || string(bytes.TrimSpace(t.JSONSchema)) == "null" {
		t.JSONSchema = nil
		return nil
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, t.JSONSchema); err != nil {
		return event.Invalid("json_schema", "is not JSON: %s", err)
	}
	text := compact.Bytes()
	if len(text) > maxSchemaBytes {
		return event.Invalid("json_schema", "has %d bytes; at most %d are allowed", len(text), maxSchemaBytes)
	}
	if text[0] != '{' && string(text) != "true" && string(text) != "false" {
		return event.Invalid("json_schema", "must be an object, true or false")
	}
	t.JSONSchema = text
	return nil
}
