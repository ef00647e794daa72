package match

import (
	"encoding/json"
	"testing"

	"posthaste/event"
)

// FuzzFilter: nothing panics, and where the filter compiles and the payload is
// JSON, its answer is the model's.
func FuzzFilter(f *testing.F) {
	for _, conditions := range []string{
		`{"a":1}`, `{"a.b":{"$gt":1e5}}`, `{"$or":[{"a":"x"},{"b":{"$regex":"^x+"}}]}`, `{"$.a.$.b":{"$nin":[1,"x",null]}}`,
		`{"a":{"$eq":[1,2]},"b":{"$exist":false}}`, `{"a.0":["x",true]}`, `{"$`, `{"a":{"$or":[{"$lt":1}]}}`,
	} {
		for _, payload := range []string{`{"a":1}`, `{"a":{"b":1e6}}`, `[{"a":[{"b":2}]}]`, `{"a":[1,2]}`, `{"a":"\u0078"}`, `[[[`, ``, `"x"`} {
			f.Add([]byte(conditions), []byte(payload))
		}
	}
	f.Fuzz(func(t *testing.T, conditions, payload []byte) {
		filter, err := CompileFilter(&event.Filter{Body: json.RawMessage(conditions), Headers: json.RawMessage(conditions)})
		in := &Input{}
		in.Reset(&event.Event{Data: payload, Headers: []event.Header{{Name: "a", Value: string(payload)}, {Name: "A", Value: "x"}}, Query: string(payload), Path: string(payload)})
		if err != nil {
			return
		}
		filter.Match(in)
		if plain, _ := decode(conditions); extremeNumber(plain) {
			return
		}
		if body, err := decode(payload); filter == nil || err != nil || !json.Valid(payload) || extremeNumber(body) {
			return
		}
		compareWithModel(t, in, string(conditions), string(payload))
	})
}

// extremeNumber reports whether a rational number would take too long or fail.
func extremeNumber(v any) bool {
	switch v := v.(type) {
	case json.Number:
		d, _ := parseDecimal([]byte(v))
		return len(v) > 50 || d.exponent > 1000 || d.exponent < -1000
	case []any:
		for _, e := range v {
			if extremeNumber(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if extremeNumber(e) {
				return true
			}
		}
	}
	return false
}

func FuzzTypes(f *testing.F) {
	for _, pattern := range []string{"*", "a.*", "a?[b-d]", "[", "[!]x", "regex:a+", "a"} {
		f.Add(pattern, "a.b")
	}
	f.Fuzz(func(t *testing.T, pattern, eventType string) {
		types, err := CompileTypes([]string{pattern})
		if err == nil {
			types.Match(eventType)
		}
	})
}
