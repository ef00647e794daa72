package console

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sort"
	"strings"
)

// conditions are the parts of a filter, as the API names them.
var conditions = []string{"body", "headers", "query", "path"}

const filterPath = "filter_config.filter."

// subscriptionParts are the fields of a subscription's form.
var subscriptionParts = []part{
	{"name", aTitle}, {"endpoint_id", aTitle}, {"source_id", aTitle}, {"filter_config.event_types", aList},
	{filterPath + "body", aJSON}, {filterPath + "headers", aJSON}, {filterPath + "query", aJSON}, {filterPath + "path", aJSON},
	{"function", aText}, {"delivery_mode", aTitle},
}

// subscriptionView is the form, with what trying it out has shown.
type subscriptionView struct {
	ID        string // "" for a new one
	Name      string
	Form      form
	Endpoints []endpoint
	Sources   []source
	Known     []string   // event types that were seen lately
	Recent    []eventRow // to try on
	Tried     *tried
}

// tried is what became of an event that was tried on the filter, or the function.
type tried struct {
	Function         bool
	Matches          bool
	Parts            []triedPart
	Out              string
	Log              []string
	Problem, Nothing string
}

// triedPart is one part of a filter.
type triedPart struct {
	Name    string
	Matches bool
}

func (c *Console) newSubscription(w http.ResponseWriter, r *http.Request, v *visit) {
	q := r.URL.Query()
	f := newForm("filter_config.event_types", "*", "delivery_mode", "at_least_once", "endpoint_id", q.Get("endpoint"), "source_id", q.Get("source"))
	if t := q.Get("type"); t != "" {
		f.values.Set("filter_config.event_types", t)
	}
	c.renderSubscription(w, r, v, subscriptionView{Form: f})
}

func (c *Console) editSubscription(w http.ResponseWriter, r *http.Request, v *visit) {
	id := r.PathValue("id")
	f, err := v.storedSubscription(r.Context(), id)
	if err != nil {
		c.failed(w, r, c.page(r, v, "subscriptions", "Subscription"), err)
		return
	}
	c.renderSubscription(w, r, v, subscriptionView{ID: id, Name: f.Get("name"), Form: f})
}

// storedSubscription is the form of what is stored.
func (v *visit) storedSubscription(ctx context.Context, id string) (form, error) {
	raw, err := get[json.RawMessage](ctx, v, "/subscriptions/"+url.PathEscape(id))
	if err != nil {
		return form{}, err
	}
	var whole []string
	for _, name := range conditions {
		whole = append(whole, filterPath+name)
	}
	f := formOf(raw, whole...)
	f.values.Set("endpoint_id", f.Get("endpoint_metadata.uid"))
	f.values.Set("source_id", f.Get("source_metadata.uid"))
	return f, nil
}

func (c *Console) renderSubscription(w http.ResponseWriter, r *http.Request, v *visit, d subscriptionView) {
	p := c.page(r, v, "subscriptions", "Add a subscription")
	if d.ID != "" {
		p.Title = "Subscription " + d.Name
	}
	var err error
	d.Endpoints, err = v.endpointsWith(r.Context(), d.Form.text("endpoint_id"))
	if err == nil && !v.portal {
		d.Sources, _, err = list[source](r.Context(), v, "/sources", url.Values{"perPage": {"200"}})
	}
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	win := windowOf(r, c.o.Now(), "30d")
	d.Known, _ = v.types(r.Context(), &win)
	d.Recent = v.recentEvents(r.Context(), typesOf(d.Form.Get("filter_config.event_types")))
	if d.Form.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	p.D = d
	c.render(w, r, "subscription.html", p)
}

// recentEvents are the latest of the first type that is a plain name, or of all.
func (v *visit) recentEvents(ctx context.Context, types []string) []eventRow {
	q := url.Values{"perPage": {"15"}}
	if len(types) == 1 && !strings.ContainsAny(types[0], "*?[:") {
		q.Set("eventType", types[0])
	}
	rows, _, err := list[eventRow](ctx, v, "/events", q)
	if err != nil {
		return nil // nothing to try on; the form works all the same
	}
	return rows
}

