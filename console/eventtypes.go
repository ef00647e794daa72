package console

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"posthaste/client"
)

// eventType is an entry of the catalogue.
type eventType struct {
	ID           string          `json:"uid"`
	Name         string          `json:"name"`
	Category     string          `json:"category"`
	Description  string          `json:"description"`
	Schema       json.RawMessage `json:"json_schema"`
	DeprecatedAt *time.Time      `json:"deprecated_at"`
}

// SchemaText is the schema as people read it; "" if there is none.
func (t eventType) SchemaText() string { return indented(t.Schema) }

// Example is the first example of the schema; "" if it has none.
func (t eventType) Example() string {
	var s struct {
		Example  json.RawMessage   `json:"example"`
		Examples []json.RawMessage `json:"examples"`
	}
	if json.Unmarshal(t.Schema, &s) != nil {
		return ""
	}
	if len(s.Example) == 0 && len(s.Examples) > 0 {
		s.Example = s.Examples[0]
	}
	return string(s.Example)
}

// eventTypeRow is a type with how much there was of it.
type eventTypeRow struct {
	eventType
	Total     counts
	Described bool // it is in the catalogue
}

// eventTypesView is the catalogue, and the types that events had.
type eventTypesView struct {
	W       window
	Windows []window
	Rows    []eventTypeRow
	Form    form
	Import  form
}

// eventTypeParts are the fields of an entry.
var eventTypeParts = []part{{"name", aTitle}, {"category", aTitle}, {"description", aTitle}, {"json_schema", aJSON}}

func (c *Console) eventTypes(w http.ResponseWriter, r *http.Request, v *visit) {
	c.renderEventTypes(w, r, v, eventTypesView{Form: newForm("name", r.URL.Query().Get("describe")), Import: newForm()})
}

func (c *Console) renderEventTypes(w http.ResponseWriter, r *http.Request, v *visit, d eventTypesView) {
	p := c.page(r, v, "event-types", "Event types")
	d.W, d.Windows = windowOf(r, c.o.Now(), "24h"), windows
	known, _, err := list[eventType](r.Context(), v, "/event-types", nil)
	if err == nil {
		d.Rows, err = v.countedTypes(r.Context(), &d.W, known)
	}
	if err != nil {
		c.failed(w, r, p, err)
		return
	}
	if d.Form.Problem != "" || d.Import.Problem != "" {
		p.Code = http.StatusUnprocessableEntity
	}
	p.D = d
	c.render(w, r, "eventtypes.html", p)
}

// countedTypes are the types of the catalogue and those that events had, with their counts,
// the busiest first.
func (v *visit) countedTypes(ctx context.Context, win *window, known []eventType) ([]eventTypeRow, error) {
	q := win.query()
	q.Set("points", "false")
	var counted []statistics
	a, err := v.backend.Do(ctx, client.Request{Method: http.MethodGet, Path: v.api + "/statistics/event-types", Query: q})
	if err == nil {
		err = a.Into(&counted)
	}
	if err != nil {
		return nil, err
	}
	totals := make(map[string]counts, len(counted))
	for _, s := range counted {
		totals[s.EventType] = s.Total
	}
	var rows []eventTypeRow
	for _, t := range known {
		rows = append(rows, eventTypeRow{t, totals[t.Name], true})
		delete(totals, t.Name)
	}
	for name, total := range totals {
		if name != "" {
			rows = append(rows, eventTypeRow{eventType{Name: name}, total, false})
		}
	}
	slices.SortFunc(rows, func(a, b eventTypeRow) int {
		if a.Total.Deliveries != b.Total.Deliveries {
			return int(b.Total.Deliveries - a.Total.Deliveries)
		}
		return strings.Compare(a.Name, b.Name)
	})
	return rows[:min(len(rows), 500)], nil
}

// saveEventType makes an entry, or changes one.
func (c *Console) saveEventType(w http.ResponseWriter, r *http.Request, v *visit) {
	f := readForm(r)
	method, path, said := http.MethodPost, "/event-types", "made"
	body := f.body(eventTypeParts)
	if id := r.PathValue("id"); id != "" {
		method, path, said = http.MethodPut, path+"/"+url.PathEscape(id), "saved"
		delete(body, "name") // which does not change
	}
	_, err := v.change(r.Context(), method, path, nil, body)
	switch {
	case refused(err):
		f.refuse(err)
		c.renderEventTypes(w, r, v, eventTypesView{Form: f, Import: newForm()})
	case err != nil:
		c.failed(w, r, c.page(r, v, "event-types", "Event types"), err)
	default:
		back(w, r, v.base+"/event-types?done="+said)
	}
}

func (c *Console) deprecateEventType(w http.ResponseWriter, r *http.Request, v *visit) {
	_, err := v.change(r.Context(), http.MethodPost, "/event-types/"+url.PathEscape(r.PathValue("id"))+"/deprecate", nil, nil)
	if err != nil {
		c.failed(w, r, c.page(r, v, "event-types", "Event types"), err)
		return
	}
	back(w, r, v.base+"/event-types?done=saved")
}

// maxSpec bounds an OpenAPI document. The API takes requests of 1 MiB.
const (
	maxSpec    = 1 << 20
	importPath = "/event-types/import"
)

// importEventTypes enters the webhooks of a document that was uploaded, or pasted.
func (c *Console) importEventTypes(w http.ResponseWriter, r *http.Request, v *visit) {
	f := newForm("spec", r.PostFormValue("spec"))
	if file, _, err := r.FormFile("file"); err == nil {
		text, err := io.ReadAll(file)
		_ = file.Close()
		if err == nil && len(text) > 0 {
			f.values.Set("spec", string(text))
		}
	}
	_, err := v.change(r.Context(), http.MethodPost, importPath, nil, map[string]any{"spec": f.Get("spec")})
	switch {
	case refused(err):
		f.refuse(err)
		c.renderEventTypes(w, r, v, eventTypesView{Form: newForm(), Import: f})
	case err != nil:
		c.failed(w, r, c.page(r, v, "event-types", "Event types"), err)
	default:
		back(w, r, v.base+"/event-types?done=imported")
	}
}
