package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"posthaste/client"
)

type deliveryCurlCmd struct {
	ID     string `arg:"" help:"The delivery."`
	Reveal bool   `help:"With secrets in it, which are hidden otherwise."`
}

// Run prints the command as the server writes it, for a shell that must get it
// unchanged, and beside it in what it differs from the request.
func (c *deliveryCurlCmd) Run(s *session) error {
	in, err := s.project()
	if err != nil {
		return err
	}
	r := client.Request{Method: http.MethodGet, Path: in.Path("eventdeliveries", c.ID, "curl"), Again: true}
	if c.Reveal {
		r.Query = url.Values{"reveal": {"true"}}
	}
	a, err := s.client.Do(s.ctx, r)
	if err != nil {
		return err
	}
	if s.remote.JSON && a.Data != nil {
		return s.print(a.Data)
	}
	command, notes := string(a.Body), []string(nil)
	if a.Data != nil {
		command, notes = commandOf(a.Data)
	}
	if _, err := fmt.Fprintln(s.stdout, strings.TrimRight(command, "\n")); err != nil {
		return err
	}
	for _, note := range notes {
		if err := s.say("Note: %s", clean(note)); err != nil {
			return err
		}
	}
	return nil
}

// commandOf is the text within an answer's data, which is that text or an object.
func commandOf(data json.RawMessage) (command string, notes []string) {
	var object struct {
		Command string   `json:"command"`
		Notes   []string `json:"notes"`
	}
	if json.Unmarshal(data, &command) == nil {
		return command, nil
	}
	if json.Unmarshal(data, &object) == nil && object.Command != "" {
		return object.Command, object.Notes
	}
	return string(data), nil
}
