package console

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"sync"

	"posthaste/client"
)

// worthPacking is the length from which a page is compressed.
const worthPacking = 1400

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func loadTemplates(c *Console) (*template.Template, error) {
	return template.New("").Funcs(c.funcs()).ParseFS(files, "templates/*.html")
}

// render writes a page, or a part of one. Nothing is sent before all of it is made.
func (c *Console) render(w http.ResponseWriter, r *http.Request, name string, p page) {
	select {
	case c.renders <- struct{}{}:
		defer func() { <-c.renders }()
	case <-r.Context().Done():
		return
	}
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if err := c.templates.ExecuteTemplate(b, name, p); err != nil {
		c.o.Logger.Error().Err(err).Str("page", name).Msg("a page could not be made")
		http.Error(w, "This page could not be made. The server's log says why.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Add("Vary", "Accept-Encoding")
	code := p.Code
	if code == 0 {
		code = http.StatusOK
	}
	if b.Len() < worthPacking || !takesGzip(r) {
		w.WriteHeader(code)
		_, _ = w.Write(b.Bytes())
		return
	}
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(code)
	z := gzip.NewWriter(w)
	_, _ = z.Write(b.Bytes())
	_ = z.Close()
}

// problem is what an error page says.
type problem struct {
	Head, Text string
	Links      bool // to pages that are there
}

// failed says what went wrong, and where to go from there.
func (c *Console) failed(w http.ResponseWriter, r *http.Request, p page, err error) {
	p.Code = codeOf(err)
	d := problem{Links: true}
	var refusal *client.Error
	switch {
	case p.Code == http.StatusNotFound:
		p.Title, d.Head = "Not found", "There is no such thing here"
		d.Text = "Nothing with this id is in this project. It may be older than what is kept, it may have been deleted, or it belongs to another project."
	case p.Code == http.StatusUnauthorized && p.Portal:
		c.sessions.close(cookie(r, portalCookie))
		c.portalOver(w, r, http.StatusUnauthorized, "This page is over", "The link that opened it has expired or was revoked.")
		return
	case p.Code == http.StatusUnauthorized:
		c.sessions.end(cookie(r, cookieName))
		leave(w, r, "/login")
		return
	case p.Code == http.StatusForbidden:
		p.Title, d.Head = "Not allowed", "Your key may not do this"
		if p.Portal {
			d.Head = "This link does not let you do this"
		}
	case errors.As(err, &refusal) && p.Code >= http.StatusInternalServerError:
		p.Title, d.Head = "Failed", "The server could not do this now"
	case errors.As(err, &refusal):
		p.Title, d.Head, d.Text = "Refused", "The server refused this", refusal.Message
	default:
		p.Code, p.Title, d.Head = http.StatusBadGateway, "No answer", "The server did not answer"
		d.Text = "Try again. If it goes on, the server's log says why."
		c.o.Logger.Error().Err(err).Str("path", r.URL.Path).Msg("a page got no answer of the API")
	}
	if p.Code == http.StatusForbidden || refusal != nil {
		d.Text = refusalText(err)
	}
	if p.Code >= http.StatusInternalServerError && refusal != nil && refusal.RequestID != "" {
		d.Text += ". Try again; if it goes on, look for the request " + refusal.RequestID + " in the server's log."
	}
	p.D = d
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("X-Problem", url.PathEscape(d.Head+". "+d.Text)) // what is shown stays; the script adds this
		c.render(w, r, "problem", p)
		return
	}
	c.render(w, r, "error.html", p)
}

// refusalText is the API's own sentence.
func refusalText(err error) string {
	if refusal := (*client.Error)(nil); errors.As(err, &refusal) {
		return refusal.Message
	}
	return fmt.Sprint(err)
}

func (c *Console) notFound(w http.ResponseWriter, r *http.Request) {
	p := c.newPage(r, c.sessions.find(cookie(r, cookieName)), "", "Not found")
	p.Code = http.StatusNotFound
	p.D = problem{Head: "There is no such page", Text: "The address may be mistyped, or from another version."}
	c.render(w, r, "error.html", p)
}
