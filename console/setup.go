package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"posthaste/client"
)

// portalNew is the first half of adding an endpoint in the portal: where to, and what.
type portalNew struct {
	Name, URL, Problem string
	Types              []typeEntry
	Chosen             []string
	All                bool // every type
}

func (n portalNew) Has(name string) bool { return slices.Contains(n.Chosen, name) }

func (c *Console) portalNewPage(w http.ResponseWriter, r *http.Request, v *visit) {
	if !v.manages() {
		c.failed(w, r, c.page(r, v, "endpoints", "Not allowed"), errLooksOnly)
		return
	}
	c.renderPortalNew(w, r, v, portalNew{All: true})
}

func (c *Console) renderPortalNew(w http.ResponseWriter, r *http.Request, v *visit, d portalNew) {
	p := c.page(r, v, "endpoints", "Add an endpoint")
	var err error
	if d.Types, err = v.catalogue(r.Context()); err != nil {
		c.failed(w, r, p, err)
		return
	}
	d.Types = slices.DeleteFunc(d.Types, func(t typeEntry) bool { return t.Deprecated && !d.Has(t.Name) })
	if d.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	p.D = d
	c.render(w, r, "portalnew.html", p)
}

// portalCreate makes the endpoint and its subscription, and leads to the second half: a
// test event, and the signature.
func (c *Console) portalCreate(w http.ResponseWriter, r *http.Request, v *visit) {
	d := portalNew{Name: strings.TrimSpace(r.FormValue("name")), URL: strings.TrimSpace(r.FormValue("url")), All: r.FormValue("all") == "on"}
	d.Chosen = r.Form["type"]
	types := d.Chosen
	switch {
	case d.All:
		types = []string{"*"}
	case len(types) == 0:
		d.Problem = "Choose the events that this URL is to get, or all of them."
		c.renderPortalNew(w, r, v, d)
		return
	}
	if d.Name == "" {
		d.Name = hostOf(d.URL)
	}
	made, err := v.makeEndpoint(r.Context(), map[string]any{"name": d.Name, "url": d.URL, "advanced_signatures": true}, types)
	if code := codeOf(err); err != nil && code >= 400 && code < 500 && code != http.StatusUnauthorized && code != http.StatusForbidden {
		d.Problem = refusalText(err)
		c.renderPortalNew(w, r, v, d)
		return
	}
	if err != nil {
		c.failed(w, r, c.page(r, v, "endpoints", "Add an endpoint"), err)
		return
	}
	http.Redirect(w, r, v.base+"/endpoints/"+url.PathEscape(made.ID)+"/setup", http.StatusSeeOther)
}

// setupView is the second half of adding an endpoint, and where a signature is checked
// at any later time.
type setupView struct {
	E        endpoint
	Wanted   []string    // what its subscriptions name
	Types    []typeEntry // those of the catalogue that fit
	Scheme   scheme
	D        *delivery // the latest
	A        *attempt  // its latest
	Sign     *explained
	Computed string
	Problem  string
	Form     struct{ Type, Data string }
}

func (c *Console) setupPage(w http.ResponseWriter, r *http.Request, v *visit) {
	c.renderSetup(w, r, v, setupView{Computed: strings.TrimSpace(r.URL.Query().Get("computed"))})
}

func (c *Console) renderSetup(w http.ResponseWriter, r *http.Request, v *visit, d setupView) {
	p := c.page(r, v, "endpoints", "Set up")
	if err := v.fillSetup(r.Context(), r.PathValue("id"), &d); err != nil {
		c.failed(w, r, p, err)
		return
	}
	if d.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	p.Title, p.D = "Set up "+d.E.Name, d
	if partial(r) {
		c.render(w, r, "setup-result", p)
		return
	}
	c.render(w, r, "setup.html", p)
}

