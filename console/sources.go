package console

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"posthaste/client"
)

// source is where webhooks of others come in.
type source client.Source

// Verified is how requests are verified.
func (s source) Verified() string {
	if s.Verifier == nil || s.Verifier.Type == "" || s.Verifier.Type == "noop" {
		return ""
	}
	return strings.ReplaceAll(s.Verifier.Type, "_", " ")
}

// sourceParts are the fields of a source's form beside its verifier.
var sourceParts = []part{
	{"name", aTitle}, {"event_type_location", aTitle}, {"idempotency_keys", aList}, {"forward_headers", aList},
	{"custom_response.body", aText}, {"custom_response.content_type", aTitle},
}

// verifierParts are those of a verifier, by its type.
var verifierParts = map[string][]part{
	"hmac":       {{"verifier.hmac.header", aTitle}, {"verifier.hmac.hash", aTitle}, {"verifier.hmac.encoding", aTitle}, {"verifier.hmac.secret", aText}},
	"basic_auth": {{"verifier.basic_auth.username", aTitle}, {"verifier.basic_auth.password", aText}},
	"api_key":    {{"verifier.api_key.header_name", aTitle}, {"verifier.api_key.header_value", aText}},
}

var verifierSecrets = []string{"verifier.hmac.secret", "verifier.basic_auth.password", "verifier.api_key.header_value"}

// providers are those whose way of signing is known: a secret is all that they take.
var providers = map[string]string{"github": "GitHub", "shopify": "Shopify", "twitter": "Twitter"}

// sourceView is a source's form.
type sourceView struct {
	ID   string // "" for a new one
	S    source
	Form form
	Set  map[string]bool // the secrets that are set
}

func (c *Console) sources(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "sources", "Sources")
	rows, _, err := list[source](r.Context(), v, "/sources", url.Values{"perPage": {"200"}})
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = rows
	c.render(w, r, "sources.html", p)
}

func (c *Console) newSource(w http.ResponseWriter, r *http.Request, v *visit) {
	f := newForm("how", "hmac", "verifier.hmac.header", "X-Signature", "verifier.hmac.hash", "SHA256", "verifier.hmac.encoding", "hex", "custom_response.content_type", "application/json")
	c.renderSource(w, r, v, sourceView{Form: f})
}

func (c *Console) renderSource(w http.ResponseWriter, r *http.Request, v *visit, d sourceView) {
	p := c.page(r, v, "sources", "Add a source")
	if d.ID != "" {
		p.Title = "Source " + d.S.Name
	}
	if d.Form.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	p.D = d
	c.render(w, r, "source.html", p)
}

// sourceOf reads a source for its form. Its secrets come masked: the form shows only that
// they are set.
func (v *visit) sourceOf(r *http.Request) (d sourceView, stored form, err error) {
	d.ID = r.PathValue("id")
	raw, err := get[json.RawMessage](r.Context(), v, "/sources/"+url.PathEscape(d.ID))
	if err == nil {
		err = json.Unmarshal(raw, &d.S)
	}
	if err != nil {
		return d, stored, err
	}
	stored, d.Form = formOf(raw), formOf(raw)
	d.Set = blank(d.Form, verifierSecrets)
	how := d.S.Provider
	if how == "" && d.S.Verifier != nil {
		how = d.S.Verifier.Type
	}
	d.Form.values.Set("how", how)
	return d, stored, nil
}

// blank takes what is secret out of a form, and returns which of it there was.
func blank(f form, secrets []string) map[string]bool {
	set := make(map[string]bool, len(secrets))
	for _, name := range secrets {
		set[name] = f.Get(name) != ""
		f.values.Set(name, "")
	}
	return set
}

func (c *Console) editSource(w http.ResponseWriter, r *http.Request, v *visit) {
	d, _, err := v.sourceOf(r)
	if err != nil {
		c.failed(w, r, c.page(r, v, "sources", "Source"), err)
		return
	}
	c.renderSource(w, r, v, d)
}

// saveSource makes or changes a source.
func (c *Console) saveSource(w http.ResponseWriter, r *http.Request, v *visit) {
	f := readForm(r)
	var d sourceView
	stored := newForm()
	var err error
	method, path := http.MethodPost, "/sources"
	if r.PathValue("id") != "" {
		if d, stored, err = v.sourceOf(r); err != nil {
			c.failed(w, r, c.page(r, v, "sources", "Source"), err)
			return
		}
		method, path = http.MethodPut, path+"/"+url.PathEscape(d.ID)
	}
	d.Form = f
	a, err := v.change(r.Context(), method, path, nil, sourceBody(f, stored))
	var made source
	if err == nil {
		err = a.Into(&made)
	}
	switch {
	case refused(err):
		d.Form.refuse(err)
		blank(d.Form, verifierSecrets)
		c.renderSource(w, r, v, d)
	case err != nil:
		c.failed(w, r, c.page(r, v, "sources", "Source"), err)
	case d.ID == "":
		back(w, r, v.base+"/sources/"+url.PathEscape(made.ID)+"?done=made")
	default:
		back(w, r, v.base+"/sources/"+url.PathEscape(d.ID)+"?done=saved")
	}
}

// sourceBody is the request for a form. A secret that was left empty is sent back as the
// mask that the API showed: it stays.
func sourceBody(f, stored form) map[string]any {
	body := f.body(sourceParts)
	if f.text("custom_response.body") == "" {
		body["custom_response"] = map[string]any{"body": "", "content_type": ""}
	}
	how := f.text("how")
	body["provider"] = ""
	if providers[how] != "" {
		body["provider"] = how
		how = "hmac"
		put(body, "verifier.type", "hmac")
		put(body, "verifier.hmac", map[string]any{"secret": orStored(f, stored, "verifier.hmac.secret")})
		return body
	}
	put(body, "verifier.type", how)
	for _, p := range verifierParts[how] {
		if p.kind == aText {
			put(body, p.name, orStored(f, stored, p.name))
			continue
		}
		put(body, p.name, f.text(p.name))
	}
	return body
}

// orStored is what was typed, or what the API showed if nothing was.
func orStored(f, stored form, name string) string {
	if text := f.Get(name); text != "" {
		return text
	}
	return stored.Get(name)
}

// switchSource lets a source take requests, or not.
func (c *Console) switchSource(w http.ResponseWriter, r *http.Request, v *visit) {
	id := url.PathEscape(r.PathValue("id"))
	_, err := v.change(r.Context(), http.MethodPut, "/sources/"+id, nil, map[string]any{"is_disabled": r.FormValue("to") == "off"})
	if err != nil {
		c.failed(w, r, c.page(r, v, "sources", "Source"), err)
		return
	}
	back(w, r, v.base+"/sources/"+id+"?done=saved")
}

func (c *Console) deleteSource(w http.ResponseWriter, r *http.Request, v *visit) {
	if _, err := v.change(r.Context(), http.MethodDelete, "/sources/"+url.PathEscape(r.PathValue("id")), nil, nil); err != nil {
		c.failed(w, r, c.page(r, v, "sources", "Source"), err)
		return
	}
	back(w, r, v.base+"/sources?done=deleted")
}
