package ingest

import (
	"posthaste/event"
	"posthaste/internal/jsonscan"
)

// maxDynamicTypes is how many event types a dynamic event may name for its
// subscription.
const maxDynamicTypes = 100

// dynamic is the endpoint that an event brings with it, in spans of the body.
type dynamic struct {
	url, secret []byte
	types       [][]byte
}

// read takes the endpoint out of an event's raw values. Whether the URL may be
// called and the secret will do is for the engine to say.
func (d *dynamic) read(f *fields, s *jsonscan.Scanner) (no *refusal) {
	if d.url, no = text("url", f.url, event.MaxURLBytes); no != nil {
		return no
	}
	if f.secret != nil {
		if d.secret, no = text("secret", f.secret, event.MaxSecretBytes); no != nil {
			return no
		}
	}
	if f.types == nil {
		return nil
	}
	return d.readTypes(f.types, s)
}

func (d *dynamic) readTypes(raw []byte, s *jsonscan.Scanner) *refusal {
	if jsonscan.KindOf(raw) != jsonscan.Array {
		return malformed("event_types:must be an array of strings")
	}
	s.Array(raw)
	for s.Next() {
		if len(d.types) == maxDynamicTypes {
			return malformed("event_types:at most %d event types", maxDynamicTypes)
		}
		if s.Kind() != jsonscan.String {
			return malformed("event_types:must be an array of strings")
		}
		name, no := text("event_types", s.Value(), event.MaxNameBytes)
		if no != nil {
			return no
		}
		if len(name) == 0 {
			return malformed("event_types:an event type is empty")
		}
		d.types = append(d.types, name)
	}
	return nil
}

// own copies the endpoint out of the request.
func (d *dynamic) own() *event.Dynamic {
	owned := &event.Dynamic{URL: string(d.url), Secret: string(d.secret)}
	for _, name := range d.types {
		owned.EventTypes = append(owned.EventTypes, string(name))
	}
	return owned
}

// release forgets the endpoint, so that nothing refers to the body any more.
func (d *dynamic) release() {
	clear(d.types)
	*d = dynamic{types: d.types[:0]}
}