func (v *visit) fillSetup(ctx context.Context, id string, d *setupView) (err error) {
	if d.E, err = v.endpoint(ctx, id); err != nil {
		return err
	}
	info := v.portalInfo
	if info == nil {
		var of portalInfo
		if of, err = get[portalInfo](ctx, v, "/portal"); err != nil {
			return err
		}
		info = &of
	}
	d.Scheme = info.scheme(&d.E)
	if err := d.types(ctx, v); err != nil {
		return err
	}
	rows, _, err := list[delivery](ctx, v, "/eventdeliveries", url.Values{"endpointId": {d.E.ID}, "perPage": {"1"}})
	if err != nil || len(rows) == 0 {
		return err
	}
	d.D = &rows[0]
	attempts, _, err := list[attempt](ctx, v, "/eventdeliveries/"+d.D.ID+"/deliveryattempts", nil)
	if err != nil || len(attempts) == 0 {
		return err
	}
	d.A = &attempts[len(attempts)-1]
	d.Sign = v.explain(ctx, d.D.ID, d.A.ID, d.Computed)
	return nil
}

// types are those of the catalogue that the endpoint gets.
func (d *setupView) types(ctx context.Context, v *visit) error {
	subs, _, err := list[subscription](ctx, v, "/subscriptions", url.Values{"endpointId": {d.E.ID}, "perPage": {"50"}})
	if err != nil {
		return err
	}
	for i := range subs {
		d.Wanted = append(d.Wanted, subs[i].Filter.EventTypes...)
	}
	all, err := v.catalogue(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if slices.ContainsFunc(d.Wanted, func(pattern string) bool { return fitsType(pattern, t.Name) }) {
			d.Types = append(d.Types, t)
		}
	}
	if d.Form.Type == "" && len(d.Types) > 0 {
		d.Form.Type = d.Types[0].Name
	}
	if d.Form.Data == "" && len(d.Types) > 0 && d.Form.Type == d.Types[0].Name {
		d.Form.Data = d.Types[0].Example
	}
	return nil
}

// fitsType reports whether a pattern of event types has a name: as it is, or up to a star
// at its end.
func fitsType(pattern, name string) bool {
	start, open := strings.CutSuffix(pattern, "*")
	return pattern == name || open && strings.HasPrefix(name, start)
}

// setupTest sends a test event from the setup page, which shows what becomes of it.
func (c *Console) setupTest(w http.ResponseWriter, r *http.Request, v *visit) {
	var d setupView
	d.Form.Type, d.Form.Data = strings.TrimSpace(r.FormValue("event_type")), strings.TrimSpace(r.FormValue("data"))
	if _, err := v.testEvent(r.Context(), r.PathValue("id"), d.Form.Type, d.Form.Data); err != nil {
		if code := codeOf(err); code == http.StatusBadRequest || code == http.StatusRequestEntityTooLarge {
			d.Problem = refusalText(err)
			c.renderSetup(w, r, v, d)
			return
		}
		c.failed(w, r, c.page(r, v, "endpoints", "Test event"), err)
		return
	}
	http.Redirect(w, r, v.base+"/endpoints/"+url.PathEscape(r.PathValue("id"))+"/setup#test", http.StatusSeeOther)
}

// testEvent sends one, and returns its id. Data that is no JSON is refused here: the API
// would take it as a text.
func (v *visit) testEvent(ctx context.Context, endpoint, eventType, data string) (string, error) {
	body := map[string]any{}
	if eventType != "" {
		body["event_type"] = eventType
	}
	if data != "" {
		raw, problem := asJSON(data)
		if problem != "" {
			return "", &client.Error{Status: http.StatusBadRequest, Message: problem}
		}
		body["data"] = raw
	}
	a, err := v.change(ctx, http.MethodPost, "/endpoints/"+url.PathEscape(endpoint)+"/test", nil, body)
	var made struct {
		ID string `json:"uid"`
	}
	if err == nil {
		err = a.Into(&made)
	}
	return made.ID, err
}

// eventTypesPage is the portal's catalogue.
func (c *Console) eventTypesPage(w http.ResponseWriter, r *http.Request, v *visit) {
	p := c.page(r, v, "event-types", "Event types")
	types, err := v.catalogue(r.Context())
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	p.D = types
	c.render(w, r, "portaltypes.html", p)
}
