package api

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/goccy/go-yaml"

	"posthaste/event"
)

// object is a YAML mapping whose order is kept.
type yamlMap = yaml.MapSlice

func pair(key string, value any) yaml.MapItem { return yaml.MapItem{Key: key, Value: value} }

// schemaSet makes components of Go types, one for each struct that is met.
type schemaSet struct {
	t        *testing.T
	comments map[string]string // by "package.Type.Field"
	made     map[string]yamlMap
	owner    map[string]reflect.Type
}

func newSchemaSet(t *testing.T) *schemaSet {
	s := &schemaSet{t: t, made: map[string]yamlMap{}, owner: map[string]reflect.Type{}, comments: map[string]string{}}
	for pkg, dir := range map[string]string{"api": ".", "event": "../event", "search": "../search"} {
		s.readComments(pkg, dir)
	}
	return s
}

// readComments collects what is said of each struct's fields in the source: that is
// what the documents say too.
func (s *schemaSet) readComments(pkg, dir string) {
	files, err := filepath.Glob(dir + "/*.go")
	if err != nil || len(files) == 0 {
		s.t.Fatalf("no source in %s: %v", dir, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			s.t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			fields, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range fields.Fields.List {
				for _, name := range f.Names {
					s.comments[pkg+"."+spec.Name.Name+"."+name.Name] = sentence(strings.TrimSpace(f.Doc.Text() + " " + f.Comment.Text()))
				}
			}
			return true
		})
	}
}

// sentence makes a comment of Go's one for readers of JSON.
func sentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if text == "" || strings.HasPrefix(text, "posthaste's own") {
		return ""
	}
	text = strings.NewReplacer("nil:", "null:", "nil is", "null is", "; nil ", "; null ").Replace(text)
	r := []rune(text)
	if !strings.ContainsAny(strings.Fields(text)[0], "._0123456789\"") {
		r[0] = unicode.ToUpper(r[0])
	}
	return string(r)
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	idType      = reflect.TypeFor[event.ID]()
	rawType     = reflect.TypeFor[json.RawMessage]()
	secondsType = reflect.TypeFor[seconds]()
	wireType    = reflect.TypeFor[wireSeconds]()
)

// of is the schema of a type: a reference for a struct that has a name.
func (s *schemaSet) of(t reflect.Type) yamlMap {
	if known := plainSchema(t); known != nil {
		return known
	}
	switch t.Kind() {
	case reflect.Pointer:
		return nullable(s.of(t.Elem()))
	case reflect.Bool:
		return yamlMap{pair("type", "boolean")}
	case reflect.String:
		return withEnum(yamlMap{pair("type", "string")}, enumTypes[t])
	case reflect.Float64:
		return yamlMap{pair("type", "number")}
	case reflect.Slice, reflect.Array:
		return yamlMap{pair("type", "array"), pair("items", s.of(t.Elem()))}
	case reflect.Map:
		return yamlMap{pair("type", "object"), pair("additionalProperties", s.of(t.Elem()))}
	case reflect.Interface:
		return yamlMap{pair("nullable", true)}
	case reflect.Struct:
		return s.structure(t)
	}
	if t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64 {
		return yamlMap{pair("type", "integer")}
	}
	s.t.Fatalf("the documents do not know what %s is in JSON: say so in plainSchema", t)
	return nil
}

// plainSchema is the schema of a type that writes itself; nil for any other.
func plainSchema(t reflect.Type) yamlMap {
	switch {
	case t == timeType || t == reflect.TypeFor[event.Stamp]() || t == reflect.TypeFor[optionalTime]():
		return yamlMap{pair("type", "string"), pair("format", "date-time")}
	case t == idType:
		return yamlMap{pair("type", "string"), pair("example", "01JD3VJ6T0Z8M2R6W5K9QX7B4C")}
	case t == rawType, t == reflect.TypeFor[verbatim](), t == reflect.TypeFor[anything]():
		return yamlMap{pair("nullable", true)}
	case t == secondsType, t == wireType:
		return yamlMap{pair("oneOf", []yamlMap{{pair("type", "integer")}, {pair("type", "string"), pair("example", "1m30s")}})}
	case t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "optional["):
		return nil
	}
	return nil
}

