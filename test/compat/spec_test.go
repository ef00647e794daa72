package compat

import (
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// specification is our own document, with which every answer is compared.
type specification struct {
	document *openapi3.T
	paths    map[string][]string // templates and their parts
}

func loadSpecification(t *testing.T) *specification {
	t.Helper()
	text, err := os.ReadFile("../../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	document, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	s := &specification{document: document, paths: map[string][]string{}}
	for path := range document.Paths.Map() {
		s.paths[path] = strings.Split(path, "/")
	}
	return s
}

// operation finds what the document says of a request; nil if nothing.
func (s *specification) operation(req *http.Request) (*openapi3.Operation, string) {
	parts := strings.Split(req.URL.Path, "/")
	var best string
	for path, template := range s.paths {
		if fits(template, parts) && (best == "" || strings.Count(path, "{") < strings.Count(best, "{")) {
			best = path
		}
	}
	if best == "" {
		return nil, ""
	}
	return s.document.Paths.Find(best).GetOperation(req.Method), best
}

func fits(template, parts []string) bool {
	if len(template) != len(parts) {
		return false
	}
	for i, part := range template {
		if part != parts[i] && !(strings.HasPrefix(part, "{") && parts[i] != "") {
			return false
		}
	}
	return true
}

// compare checks an answer against the document: its code has to be there, and its body
// has to be as the schema says.
func (s *specification) compare(w *world, req *http.Request, got answer) {
	const about = "openapi.yaml"
	op, path := s.operation(req)
	if op == nil || w.old(req) {
		return // not one of ours, or in an older version of the API
	}
	name := req.Method + " " + path
	response := op.Responses.Value(strconv.Itoa(got.code))
	if !w.check(about, response != nil, "%s: %d is not in the document", name, got.code) {
		return
	}
	content := response.Value.Content.Get(got.header.Get("Content-Type"))
	if content == nil || content.Schema == nil {
		return
	}
	var body any
	if err := json.Unmarshal(got.raw, &body); err != nil {
		return // noted elsewhere
	}
	err := content.Schema.Value.VisitJSON(body)
	w.check(about, err == nil, "%s: %s", name, short(err))
}

// old reports whether a request asks for an older version of the API.
func (w *world) old(req *http.Request) bool {
	v := req.Header.Get("X-Convoy-Version")
	return v != "" && v < "2024-04-01"
}

// short is an error on one line, without the whole schema.
func short(err error) string {
	if err == nil {
		return ""
	}
	text, _, _ := strings.Cut(err.Error(), "\nSchema:")
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 300 {
		text = text[:300]
	}
	return text
}

// documents asks the server for its description and the page.
func (w *world) documents() {
	const about = "documents"
	for path, media := range map[string]string{"/openapi.yaml": "application/yaml; charset=utf-8", "/docs": "text/html; charset=utf-8"} {
		got := w.request("GET", path, nil, "-", nil)
		w.check(about, got.code == 200 && got.header.Get("Content-Type") == media, "GET %s: %d %s", path, got.code, got.header.Get("Content-Type"))
	}
}
