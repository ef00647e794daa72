package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxForm bounds what a form may send.
const maxForm = 256 << 10

// setState makes an endpoint active, paused or not.
func (c *Console) setState(w http.ResponseWriter, r *http.Request, v *visit) {
	id := url.PathEscape(r.PathValue("id"))
	e, err := v.endpoint(r.Context(), r.PathValue("id"))
	if err == nil {
		switch to := r.FormValue("to"); {
		case to == e.Status:
		case to == "paused" && e.Status == "active":
			_, err = v.change(r.Context(), http.MethodPut, "/endpoints/"+id+"/pause", nil, nil)
		case to == "active":
			_, err = v.change(r.Context(), http.MethodPost, "/endpoints/"+id+"/activate", nil, nil)
		case to == "inactive":
			_, err = v.change(r.Context(), http.MethodPut, "/endpoints/"+id, nil, map[string]any{"is_disabled": true})
		}
	}
	c.backToEndpoint(w, r, v, err)
}

func (c *Console) backToEndpoint(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	if err != nil {
		c.failed(w, r, c.page(r, v, "endpoints", "Endpoint"), err)
		return
	}
	to := v.base + "/endpoints/" + url.PathEscape(r.PathValue("id"))
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// revealedView is one secret in clear.
type revealedView struct {
	ID, Value, PublicKey string
	Left                 string // until the page hides it again
}

// revealTime is how long a secret is shown.
const revealTime = 30 * time.Second

// reveal shows a secret. It is a POST: browsers and proxies keep nothing of it, and the
// API records who asked.
func (c *Console) reveal(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "endpoints", "Secret")
	path := "/endpoints/" + url.PathEscape(r.PathValue("id")) + "/secrets/" + url.PathEscape(r.FormValue("secret")) + "/reveal"
	a, err := v.change(r.Context(), http.MethodPost, path, nil, nil)
	var s struct {
		ID        string `json:"uid"`
		Value     string `json:"value"`
		PublicKey string `json:"public_key"`
	}
	if err == nil {
		err = a.Into(&s)
	}
	if codeOf(err) == http.StatusNotFound {
		p.Code, p.D = http.StatusNotFound, problem{Head: "There is no such secret any more", Text: "It was replaced or has ended. Load the page again."}
		c.render(w, r, whole(r, "problem", "error.html"), p)
		return
	}
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = revealedView{s.ID, s.Value, s.PublicKey, short(revealTime)}
	c.render(w, r, whole(r, "revealed", "revealed.html"), p)
}

// whole is the name of a part of a page, or of the page if that was not asked for in parts.
func whole(r *http.Request, part, page string) string {
	if partial(r) {
		return part
	}
	return page
}

// endSecret ends an old secret before its time.
func (c *Console) endSecret(w http.ResponseWriter, r *http.Request, v *visit) {
	path := "/endpoints/" + url.PathEscape(r.PathValue("id")) + "/secrets/" + url.PathEscape(r.FormValue("secret")) + "/expire"
	_, err := v.change(r.Context(), http.MethodPut, path, nil, nil)
	c.backToEndpoint(w, r, v, err)
}

// rotate gives an endpoint a new secret; the old ones sign for so many hours more.
func (c *Console) rotate(w http.ResponseWriter, r *http.Request, v *visit) {
	hours, err := strconv.Atoi(r.FormValue("hours"))
	if err != nil {
		hours = 24
	}
	_, err = v.change(r.Context(), http.MethodPut, "/endpoints/"+url.PathEscape(r.PathValue("id"))+"/expire_secret", nil, map[string]any{"expiration": hours})
	c.backToEndpoint(w, r, v, err)
}

// sendTest sends a test event and leads to what becomes of it.
func (c *Console) sendTest(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "endpoints", "Test event")
	id, err := v.testEvent(r.Context(), r.PathValue("id"), strings.TrimSpace(r.FormValue("event_type")), strings.TrimSpace(r.FormValue("data")))
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	deliveries, _, err := list[delivery](r.Context(), v, "/eventdeliveries", url.Values{"eventId": {id}, "perPage": {"1"}})
	to := v.base + "/deliveries?event=" + id
	if err == nil && len(deliveries) == 1 {
		to = v.base + "/deliveries/" + deliveries[0].ID
	}
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// typesOf reads event types, one a line or between commas; none is all.
func typesOf(text string) []string {
	types := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' || r == ' ' })
	if len(types) == 0 {
		return []string{"*"}
	}
	return slices.Compact(types)
}

func (c *Console) deleteEndpoint(w http.ResponseWriter, r *http.Request, v *visit) {
	_, err := v.change(r.Context(), http.MethodDelete, "/endpoints/"+url.PathEscape(r.PathValue("id")), nil, nil)
	if err != nil {
		c.failed(w, r, c.page(r, v, "endpoints", "Endpoint"), err)
		return
	}
	http.Redirect(w, r, v.base+"/endpoints", http.StatusSeeOther)
}
