package api

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// seconds is a whole number of seconds in a request: a number, or a duration as a
// text like "1h30m", whatever the version. null and "" are as if it was not sent.
type seconds struct {
	n    int
	sent bool
}

const wantSeconds = `want whole seconds: a number like 30 or a text like "30s"`

// UnmarshalJSON reports what it cannot read as encoding/json does, which adds the
// field's name.
func (s *seconds) UnmarshalJSON(raw []byte) error {
	text := strings.TrimSpace(string(raw))
	if text == "null" || text == `""` {
		return nil
	}
	if n, err := strconv.Atoi(text); err == nil {
		*s = seconds{n, true}
		return nil
	}
	var quoted string
	if err := json.Unmarshal(raw, &quoted); err != nil {
		return errNotSeconds()
	}
	d, err := time.ParseDuration(quoted)
	if err != nil || d%time.Second != 0 {
		return errNotSeconds()
	}
	*s = seconds{int(d / time.Second), true}
	return nil
}

func errNotSeconds() error {
	return &json.UnmarshalTypeError{Value: "something else", Type: reflect.TypeFor[seconds]()}
}

// setSeconds changes *field if the request named it.
func setSeconds(field *int, s seconds) {
	if s.sent {
		*field = s.n
	}
}

// setSecondsOrDefault is setSeconds for a field whose zero means its default.
func setSecondsOrDefault(field *int, s seconds, byDefault int) {
	setSeconds(field, s)
	if s.sent && s.n == 0 {
		*field = byDefault
	}
}
