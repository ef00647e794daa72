package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// maxInputBytes bounds what is read of a file or of stdin for one request.
const maxInputBytes = 64 << 20

// readInput is an argument's text: itself, the file that it names behind an @, or for
// "-" what stdin has.
func (s *session) readInput(flag, text string) ([]byte, error) {
	var from io.Reader
	switch {
	case text == "-":
		from = s.stdin
	case len(text) > 1 && text[0] == '@':
		f, err := os.Open(text[1:])
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", flag, err)}
		}
		defer f.Close()
		from = f
	default:
		return []byte(text), nil
	}
	read, err := io.ReadAll(io.LimitReader(from, maxInputBytes+1))
	if err == nil && len(read) > maxInputBytes {
		err = fmt.Errorf("more than %d bytes", maxInputBytes)
	}
	if err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", flag, err)}
	}
	return read, nil
}

// readJSON is readInput for JSON. It says where what is none goes wrong.
func (s *session) readJSON(flag, text string) (json.RawMessage, error) {
	read, err := s.readInput(flag, text)
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage
	if err := json.Unmarshal(read, &raw); err != nil {
		return nil, usageError{fmt.Errorf("%s: %w", flag, jsonError(read, err))}
	}
	return raw, nil
}

// jsonError adds the place to an error of package json.
func jsonError(text []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	line, column := 1, 1
	for _, c := range text[:max(0, min(int(syntax.Offset)-1, len(text)))] {
		if column++; c == '\n' {
			line, column = line+1, 1
		}
	}
	return fmt.Errorf("no JSON at line %d, column %d: %w", line, column, err)
}

// fieldsFlag holds what a command has no flag for.
type fieldsFlag struct {
	Fields string `placeholder:"JSON" help:"Further fields of the API's request, as a JSON object; @FILE reads a file."`
}

// body is the request's fields: those of --fields, and over them those of flags.
func (f *fieldsFlag) body(s *session, flags map[string]any) (map[string]any, error) {
	body := map[string]any{}
	if f.Fields != "" {
		raw, err := s.readJSON("--fields", f.Fields)
		if err != nil {
			return nil, err
		}
		var given map[string]json.RawMessage
		if err := json.Unmarshal(raw, &given); err != nil {
			return nil, usageError{errors.New("--fields: want a JSON object")}
		}
		for name, value := range given {
			body[name] = value
		}
	}
	for name, value := range flags {
		body[name] = value
	}
	return body, nil
}
