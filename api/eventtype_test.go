package api

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// eventTypes lists the names of a project's event types, the deprecated ones in brackets.
func (w *world) eventTypes() string {
	w.t.Helper()
	a := w.do("GET", w.in("/event-types"), "")
	w.want(a, 200, "Event types fetched successfully")
	var rows []map[string]any
	if err := json.Unmarshal(a.Data, &rows); err != nil {
		w.t.Fatal(err)
	}
	var names []string
	for _, row := range rows {
		name := row["name"].(string)
		if row["deprecated_at"] != nil {
			name = "(" + name + ")"
		}
		names = append(names, name)
	}
	return fmt.Sprint(names)
}

func TestEventTypeLifecycle(t *testing.T) {
	w := newWorld(t)
	if got := w.eventTypes(); got != "[*]" {
		t.Errorf("a new project has %s", got)
	}
	a := w.do("POST", w.in("/event-types"), `{"name":"invoice.paid","category":"billing","description":"d","json_schema":{"type":"object"}}`)
	w.want(a, 201, "Event type created successfully")
	if a.field("name") != "invoice.paid" || a.field("category") != "billing" || a.json("json_schema") != `{"type":"object"}` || a.field("deprecated_at") != nil {
		t.Errorf("created %s", a.body)
	}
	path := w.in("/event-types/%s", a.field("uid"))
	u := w.do("PUT", path, `{"description":"e","category":null}`)
	w.want(u, 201, "Event type created successfully")
	if u.field("description") != "e" || u.field("category") != "billing" || u.json("json_schema") != `{"type":"object"}` {
		t.Errorf("updated %s", u.body)
	}
	u = w.do("PUT", path, `{"json_schema":{}}`)
	if u.json("json_schema") != `{}` {
		t.Errorf("the schema was not taken away: %s", u.body)
	}
	if again := w.do("PUT", path, string(u.Data)); string(again.Data) != string(u.Data) {
		t.Errorf("what was shown, written back, is %s", again.body)
	}
	d := w.do("POST", path+"/deprecate", "")
	w.want(d, 201, "Event type deprecated successfully")
	if d.field("deprecated_at") != "2026-01-02T03:04:05.678Z" {
		t.Errorf("deprecated %s", d.body)
	}
	if got := w.eventTypes(); got != "[* (invoice.paid)]" {
		t.Errorf("there are %s", got)
	}
}

func TestBadEventTypes(t *testing.T) {
	w := newWorld(t)
	made := w.do("POST", w.in("/event-types"), `{"name":"a"}`)
	path := w.in("/event-types/%s", made.field("uid"))
	for _, c := range []struct{ method, path, body, message string }{
		{"POST", w.in("/event-types"), `{}`, "name: is empty; give one of 1 to 256 bytes"},
		{"POST", w.in("/event-types"), `{"name":"a"}`, "name: the project has an event type with this name already; change that one"},
		{"POST", w.in("/event-types"), `{"name":"b","json_schema":"x"}`, "json_schema: must be an object, true or false"},
		{"PUT", path, `{"name":"b"}`, "name: an event type's name does not change; create another and deprecate this one"},
		{"PUT", path, `{"category":1}`, "category: want a string, got number (at byte 13)"},
	} {
		w.want(w.do(c.method, c.path, c.body), 400, c.message)
	}
	other, _ := w.addProject(2)
	for _, c := range [][2]string{{"PUT", ""}, {"POST", "/deprecate"}} {
		w.want(w.do(c[0], w.in("/event-types/%s%s", id('t', 1), c[1]), "{}"), 404, "Resource not found")
		elsewhere := strings.Replace(path, w.project.String(), other.String(), 1)
		w.want(w.do(c[0], elsewhere+c[1], "{}"), 404, "Resource not found")
	}
}

func TestImportEventTypes(t *testing.T) {
	w := newWorld(t)
	spec := `{"openapi":"3.1.0","info":{"title":"t","version":"1"},"webhooks":{
		"order.created":{"post":{"description":"An order was made.","requestBody":{"content":{"application/json":{"schema":{"type":"object"}}}}}}}}`
	a := w.do("POST", w.in("/event-types/import"), fmt.Sprintf(`{"spec":%s}`, quoted(t, spec)))
	w.want(a, 200, "Event types imported successfully")
	var rows []map[string]any
	if err := json.Unmarshal(a.Data, &rows); err != nil || len(rows) != 1 || rows[0]["name"] != "order.created" {
		t.Errorf("imported %s", a.body)
	}
	if got := w.eventTypes(); got != "[* order.created]" {
		t.Errorf("there are %s", got)
	}
	for _, body := range []string{`{}`, `{"spec":"nonsense: ["}`, `{"spec":"{}"}`} {
		if a := w.do("POST", w.in("/event-types/import"), body); a.Code != 400 || !strings.HasPrefix(a.Message, "spec") {
			t.Errorf("%s: %d %q", body, a.Code, a.Message)
		}
	}
}
