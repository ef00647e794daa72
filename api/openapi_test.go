package api

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/goccy/go-yaml"
)

// TestOpenAPI builds the description of the API and its page from the routes, the types
// and the tables of openapi_doc_*_test.go, and compares them with what is committed.
func TestOpenAPI(t *testing.T) {
	docs := allDocs(t)
	checkDocs(t, docs)
	if t.Failed() {
		t.FailNow()
	}
	description := buildOpenAPI(t, docs)
	text, err := yaml.MarshalWithOptions(description, yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true))
	if err != nil {
		t.Fatal(err)
	}
	text = append([]byte("# Made by `go test ./api -run TestOpenAPI -rewrite`; do not edit.\n"), text...)
	page := buildPage(t, description)
	for name, want := range map[string][]byte{"openapi.yaml": text, "docs.html": page} {
		if *rewrite {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the routes and types say, from line %d on; run: go test ./api -run TestOpenAPI -rewrite\n%s", name, firstDifference(got, want), difference(got, want))
		}
	}
}

func firstDifference(got, want []byte) int {
	a, b := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(a), len(b)) {
		if !bytes.Equal(a[i], b[i]) {
			return i + 1
		}
	}
	return min(len(a), len(b)) + 1
}

func difference(got, want []byte) string {
	line := firstDifference(got, want)
	at := func(text []byte) string {
		lines := strings.Split(string(text), "\n")
		return strings.Join(lines[max(0, line-2):min(len(lines), line+2)], "\n")
	}
	return "have:\n" + at(got) + "\nwant:\n" + at(want)
}

// TestOpenAPIHasIntake compares the list of routes that other packages serve with their
// source.
func TestOpenAPIHasIntake(t *testing.T) {
	source, err := os.ReadFile("../ingest/route.go")
	if err != nil {
		t.Fatal(err)
	}
	var served []string
	for _, m := range regexp.MustCompile(`case "(events[^"]*)":`).FindAllStringSubmatch(string(source), -1) {
		served = append(served, "POST "+inProject+"/"+m[1], "POST /api/v1/"+m[1])
	}
	var listed []string
	for _, pattern := range externalRoutes {
		if strings.Contains(pattern, "/events") {
			listed = append(listed, pattern)
		}
	}
	slices.Sort(served)
	slices.Sort(listed)
	if !slices.Equal(served, listed) {
		t.Errorf("externalRoutes has\n%q, package ingest serves\n%q", listed, served)
	}
	if source, err = os.ReadFile("../inbound/route.go"); err != nil || !bytes.Contains(source, []byte(`routePrefix = "/ingest/"`)) {
		t.Errorf("package inbound does not serve /ingest/ any more (%v)", err)
	}
}

func TestDocs(t *testing.T) {
	h := Docs()
	for _, c := range []struct {
		method, path, mediaType string
		code                    int
	}{
		{"GET", "/openapi.yaml", "application/yaml; charset=utf-8", 200},
		{"HEAD", "/openapi.yaml", "application/yaml; charset=utf-8", 200},
		{"GET", "/docs", "text/html; charset=utf-8", 200},
		{"GET", "/docs/", "text/html; charset=utf-8", 200},
		{"POST", "/docs", "text/plain; charset=utf-8", 405},
		{"GET", "/docs/other", "text/plain; charset=utf-8", 404},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.code || w.Header().Get("Content-Type") != c.mediaType {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, w.Code, w.Header().Get("Content-Type"), c.code, c.mediaType)
		}
	}
	first := httptest.NewRecorder()
	h.ServeHTTP(first, httptest.NewRequest("GET", "/docs", nil))
	again := httptest.NewRequest("GET", "/docs", nil)
	again.Header.Set("If-None-Match", first.Header().Get("ETag"))
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, again); w.Code != http.StatusNotModified {
		t.Errorf("a page that did not change: %d, want 304", w.Code)
	}
}

// TestDocsPageStandsAlone: the page needs no other host and runs nothing, so it works
// behind the policy that it comes with.
func TestDocsPageStandsAlone(t *testing.T) {
	page := string(docsPage)
	for _, banned := range []string{"<script", "javascript:", "onclick", " style=", "<link", "<img", "@import", "url(", "<iframe"} {
		if strings.Contains(strings.ToLower(page), banned) {
			t.Errorf("the page has %q", banned)
		}
	}
	if n := strings.Count(page, "<style>"); n != 1 {
		t.Errorf("%d style sheets, want 1", n)
	}
	if !strings.Contains(page, "prefers-color-scheme") {
		t.Error("the page does not follow prefers-color-scheme")
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]] {
			t.Errorf("two elements have the id %s", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if !ids[m[1]] {
			t.Errorf("a link leads to #%s, which is not there", m[1])
		}
	}
}

// TestOpenAPIIsValid has another's library read the description.
func TestOpenAPIIsValid(t *testing.T) {
	document, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}
