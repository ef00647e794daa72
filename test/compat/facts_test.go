package compat

import (
	_ "embed"
	"encoding/json"
	"strings"
	"testing"
)

// The facts are Convoy's OpenAPI document, 26.3.5, boiled down to what is compared.
//
//go:embed operations.json
var operationsJSON []byte

//go:embed schemas.json
var schemasJSON []byte

// operation is one method and path that Convoy's clients call.
type operation struct {
	ID      string   `json:"id"`
	Method  string   `json:"method"`
	Path    string   `json:"path"`
	Query   []string `json:"query"`
	Request string   `json:"request"` // schema of the body; "" for none
	Codes   []int    `json:"codes"`
}

// schema is the shape of a value. Type is string, integer, number, boolean, object, any,
// [T], map<T>, or the name of another schema, without its prefix.
type schema struct {
	Type     string            `json:"type"`
	Fields   map[string]string `json:"fields"`
	Required []string          `json:"required"` // of a request
	Enum     []string          `json:"enum"`
}

var (
	operations []operation
	operating  = map[string]operation{} // by id
	schemas    map[string]schema
)

func init() {
	for raw, into := range map[*[]byte]any{&operationsJSON: &operations, &schemasJSON: &schemas} {
		if err := json.Unmarshal(*raw, into); err != nil {
			panic(err)
		}
	}
	for _, op := range operations {
		operating[op.ID] = op
	}
}

// params are the names in an operation's path.
func (o operation) params() (names []string) {
	for _, part := range strings.Split(o.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// takes reports whether an operation has a query parameter.
func (o operation) takes(name string) bool {
	for _, q := range o.Query {
		if q == name {
			return true
		}
	}
	return false
}

// expects reports whether a code is among those of an operation.
func (o operation) expects(code int) bool {
	for _, c := range o.Codes {
		if c == code {
			return true
		}
	}
	return false
}

// lookUp finds a schema by the name that stands in a field of another one, which has no
// prefix. Answers are made of what is stored, so that family goes first.
func lookUp(name string) (string, schema, bool) {
	for _, full := range []string{name, "datastore." + name, "models." + name, "config." + name, "auth." + name, "httpheader." + name} {
		if s, ok := schemas[full]; ok {
			return full, s, true
		}
	}
	return "", schema{}, false
}

func TestFactsAreWhole(t *testing.T) {
	if len(operations) != 68 || len(schemas) != 152 {
		t.Errorf("%d operations and %d schemas, want 68 and 152", len(operations), len(schemas))
	}
	if len(operating) != len(operations) {
		t.Errorf("%d names for %d operations", len(operating), len(operations))
	}
	for name, s := range schemas {
		for field, kind := range s.Fields {
			checkKind(t, name+"."+field, kind)
		}
	}
	for _, op := range operations {
		if op.Request != "" {
			checkKind(t, op.ID, op.Request)
		}
	}
	for name := range omitted {
		owner, field, _ := strings.Cut(name, ":")
		if _, ok := schemas[owner].Fields[field]; !ok && field != "*" {
			t.Errorf("omitted names %s, which no schema has", name)
		}
	}
}

func checkKind(t *testing.T, where, kind string) {
	t.Helper()
	kind = strings.NewReplacer("map<", "", ">", "", "[", "", "]", "").Replace(kind)
	switch kind {
	case "string", "integer", "number", "boolean", "object", "any":
		return
	}
	if _, _, ok := lookUp(kind); !ok {
		t.Errorf("%s: there is no schema %s", where, kind)
	}
}
