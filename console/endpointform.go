package console

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// endpointParts are the fields of an endpoint's form, but for its authentication,
// certificate, headers and strategy.
var endpointParts = []part{
	{"name", aTitle}, {"url", aTitle}, {"description", aTitle}, {"support_email", aTitle}, {"slack_webhook_url", aTitle}, {"teams_webhook_url", aTitle},
	{"http_timeout", aZero}, {"rate_limit", aZero}, {"rate_limit_duration", aZero}, {"max_concurrency", aZero},
	{"content_type", aTitle}, {"signature_mode", aTitle}, {"advanced_signatures", aBox}, {"ca_cert", aText},
}

// authParts are the fields of each way of authentication.
var authParts = map[string][]part{
	"api_key":    {{"authentication.api_key.header_name", aTitle}, {"authentication.api_key.header_value", aText}},
	"basic_auth": {{"authentication.basic_auth.username", aTitle}, {"authentication.basic_auth.password", aText}},
	"bearer":     {{"authentication.bearer.token", aText}},
	"oauth2": {
		{"authentication.oauth2.url", aTitle}, {"authentication.oauth2.client_id", aTitle}, {"authentication.oauth2.scope", aTitle},
		{"authentication.oauth2.audience", aTitle}, {"authentication.oauth2.authentication_type", aTitle},
	},
}

const (
	oauthSecret    = "authentication.oauth2.client_secret"
	oauthKey       = "authentication.oauth2.signing_key"
	oauthAlgorithm = "authentication.oauth2.signing_algorithm"
	certKey        = "mtls_client_cert.client_key"
)

// endpointSecrets are the fields that are written and never shown.
var endpointSecrets = []string{
	"secret", "authentication.api_key.header_value", "authentication.basic_auth.password", "authentication.bearer.token",
	oauthSecret, oauthKey, certKey,
}

// endpointFormView is the form of an endpoint.
type endpointFormView struct {
	ID    string // "" for a new one
	Name  string
	Form  form
	Set   map[string]bool // the secrets that are set
	Known []string        // event types, for a new one
}

// Opened reports whether one of these parts of the form has something in it, or wrong.
func (d endpointFormView) Opened(names ...string) bool {
	if d.Form.WrongIn(names...) {
		return true
	}
	for _, name := range names {
		if d.Form.Get(name) != "" || d.Set[name] {
			return true
		}
	}
	return false
}

func (c *Console) newEndpoint(w http.ResponseWriter, r *http.Request, v *visit) {
	c.renderEndpointForm(w, r, v, endpointFormView{Form: newForm("types", "*", "advanced_signatures", "on", "signature_mode", "convoy", "owner_id", r.URL.Query().Get("owner"))})
}

func (c *Console) editEndpoint(w http.ResponseWriter, r *http.Request, v *visit) {
	d, _, err := v.storedEndpoint(r.Context(), r.PathValue("id"))
	if err != nil {
		c.failed(w, r, c.page(r, v, "endpoints", "Endpoint"), err)
		return
	}
	c.renderEndpointForm(w, r, v, d)
}

// storedEndpoint is the form of what is stored, and that without anything taken out.
func (v *visit) storedEndpoint(ctx context.Context, id string) (d endpointFormView, stored form, err error) {
	raw, err := masked[json.RawMessage](ctx, v, "/endpoints/"+url.PathEscape(id))
	if err != nil {
		return d, stored, err
	}
	stored = formOf(raw, oauthKey)
	d.ID, d.Form = id, formOf(raw, oauthKey)
	d.Name = d.Form.Get("name")
	d.Set = blank(d.Form, endpointSecrets)
	d.Form.values.Set("custom_headers", headerLines(raw))
	fillStrategy(d.Form)
	for _, name := range []string{"rate_limit", "max_concurrency"} {
		if d.Form.Get(name) == "0" {
			d.Form.values.Set(name, "")
		}
	}
	return d, stored, nil
}