// saveSubscription makes or changes one, or only tries out what the form has.
func (c *Console) saveSubscription(w http.ResponseWriter, r *http.Request, v *visit) {
	f := readForm(r)
	id := r.PathValue("id")
	d := subscriptionView{ID: id, Name: f.text("name"), Form: f}
	if do := f.Get("do"); do == "filter" || do == "function" {
		d.Tried = v.try(r.Context(), &d.Form, do == "function")
		c.renderSubscription(w, r, v, d)
		return
	}
	body := f.body(subscriptionParts)
	method, path := http.MethodPost, "/subscriptions"
	if id != "" {
		method, path = http.MethodPut, path+"/"+url.PathEscape(id)
	}
	_, err := v.change(r.Context(), method, path, nil, body)
	switch {
	case refused(err):
		d.Form.refuse(err)
		c.renderSubscription(w, r, v, d)
	case err != nil:
		c.failed(w, r, c.page(r, v, "subscriptions", "Subscription"), err)
	case id != "":
		back(w, r, v.base+"/subscriptions/"+url.PathEscape(id)+"?done=saved")
	default:
		back(w, r, v.base+"/subscriptions?done=made")
	}
}

// try runs the form's filter or function on the event that it names, or on what was
// pasted. It puts what it tried on into the form.
func (v *visit) try(ctx context.Context, f *form, function bool) *tried {
	if id := f.text("event"); id != "" {
		e, err := get[eventRow](ctx, v, "/events/"+url.PathEscape(id))
		if err != nil {
			return &tried{Function: function, Problem: "The chosen event cannot be read any more: " + refusalText(err)}
		}
		f.values.Set("try.body", e.Body())
		f.values.Set("try.headers", headerJSON(e.Headers))
		f.values.Set("event", "")
	}
	if text := f.text("try.body"); text != "" {
		if fault := jsonFault(text); fault != "" {
			f.wrong = map[string]string{"try.body": fault}
			return &tried{Function: function, Problem: "The data " + fault + "."}
		}
	}
	if function {
		return v.tryFunction(ctx, f)
	}
	return v.tryFilter(ctx, f)
}

// headerJSON is headers as the filter's test takes them.
func headerJSON(headers map[string][]string) string {
	if len(headers) == 0 {
		return ""
	}
	raw, err := json.MarshalIndent(headers, "", "  ")
	if err != nil {
		return ""
	}
	return string(raw)
}

// tryFilter asks for the whole filter and, if it refuses, for each part, so that one sees
// which it is.
func (v *visit) tryFilter(ctx context.Context, f *form) *tried {
	t := &tried{}
	request, schema := map[string]any{}, map[string]any{}
	for _, name := range conditions {
		if text := f.text("try." + name); text != "" {
			request[name] = rawJSON(text)
			if name == "path" || name == "query" && !strings.HasPrefix(text, "{") {
				request[name] = text
			}
		}
		if text := f.text(filterPath + name); text != "" {
			schema[name] = rawJSON(text)
		}
	}
	if len(schema) == 0 {
		t.Matches, t.Nothing = true, "There are no conditions, so every event of these types passes."
		return t
	}
	var err error
	if t.Matches, err = v.filterTakes(ctx, request, schema); err != nil {
		t.Problem = refusalText(err)
		for _, name := range conditions {
			if m := refusal.FindStringSubmatch(t.Problem); m != nil && strings.HasPrefix(m[1], "schema."+name) {
				f.wrong = map[string]string{filterPath + name: m[2]}
			}
		}
		return t
	}
	for name, part := range schema {
		matches, err := v.filterTakes(ctx, request, map[string]any{name: part})
		if err == nil {
			t.Parts = append(t.Parts, triedPart{name, matches})
		}
	}
	sort.Slice(t.Parts, func(i, j int) bool { return t.Parts[i].Name < t.Parts[j].Name })
	return t
}

func (v *visit) filterTakes(ctx context.Context, request, schema map[string]any) (matches bool, err error) {
	a, err := v.change(ctx, http.MethodPost, "/subscriptions/test_filter", nil, map[string]any{"request": request, "schema": schema})
	if err == nil {
		err = a.Into(&matches)
	}
	return matches, err
}

func (v *visit) tryFunction(ctx context.Context, f *form) *tried {
	t := &tried{Function: true}
	text := f.text("try.body")
	if text == "" {
		text = "{}"
	}
	a, err := v.change(ctx, http.MethodPost, "/subscriptions/test_function", nil, map[string]any{"function": f.Get("function"), "payload": rawJSON(text)})
	var out struct {
		Log     []string        `json:"log"`
		Payload json.RawMessage `json:"payload"`
	}
	if err == nil {
		err = a.Into(&out)
	}
	if err != nil {
		t.Problem = refusalText(err)
		return t
	}
	t.Out, t.Log = string(out.Payload), out.Log
	return t
}
