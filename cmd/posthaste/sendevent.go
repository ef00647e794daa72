package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
)

// eventEnvelope is what stands around the data of events that are sent alike.
type eventEnvelope struct{ head []byte } // an object that is still open, with a comma at its end, or with nothing in it

// member is a member of a JSON object. What is empty is left out.
type member struct {
	name  string
	value any
}

func newEnvelope(members ...member) *eventEnvelope {
	head := []byte{'{'}
	for _, m := range members {
		switch v := m.value.(type) {
		case string:
			if v != "" {
				head = appendMember(head, m.name, v)
			}
		case bool:
			if v {
				head = appendMember(head, m.name, v)
			}
		case map[string]string:
			if len(v) > 0 {
				head = appendMember(head, m.name, v)
			}
		}
	}
	return &eventEnvelope{head}
}

func appendMember(dst []byte, name string, value any) []byte {
	text, err := json.Marshal(value)
	if err != nil {
		panic("BUG: texts cannot be encoded: " + err.Error())
	}
	dst = append(dst, '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return append(append(dst, text...), ',')
}

// event is the request for an event with this data, which stays as it is byte for byte,
// and with a key unless that is empty.
func (e *eventEnvelope) event(data json.RawMessage, key string) []byte {
	out := make([]byte, 0, len(e.head)+len(key)+len(data)+64)
	out = append(out, e.head...)
	if key != "" {
		out = appendMember(out, "idempotency_key", key)
	}
	out = append(out, `"data":`...)
	return append(append(out, data...), '}')
}

// withKey gives a whole event, a valid object, a key unless it has one. It stands last,
// where it counts for more than an empty one before it.
func withKey(event []byte, key string) []byte {
	var has struct {
		Key json.RawMessage `json:"idempotency_key"`
	}
	if json.Unmarshal(event, &has) == nil && len(has.Key) > 0 && string(has.Key) != "null" && string(has.Key) != `""` {
		return event
	}
	out := append(make([]byte, 0, len(event)+len(key)+32), event...)
	out = bytes.TrimRight(out[:bytes.LastIndexByte(out, '}')], " \t\r\n")
	if out[len(out)-1] != '{' {
		out = append(out, ',')
	}
	out = appendMember(out, "idempotency_key", key)
	out[len(out)-1] = '}'
	return out
}

// lineKey is the key of a line of a file: another line, or the same text elsewhere in
// it, has another one.
func lineKey(head []byte, number int, line []byte) string {
	h := sha256.New()
	h.Write(strconv.AppendInt(nil, int64(number), 10))
	h.Write([]byte{':'})
	h.Write(head)
	h.Write([]byte{'\n'})
	h.Write(line)
	return "line-" + hex.EncodeToString(h.Sum(nil)[:16])
}