// structure makes the component of a struct and returns a reference to it; of one
// without a name it returns the schema itself.
func (s *schemaSet) structure(t reflect.Type) yamlMap {
	if strings.HasPrefix(t.Name(), "optional[") { // see optional.go: null means something
		f, _ := t.FieldByName("value")
		return nullable(s.of(f.Type.Elem()))
	}
	name := schemaName(t)
	if name == "" {
		return s.fields(t, "")
	}
	if was, met := s.owner[name]; met {
		if was != t {
			s.t.Fatalf("both %s and %s are %s in the documents: give one another name in schemaNames", was, t, name)
		}
		return reference(name)
	}
	s.owner[name] = t
	s.made[name] = s.fields(t, name)
	return reference(name)
}

func reference(name string) yamlMap { return yamlMap{pair("$ref", "#/components/schemas/"+name)} }

func nullable(schema yamlMap) yamlMap {
	if schema[0].Key == "nullable" {
		return schema
	}
	if schema[0].Key == "$ref" {
		return yamlMap{pair("nullable", true), pair("allOf", []yamlMap{schema})}
	}
	return append(yamlMap{pair("nullable", true)}, schema...)
}

func withEnum(schema yamlMap, values []string) yamlMap {
	if len(values) == 0 {
		return schema
	}
	return append(schema, pair("enum", values))
}

// fields is the schema of a struct: Go's rules for JSON are followed, an outer field
// hides an embedded one of the same name.
func (s *schemaSet) fields(t reflect.Type, schema string) yamlMap {
	var properties yamlMap
	var required []string
	answered := isAnswer(t)
	for _, f := range jsonFields(t) {
		value := s.field(f, schema)
		properties = append(properties, pair(f.name, value))
		if answered && !f.omitted {
			required = append(required, f.name)
		}
	}
	required = append(required, requiredIn[schema]...)
	out := yamlMap{pair("type", "object")}
	if text := schemaTexts[schema]; text != "" {
		out = append(out, pair("description", text))
	}
	if len(required) > 0 {
		out = append(out, pair("required", required))
	}
	if len(properties) > 0 {
		out = append(out, pair("properties", properties))
	}
	return out
}

func (s *schemaSet) field(f jsonField, schema string) yamlMap {
	value := withEnum(s.of(f.kind), enums[schema+"."+f.name])
	text := fieldTexts[schema+"."+f.name]
	if text == "" {
		text = s.comments[f.source]
	}
	if text == "" {
		return value
	}
	if len(value) > 0 && value[0].Key == "$ref" {
		value = yamlMap{pair("allOf", []yamlMap{value})}
	}
	return append(yamlMap{pair("description", text)}, value...)
}

// isAnswer reports whether all fields of a struct are always there.
func isAnswer(t reflect.Type) bool {
	name := t.Name()
	return strings.HasSuffix(name, "View") || strings.HasSuffix(name, "Doc") || name == "pagination" || name == "createdProject"
}

// jsonField is a field as encoding/json sees it.
type jsonField struct {
	name    string
	kind    reflect.Type
	omitted bool   // it may be left out
	source  string // where its comment is: "package.Type.Field"
}

func jsonFields(t reflect.Type) (all []jsonField) {
	at := map[string]int{}
	add := func(f jsonField, outer bool) {
		if i, there := at[f.name]; there {
			if outer {
				all[i] = f
			}
			return
		}
		at[f.name] = len(all)
		all = append(all, f)
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, flags, _ := strings.Cut(tag, ",")
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && name == "":
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			for _, g := range jsonFields(inner) {
				g.omitted = g.omitted || f.Type.Kind() == reflect.Pointer
				add(g, false)
			}
		case tagged:
			pkg := t.PkgPath()
			add(jsonField{name, f.Type, strings.Contains(flags, "omit"), pkg[strings.LastIndexByte(pkg, '/')+1:] + "." + t.Name() + "." + f.Name}, true)
		}
	}
	return all
}

// schemaName is what the documents call a Go type; "" for one without a name.
func schemaName(t reflect.Type) string {
	if name, given := schemaNames[t]; given {
		return name
	}
	name := t.Name()
	if name == "" {
		return ""
	}
	for suffix, instead := range map[string]string{"View": "", "Doc": "", "Body": "Request", "Update": "Update"} {
		if base, found := strings.CutSuffix(name, suffix); found {
			name = base + instead
			break
		}
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
