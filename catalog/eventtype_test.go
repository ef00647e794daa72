package catalog_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"posthaste/catalog"
	"posthaste/event"
)

func (w *world) eventType(t testing.TB, name string) *event.EventType {
	t.Helper()
	made, err := w.CreateEventType(event.EventType{ProjectID: w.project.ID, Name: name})
	must(t, err)
	return made
}

func names(types []*event.EventType) string {
	var out []string
	for _, t := range types {
		out = append(out, t.Name)
	}
	return strings.Join(out, " ")
}

func TestEventTypes(t *testing.T) {
	w := setup(t)
	other, _, _, err := w.CreateProject(event.Project{Name: "other"})
	must(t, err)
	in := event.EventType{ProjectID: w.project.ID, Name: "order.paid", Category: "orders", Description: "An order\nwas paid.",
		JSONSchema: json.RawMessage(` { "type" : "object" } `), DeprecatedAt: new(time.Now())}
	made, err := w.CreateEventType(in)
	must(t, err)
	if made.ID.IsZero() || made.DeprecatedAt != nil || !made.CreatedAt.Equal(w.clock.Now()) || string(made.JSONSchema) != `{"type":"object"}` {
		t.Errorf("event type %+v", made)
	}
	w.eventType(t, "order.Paid") // names have case
	in.ProjectID, in.ID = other.ID, event.ID{}
	_, err = w.CreateEventType(in) // another project has names of its own
	must(t, err)

	w.clock.Advance(time.Hour)
	updated, err := w.UpdateEventType(w.project.ID, made.ID, func(e *event.EventType) error {
		e.ID, e.ProjectID, e.Name, e.CreatedAt, e.DeprecatedAt = event.NewID(), other.ID, "renamed", time.Time{}, new(time.Now())
		e.Description, e.JSONSchema = "Paid.", nil
		return nil
	})
	must(t, err)
	want := *made
	want.Description, want.JSONSchema, want.UpdatedAt = "Paid.", nil, w.clock.Now()
	if !reflect.DeepEqual(*updated, want) {
		t.Errorf("updated %+v\nwant    %+v", *updated, want)
	}
	w.clock.Advance(time.Hour)
	gone, err := w.DeprecateEventType(w.project.ID, made.ID)
	must(t, err)
	if gone.DeprecatedAt == nil || !gone.DeprecatedAt.Equal(w.clock.Now()) {
		t.Errorf("deprecated %+v", gone)
	}
	w.clock.Advance(time.Hour)
	again, err := w.DeprecateEventType(w.project.ID, made.ID)
	must(t, err)
	if again != gone {
		t.Error("deprecated twice")
	}
	for _, c := range []*catalog.Catalog{w.Catalog, w.open(t)} {
		s := c.Snapshot()
		if got := names(s.EventTypes(w.project.ID)); got != "* order.paid order.Paid" {
			t.Errorf("types %s", got)
		}
		if got := s.EventType(w.project.ID, made.ID); got == nil || !reflect.DeepEqual(got, gone) {
			t.Errorf("type %+v", got)
		}
		if s.EventType(other.ID, made.ID) != nil || s.EventTypes(event.NewID()) != nil {
			t.Error("another project has it too")
		}
	}
}

func TestEventTypesRefused(t *testing.T) {
	w := setup(t)
	made := w.eventType(t, "a")
	for name, c := range map[string]struct {
		change func(*event.EventType)
		field  string
	}{
		"fine":              {func(e *event.EventType) {}, ""},
		"null schema":       {func(e *event.EventType) { e.JSONSchema = json.RawMessage(" null ") }, ""},
		"schema true":       {func(e *event.EventType) { e.JSONSchema = json.RawMessage("true") }, ""},
		"no name":           {func(e *event.EventType) { e.Name = "" }, "name"},
		"long name":         {func(e *event.EventType) { e.Name = strings.Repeat("n", 257) }, "name"},
		"a name twice":      {func(e *event.EventType) { e.Name = "a" }, "name"},
		"the name of all":   {func(e *event.EventType) { e.Name = "*" }, "name"},
		"break in category": {func(e *event.EventType) { e.Category = "a\nb" }, "category"},
		"long description":  {func(e *event.EventType) { e.Description = strings.Repeat("d", 4097) }, "description"},
		"schema no JSON":    {func(e *event.EventType) { e.JSONSchema = json.RawMessage("{") }, "json_schema"},
		"schema a number":   {func(e *event.EventType) { e.JSONSchema = json.RawMessage("1") }, "json_schema"},
		"long schema": {func(e *event.EventType) {
			e.JSONSchema = json.RawMessage(`{"a":"` + strings.Repeat("x", 64<<10) + `"}`)
		}, "json_schema"},
	} {
		t.Run(name, func(t *testing.T) {
			e := event.EventType{ProjectID: w.project.ID, Name: "t " + name}
			c.change(&e)
			_, err := w.CreateEventType(e)
			wantInvalid(t, err, c.field)
		})
	}
	_, err := w.CreateEventType(event.EventType{ProjectID: event.NewID(), Name: "n"})
	wantIs(t, err, event.ErrNotFound)
	keep := func(*event.EventType) error { return nil }
	_, err = w.UpdateEventType(event.NewID(), made.ID, keep)
	wantIs(t, err, event.ErrNotFound)
	_, err = w.DeprecateEventType(event.NewID(), made.ID)
	wantIs(t, err, event.ErrNotFound)
	_, err = w.UpdateEventType(w.project.ID, made.ID, func(e *event.EventType) error { e.Category = "a\nb"; return nil })
	wantInvalid(t, err, "category")
	if w.Snapshot().EventType(w.project.ID, made.ID) != made {
		t.Error("a refused update left a trace")
	}
}

