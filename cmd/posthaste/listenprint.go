package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// print writes a webhook: one line, and what else was asked for.
func (h *hookHandler) print(k *hook) error {
	if h.session.remote.JSON {
		return h.printJSON(k)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %d  %s %s  %d bytes  %s", h.clock(k.at), k.status, clean(k.request.Method), clean(k.request.URL.RequestURI()), len(k.body), proof(k.problem))
	names := slices.Sorted(maps.Keys(k.request.Header))
	for _, name := range names {
		if telling(name) {
			fmt.Fprintf(&b, "  %s=%s", name, clean(k.request.Header.Get(name)))
		}
	}
	if k.note != "" {
		b.WriteString("  (" + clean(k.note) + ")")
	}
	b.WriteByte('\n')
	if h.cmd.Headers {
		for _, name := range names {
			for _, value := range k.request.Header[name] {
				fmt.Fprintf(&b, "    %s: %s\n", clean(name), clean(value))
			}
		}
	}
	if h.cmd.Body {
		for line := range strings.Lines(pretty(k.body)) {
			b.WriteString("    " + clean(strings.TrimRight(line, "\n")) + "\n")
		}
	}
	_, err := h.session.stdout.Write([]byte(b.String()))
	return err
}

func (h *hookHandler) clock(t time.Time) string {
	return t.In(h.session.location).Format("15:04:05.000")
}

// proof says whether a webhook is verified, or why not.
func proof(problem error) string {
	if problem == nil {
		return "verified"
	}
	return "NOT VERIFIED: " + clean(problem.Error())
}

// pretty is a body, indented if it is JSON.
func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") == nil {
		return b.String()
	}
	return string(body)
}

func (h *hookHandler) printJSON(k *hook) error {
	line := struct {
		Time     time.Time           `json:"time"`
		Method   string              `json:"method"`
		Path     string              `json:"path"`
		Headers  map[string][]string `json:"headers"`
		Body     any                 `json:"body"` // as JSON if it is, or else as text
		Verified bool                `json:"verified"`
		Problem  string              `json:"problem,omitempty"`
		Status   int                 `json:"status"`
		Note     string              `json:"note,omitempty"`
	}{
		Time: k.at.UTC(), Method: k.request.Method, Path: k.request.URL.RequestURI(), Headers: k.request.Header,
		Verified: k.problem == nil, Status: k.status, Note: k.note,
	}
	if line.Body = json.RawMessage(k.body); !json.Valid(k.body) {
		line.Body = string(k.body)
	}
	if k.problem != nil {
		line.Problem = k.problem.Error()
	}
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	return h.session.print(text)
}