// headerLines are an endpoint's own headers as people write them.
func headerLines(endpoint json.RawMessage) string {
	var e struct {
		Headers map[string]string `json:"custom_headers"`
	}
	_ = json.Unmarshal(endpoint, &e)
	var lines []string
	for name, value := range e.Headers {
		lines = append(lines, name+": "+value)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (c *Console) renderEndpointForm(w http.ResponseWriter, r *http.Request, v *visit, d endpointFormView) {
	p := c.page(r, v, "endpoints", "Add an endpoint")
	if d.ID != "" {
		p.Title = "Edit " + d.Name
	} else {
		win := windowOf(r, c.o.Now(), "30d")
		d.Known, _ = v.types(r.Context(), &win)
	}
	if d.Form.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	p.D = d
	c.render(w, r, "endpointform.html", p)
}

// createEndpoint makes an endpoint and a subscription to the types that it is to get.
func (c *Console) createEndpoint(w http.ResponseWriter, r *http.Request, v *visit) {
	f := readForm(r)
	body := endpointBody(f, newForm())
	for _, p := range endpointParts { // what was left empty has its default
		if p.kind != aBox && f.text(p.name) == "" {
			delete(body, p.name)
		}
	}
	if owner := f.text("owner_id"); owner != "" && !v.portal {
		body["owner_id"] = owner
	}
	if secret := f.Get("secret"); secret != "" {
		body["secret"] = secret
	}
	if !f.Has("form", "whole") { // it comes from somewhere else than the page
		body["advanced_signatures"] = true
	}
	made, err := v.makeEndpoint(r.Context(), body, typesOf(f.Get("types")))
	switch {
	case refused(err):
		f.refuse(err)
		blank(f, endpointSecrets)
		c.renderEndpointForm(w, r, v, endpointFormView{Form: f})
	case err != nil:
		c.failed(w, r, c.page(r, v, "endpoints", "Add an endpoint"), err)
	default:
		back(w, r, v.base+"/endpoints/"+url.PathEscape(made.ID)+"?done=made")
	}
}

// makeEndpoint makes both or, as far as the API lets it, neither.
func (v *visit) makeEndpoint(ctx context.Context, body map[string]any, types []string) (made endpoint, err error) {
	a, err := v.change(ctx, http.MethodPost, "/endpoints", nil, body)
	if err == nil {
		err = a.Into(&made)
	}
	if err != nil {
		return made, err
	}
	_, err = v.change(ctx, http.MethodPost, "/subscriptions", nil, map[string]any{
		"name": made.Name, "endpoint_id": made.ID, "filter_config": map[string]any{"event_types": types},
	})
	if refused(err) {
		// Else the form, sent again, would make a second one.
		_, _ = v.change(ctx, http.MethodDelete, "/endpoints/"+url.PathEscape(made.ID), nil, nil)
	}
	return made, err
}

// saveEndpoint changes an endpoint.
func (c *Console) saveEndpoint(w http.ResponseWriter, r *http.Request, v *visit) {
	f := readForm(r)
	d, stored, err := v.storedEndpoint(r.Context(), r.PathValue("id"))
	if err == nil {
		body := endpointBody(f, stored)
		if !v.portal {
			body["owner_id"] = f.text("owner_id")
		}
		_, err = v.change(r.Context(), http.MethodPut, "/endpoints/"+url.PathEscape(d.ID), nil, body)
	}
	switch {
	case refused(err):
		d.Form = f
		d.Form.refuse(err)
		blank(d.Form, endpointSecrets)
		c.renderEndpointForm(w, r, v, d)
	case err != nil:
		c.failed(w, r, c.page(r, v, "endpoints", "Endpoint"), err)
	default:
		back(w, r, v.base+"/endpoints/"+url.PathEscape(d.ID)+"?done=saved")
	}
}

// endpointBody is the request for a form. A secret that was left empty is sent back as the
// mask that the API showed, and stays.
func endpointBody(f, stored form) map[string]any {
	body := f.body(endpointParts)
	if _, sent := f.values["authentication.type"]; sent {
		body["authentication"] = authentication(f, stored)
	}
	if _, sent := f.values["mtls_client_cert.client_cert"]; sent {
		cert, key := f.text("mtls_client_cert.client_cert"), f.Get(certKey)
		if cert != "" && key == "" {
			key = stored.Get(certKey)
		}
		body["mtls_client_cert"] = map[string]any{"client_cert": cert, "client_key": key}
	}
	if _, sent := f.values["custom_headers"]; sent {
		body["custom_headers"] = headersOf(f.Get("custom_headers"))
	}
	if kind, sent := f.values["strategy.type"]; sent {
		body["strategy"] = nil
		if kind[0] != "" {
			own, _ := f.body([]part{{"strategy.type", aTitle}, {"strategy.retry_count", aNumber}, {"strategy.max_age", aZero}, {"strategy.no_retry_statuses", aCounts}})["strategy"].(map[string]any)
			strategyBody(f, own)
			body["strategy"] = own
		}
	}
	return body
}

// authentication is what the form says of it: the chosen way only.
func authentication(f, stored form) map[string]any {
	how := f.text("authentication.type")
	body := map[string]any{"authentication": map[string]any{"type": how}}
	for _, p := range authParts[how] {
		if p.kind == aText {
			put(body, p.name, orStored(f, stored, p.name))
			continue
		}
		put(body, p.name, f.text(p.name))
	}
	if how == "oauth2" {
		put(body, "authentication.oauth2.grant_type", "client_credentials")
		if f.text("authentication.oauth2.authentication_type") == "client_assertion" {
			put(body, oauthKey, rawJSON(orStored(f, stored, oauthKey)))
			put(body, oauthAlgorithm, f.text(oauthAlgorithm))
		} else {
			put(body, oauthSecret, orStored(f, stored, oauthSecret))
		}
	}
	return body["authentication"].(map[string]any)
}

// headersOf reads headers, one a line. A line without a colon is a name without a value:
// the API says what is wrong with it.
func headersOf(text string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		if name = strings.TrimSpace(name); name != "" {
			out[name] = strings.TrimSpace(value)
		}
	}
	return out
}
