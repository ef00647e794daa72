package api

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"
)

// The description of the API, and the page that shows it. Both are made of the routes
// and types by `go test ./api -run TestOpenAPI -rewrite`, and a test fails when they part.
//
//go:embed openapi.yaml
var openAPI []byte

//go:embed docs.html
var docsPage []byte

// Docs answers GET /openapi.yaml with the description of the API, and GET /docs with
// the same to be read. Both are open: they take no key. Use it from any number of
// goroutines.
func Docs() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /openapi.yaml", newDocument("application/yaml; charset=utf-8", openAPI))
	page := newDocument("text/html; charset=utf-8", docsPage)
	page.policy = "default-src 'none'; style-src '" + styleHash(docsPage) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	mux.Handle("GET /docs", page)
	mux.Handle("GET /docs/{$}", page)
	return mux
}

// document is a text that does not change while the program runs.
type document struct {
	mediaType string
	policy    string // Content-Security-Policy; "" for none
	tag       string
	text      []byte
}

func newDocument(mediaType string, text []byte) *document {
	sum := sha256.Sum256(text)
	return &document{mediaType: mediaType, tag: `"` + hex.EncodeToString(sum[:8]) + `"`, text: text}
}

// ServeHTTP answers a GET or a HEAD, with 304 if the client has the text already.
func (d *document) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", d.mediaType)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", d.tag)
	h.Set("X-Content-Type-Options", "nosniff")
	if d.policy != "" {
		h.Set("Content-Security-Policy", d.policy)
		h.Set("Referrer-Policy", "no-referrer")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.text))
}

// styleHash is how a Content-Security-Policy names the page's own style sheet.
func styleHash(page []byte) string {
	_, rest, _ := bytes.Cut(page, []byte("<style>"))
	style, _, _ := bytes.Cut(rest, []byte("</style>"))
	sum := sha256.Sum256(style)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
