package match

import (
	"bytes"
	"encoding/json"

	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// InputOf makes an input without an event. Each part is
// JSON, nil for none: body any, path a text or {"path": text}, the others objects
// by name. An error is an event.InvalidError whose field is the part's name.
func InputOf(body, headers, query, path json.RawMessage) (*Input, error) {
	in := &Input{ready: [parts]bool{true, true, true, true}}
	for i, src := range [parts]json.RawMessage{path, headers, query, body} {
		if src = bytes.TrimSpace(src); len(src) == 0 || i != partBody && string(src) == "null" {
			continue
		}
		if i == partPath && src[0] == '"' {
			src = append(append([]byte(`{"path":`), src...), '}')
		}
		d := in.prepare(i)
		d.read(src)
		if !d.has() {
			return nil, event.Invalid(partNames[i], "is not JSON")
		}
		if i != partBody && d.kind(0) != jsonscan.Object {
			return nil, event.Invalid(partNames[i], "is not a JSON object")
		}
	}
	return in, nil
}
