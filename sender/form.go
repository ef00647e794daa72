package sender

import (
	"encoding/json"
	"errors"
	"net/url"
)

// errNotForm is about an event that an endpoint in form mode cannot be sent.
var errNotForm = errors.New("the event's data is not a JSON object, so it cannot be sent as a form")

// formBody writes the top-level members of a JSON object as a form, sorted by
// name: strings as they are, null as nothing, and all else, numbers included, as
// the text that the producer wrote. Of two members with one name the last counts.
func formBody(data []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil || members == nil {
		return nil, errNotForm
	}
	form := make(url.Values, len(members))
	for name, raw := range members {
		form.Set(name, formValue(raw))
	}
	return []byte(form.Encode()), nil
}

func formValue(raw json.RawMessage) string {
	switch raw[0] {
	case 'n':
		return ""
	case '"':
		var s string
		_ = json.Unmarshal(raw, &s) // it was read as JSON a moment ago
		return s
	default:
		return string(raw)
	}
}