func TestDeleteProjectTakesItsEventTypesAlong(t *testing.T) {
	w := setup(t)
	w.eventType(t, "a")
	must(t, w.DeleteProject(w.project.ID))
	if w.store.Len() != 0 {
		t.Errorf("the store keeps %d records", w.store.Len())
	}
}

const shopAPI = `
openapi: 3.1.0
info: {title: Shop, version: "1"}
webhooks:
  order.paid:
    post:
      summary: not this one
      description: |
        An order was paid.
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Order'}
  order.sent:
    $ref: '#/components/pathItems/sent'
  user.deleted:
    put: {summary: A user went away}
  any:
    post:
      requestBody:
        $ref: '#/components/requestBodies/Any'
components:
  pathItems:
    sent:
      summary: An order was sent
      post:
        requestBody:
          content:
            text/plain: {schema: {type: string}}
            application/vnd.shop+json: {schema: {type: array, items: {$ref: '#/components/schemas/a~1b'}, maxItems: 18446744073709551615}}
  requestBodies:
    Any: {content: {application/json: {schema: true}}}
  schemas:
    Order:
      type: object
      properties:
        lines: {type: array, items: {$ref: '#/components/schemas/Line'}}
        outside: {$ref: 'https://example.com/schema.json'}
        missing: {$ref: '#/components/schemas/Missing'}
        odd: {$ref: '#/components/requestBodies/Any/content/application~1json/schema'}
    Line: {type: object, properties: {parent: {$ref: '#/components/schemas/Order'}}}
    a/b: {type: string}
`

func TestImportEventTypes(t *testing.T) {
	w := setup(t)
	before, err := w.CreateEventType(event.EventType{ProjectID: w.project.ID, Name: "order.paid", Category: "kept", Description: "old"})
	must(t, err)
	got, err := w.ImportEventTypes(w.project.ID, shopAPI)
	must(t, err)
	want := []struct{ name, category, description, schema string }{
		{"any", "", "", `true`},
		{"order.paid", "kept", "An order was paid.", `{"$defs":{` +
			`"Line":{"properties":{"parent":{"$ref":"#/$defs/Order"}},"type":"object"},` +
			`"Order":{"properties":{"lines":{"items":{"$ref":"#/$defs/Line"},"type":"array"},` +
			`"missing":{"$ref":"#/components/schemas/Missing"},` +
			`"odd":{"$ref":"#/$defs/components~1requestBodies~1Any~1content~1application~1json~1schema"},` +
			`"outside":{"$ref":"https://example.com/schema.json"}},"type":"object"},` +
			`"components/requestBodies/Any/content/application/json/schema":true},` +
			`"$ref":"#/$defs/Order"}`},
		{"order.sent", "", "An order was sent", `{"$defs":{"a/b":{"type":"string"}},"items":{"$ref":"#/$defs/a~1b"},"maxItems":18446744073709551615,"type":"array"}`},
		{"user.deleted", "", "A user went away", ``},
	}
	if len(got) != len(want) {
		t.Fatalf("%d event types, want %d", len(got), len(want))
	}
	for i, c := range want {
		e := got[i]
		if e.Name != c.name || e.Category != c.category || e.Description != c.description || string(e.JSONSchema) != c.schema {
			t.Errorf("event type %+v\nschema %s\nwant   %+v", e, e.JSONSchema, c)
		}
		if w.Snapshot().EventType(w.project.ID, e.ID) != e {
			t.Errorf("%s is not in the catalogue", e.Name)
		}
	}
	if got[1].ID != before.ID {
		t.Error("a type that was there got another id")
	}
	if all := names(w.Snapshot().EventTypes(w.project.ID)); all != "* order.paid any order.sent user.deleted" {
		t.Errorf("catalogue %s", all)
	}
	changes := 0
	defer w.Watch(func(catalog.Change) { changes++ })()
	again, err := w.ImportEventTypes(w.project.ID, shopAPI)
	must(t, err)
	if changes != 0 || again[2] != got[2] {
		t.Errorf("importing the same again made %d changes", changes)
	}
}

