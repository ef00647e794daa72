package console

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
)

// typeEntry is an entry of the catalogue with what such an event looks like.
type typeEntry struct {
	Name, Category, Description string
	Deprecated                  bool
	Example                     string // JSON; "" if nobody knows
	From                        string // where the example comes from
}

// maxLookedUp bounds the types whose latest event is looked up for an example.
const maxLookedUp = 25

// catalogue is the project's event types with examples: of the type's schema or, without
// one, the latest event of the type that the reader may see.
func (v *visit) catalogue(ctx context.Context) ([]typeEntry, error) {
	type entry struct {
		eventType
		Schema json.RawMessage `json:"json_schema"`
	}
	rows, _, err := list[entry](ctx, v, "/event-types", nil)
	if err != nil {
		return nil, err
	}
	out := make([]typeEntry, 0, len(rows))
	looked := 0
	for _, t := range rows {
		if t.Name == "*" {
			continue
		}
		e := typeEntry{Name: t.Name, Category: t.Category, Description: t.Description, Deprecated: t.DeprecatedAt != nil}
		if e.Example = exampleOf(t.Schema); e.Example != "" {
			e.From = "of its schema"
		} else if looked < maxLookedUp {
			looked++
			e.Example = v.latestOf(ctx, t.Name)
			e.From = "the latest event"
		}
		out = append(out, e)
	}
	return out, nil
}

// maxExample bounds an example that is an event.
const maxExample = 4 << 10

func (v *visit) latestOf(ctx context.Context, eventType string) string {
	rows, _, err := list[eventRow](ctx, v, "/events", url.Values{"eventType": {eventType}, "perPage": {"1"}})
	if err != nil || len(rows) == 0 || len(rows[0].Body()) > maxExample {
		return ""
	}
	return indented([]byte(rows[0].Body()))
}

// exampleOf is an example that a JSON schema has or that can be made of it.
func exampleOf(schema json.RawMessage) string {
	var s jsonSchema
	if json.Unmarshal(schema, &s) != nil || s.empty() {
		return ""
	}
	text, err := json.Marshal(s.example(0))
	if err != nil {
		return ""
	}
	return indented(text)
}

// jsonSchema is as much of a schema as an example needs.
type jsonSchema struct {
	Type       any                   `json:"type"`
	Format     string                `json:"format"`
	Properties map[string]jsonSchema `json:"properties"`
	Items      *jsonSchema           `json:"items"`
	Enum       []any                 `json:"enum"`
	Const      any                   `json:"const"`
	Example    any                   `json:"example"`
	Examples   []any                 `json:"examples"`
	Default    any                   `json:"default"`
}

func (s *jsonSchema) empty() bool {
	return s.Type == nil && s.Properties == nil && s.Items == nil && s.Enum == nil && s.Const == nil && s.Example == nil && s.Examples == nil && s.Default == nil
}

// maxSchemaDepth bounds how deep an example is made.
const maxSchemaDepth = 8

// formats are texts of the formats that schemas name.
var formats = map[string]string{
	"date-time": "2026-01-31T09:30:00Z", "date": "2026-01-31", "time": "09:30:00Z", "email": "ada@example.com",
	"uri": "https://example.com/", "uuid": "3f2c8a10-5d1e-4c7b-9a51-0b6f7f1f2c11", "hostname": "example.com", "ipv4": "192.0.2.1",
}

func (s *jsonSchema) example(depth int) any {
	for _, given := range []any{s.Example, s.Const, s.Default} {
		if given != nil {
			return given
		}
	}
	if len(s.Examples) > 0 {
		return s.Examples[0]
	}
	if len(s.Enum) > 0 {
		return s.Enum[0]
	}
	kind, _ := s.Type.(string)
	if several, ok := s.Type.([]any); ok && len(several) > 0 {
		kind, _ = several[0].(string)
	}
	if kind == "" && s.Properties != nil {
		kind = "object"
	}
	if depth > maxSchemaDepth {
		return nil
	}
	switch kind {
	case "object":
		o := make(map[string]any, len(s.Properties))
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			p := s.Properties[name]
			o[name] = p.example(depth + 1)
		}
		return o
	case "array":
		if s.Items == nil {
			return []any{}
		}
		return []any{s.Items.example(depth + 1)}
	case "string":
		if text := formats[s.Format]; text != "" {
			return text
		}
		return "text"
	case "integer":
		return 1
	case "number":
		return 1.5
	case "boolean":
		return true
	}
	return nil
}
