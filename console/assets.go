package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
)

//go:embed static templates
var files embed.FS

// asset is one file as it is served.
type asset struct {
	body, packed []byte // packed: gzip; nil if that gains nothing
	mediaType    string
}

// assets are the files below static, by a URL that changes with their content: so they
// are cached for ever.
type assets struct {
	byPath map[string]*asset // "/a/console.1f2e3d4c5b6a.css"
	paths  map[string]string // by name: "console.css"
}

var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml", ".woff2": "font/woff2",
}

// cssURL finds references in style sheets to other files.
var cssURL = regexp.MustCompile(`url\("?([^")]+)"?\)`)

func loadAssets() (*assets, error) {
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, err
	}
	var names []string
	err = fs.WalkDir(static, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && mediaTypes[path.Ext(name)] != "" {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	// Style sheets last: the files that they refer to have their URLs by then.
	slices.SortStableFunc(names, func(a, b string) int {
		return order(path.Ext(a) == ".css") - order(path.Ext(b) == ".css")
	})
	all := &assets{byPath: make(map[string]*asset), paths: make(map[string]string)}
	for _, name := range names {
		if err := all.add(static, name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func order(last bool) int {
	if last {
		return 1
	}
	return 0
}

func (a *assets) add(static fs.FS, name string) error {
	body, err := fs.ReadFile(static, name)
	if err != nil {
		return err
	}
	ext := path.Ext(name)
	if ext == ".css" {
		body = cssURL.ReplaceAllFunc(body, func(m []byte) []byte {
			if to, known := a.paths[string(cssURL.FindSubmatch(m)[1])]; known {
				return []byte("url(" + to + ")")
			}
			return m
		})
	}
	sum := sha256.Sum256(body)
	url := "/a/" + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	file := &asset{body: body, mediaType: mediaTypes[ext]}
	if ext != ".woff2" { // which is compressed
		file.packed = pack(body)
	}
	a.byPath[url], a.paths[name] = file, url
	return nil
}

func pack(body []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		panic("BUG: " + err.Error()) // the level is a constant
	}
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// path is the URL of a file by its name. A template that names one that is not there
// fails, and with it the test of all templates.
func (a *assets) path(name string) (string, error) {
	url, known := a.paths[name]
	if !known {
		return "", fmt.Errorf("there is no asset %q", name)
	}
	return url, nil
}

func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file := a.byPath[r.URL.Path]
	if file == nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.mediaType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	body := file.body
	if file.packed != nil && takesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		body = file.packed
	}
	_, _ = w.Write(body) // the browser may have gone
}

func takesGzip(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
}