func TestImportFromJSON(t *testing.T) {
	w := setup(t)
	got, err := w.ImportEventTypes(w.project.ID, `{"x-webhooks":{"b":{"post":{"requestBody":{"content":{"application/json":
		{"schema":{"maximum":1.0,"minimum":12345678901234567890123}}}}}},"a":{"post":{}}}}`)
	must(t, err)
	if names(got) != "a b" || string(got[1].JSONSchema) != `{"maximum":1.0,"minimum":12345678901234567890123}` {
		t.Errorf("%s, %s", names(got), got[1].JSONSchema)
	}
}

func TestImportRefused(t *testing.T) {
	one := func(schema string) string {
		return `{"webhooks":{"w":{"post":{"requestBody":{"content":{"application/json":{"schema":` + schema + `}}}}}}}`
	}
	webhooks := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"w%d":{},`, i)
		}
		return `{"webhooks":{` + strings.TrimSuffix(b.String(), ",") + `}}`
	}
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "k%d: 1\n", i)
		}
		return b.String()
	}
	for name, c := range map[string]struct{ spec, reason string }{
		"nothing":           {" \n", "is empty"},
		"a list":            {"- a", "not an object"},
		"no webhooks":       {`{"openapi":"3.0.0","paths":{}}`, "has no webhooks"},
		"webhooks a list":   {`{"webhooks":[]}`, "has no webhooks"},
		"cut short":         {`{"webhooks":{`, "not JSON"},
		"two documents":     {`{"webhooks":{}} {}`, "behind the document"},
		"deep JSON":         {`{"a":` + strings.Repeat("[", 20_000), "not JSON"},
		"not YAML":          {"a: b: c: [", "neither"},
		"two of YAML":       {"a: 1\n---\nb: 1", "2 YAML documents"},
		"alias":             {"a: &x [1]\nb: [*x, *x]", "anchor"},
		"merge":             {"a: {x: 1}\nb:\n  <<: {y: 1}", "anchor"},
		"deep YAML":         {"a: " + strings.Repeat("[", 101), "nested more than 100"},
		"deep list of YAML": {strings.Repeat("- ", 5000) + "a", "nested more than 100"},
		"many keys of YAML": {keys(10_001), "10001 keys"},
		"long YAML":         {"a: " + strings.Repeat("x", 1<<20), "at most 1048576"},
		"many parts":        {"a:\n" + strings.Repeat("- 1\n", 60_000), "more than 100000 parts"},
		"no item":           {`{"webhooks":{"w":1}}`, `webhook "w"`},
		"item is missing":   {`{"webhooks":{"w":{"$ref":"#/components/x"}}}`, `webhook "w"`},
		"item is itself":    {`{"webhooks":{"w":{"$ref":"#/webhooks/w"}}}`, `webhook "w"`},
		"too many":          {webhooks(1001), "at most 1000"},
		"bad name":          {`{"webhooks":{"a\nb":{}}}`, "control character"},
		"bad schema":        {one("17"), "must be an object"},
		"large schema":      {one(`{"enum":[` + strings.TrimSuffix(strings.Repeat("1,", 70_000), ",") + `]}`), "too large"},
		"long schema":       {one(`{"a":"` + strings.Repeat("x", 70_000) + `"}`), "at most 65536"},
	} {
		t.Run(name, func(t *testing.T) {
			w := setup(t)
			before := w.Snapshot()
			_, err := w.ImportEventTypes(w.project.ID, c.spec)
			if err == nil || !strings.HasPrefix(err.Error(), "spec") || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %v, want one with %q", err, c.reason)
			}
			if w.Snapshot() != before {
				t.Error("something was imported")
			}
		})
	}
}

func FuzzImport(f *testing.F) {
	f.Add(shopAPI)
	f.Add(`{"webhooks":{"a":{"post":{"requestBody":{"content":{"x":{"schema":{"$ref":"#/webhooks"}}}}}}}}`)
	f.Fuzz(func(t *testing.T, spec string) {
		w := setup(t)
		_, _ = w.ImportEventTypes(w.project.ID, spec) // returns
	})
}
