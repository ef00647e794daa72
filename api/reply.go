package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// reply is a successful answer before it is written.
type reply struct {
	code    int
	message string
	data    []byte // JSON, written as it is

	location string // of what came of the request, as a path; "" for none
	text     string // written as plain text in the place of the envelope, if not empty

	stream func(w http.ResponseWriter) // answers in the place of all this; nil for most
}

// verbatim is JSON that is written byte for byte. encoding/json would compact a
// json.RawMessage and escape parts of it, and an event's data must come back as
// it was posted.
type verbatim []byte

// respond builds a reply. A nil data is written as null.
func respond(code int, message string, data any) (reply, error) {
	encoded, err := marshal(data)
	if err != nil {
		return reply{}, fmt.Errorf("encode the answer: %w", err)
	}
	return reply{code: code, message: message, data: encoded}, nil
}

// marshal is json.Marshal without the escaping of <, > and &.
func marshal(v any) ([]byte, error) {
	if raw, ok := v.(verbatim); ok {
		return raw, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// member is a member of a JSON object whose value is written as it is; null if empty.
type member struct {
	name  string
	value []byte
}

// appendObject appends one JSON object: the fields of v, a struct that has at
// least one, and then the members.
func appendObject(dst []byte, v any, members ...member) ([]byte, error) {
	fields, err := marshal(v)
	if err != nil {
		return nil, err
	}
	dst = append(dst, fields[:len(fields)-1]...)
	for _, m := range members {
		dst = append(dst, ',', '"')
		dst = append(dst, m.name...)
		dst = append(dst, '"', ':')
		if len(m.value) == 0 {
			m.value = []byte("null")
		}
		dst = append(dst, m.value...)
	}
	return append(dst, '}'), nil
}

// write writes an answer in the envelope, or the refusal if err is not nil.
func (a *API) write(w http.ResponseWriter, rep reply, err error) {
	code, body := rep.code, []byte(nil)
	if err == nil {
		body = appendEnvelope(true, rep.message, member{"data", rep.data})
	} else {
		var message string
		code, message = codeOf(err)
		body = appendEnvelope(false, message, machineReason(err)...)
		setErrorHeaders(w.Header(), code, err)
		if code == http.StatusInternalServerError {
			a.o.Fault(w.Header().Get(requestIDHeader), err)
		}
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	if err == nil && rep.text != "" {
		body = []byte(rep.text)
		h.Set("Content-Type", "text/plain; charset=utf-8")
	}
	if rep.location != "" {
		h.Set("Location", rep.location)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store") // answers hold secrets
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_, _ = w.Write(body) // the client may have gone; there is nobody to tell
}

type envelope struct {
	Status  bool   `json:"status"`
	Message string `json:"message"`
}

func appendEnvelope(ok bool, message string, members ...member) []byte {
	body, err := appendObject(nil, envelope{ok, message}, members...)
	if err != nil {
		panic("BUG: a bool and a string cannot be encoded: " + err.Error())
	}
	return body
}
