package api

import (
	"bytes"
	"html/template"
	"strings"
	"testing"
)

// buildPage is the description as a page: one file, without scripts.
func buildPage(t *testing.T, description yamlMap) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, newPageView(description)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type (
	pageView struct {
		Title, Version string
		Text           []string
		Groups         []pageGroup
		Schemas        []pageSchema
	}
	pageGroup struct {
		Name, ID, Text string
		Operations     []pageOperation
	}
	pageOperation struct {
		Method, Path, ID, Summary, Text string
		Old                             bool
		Params                          []pageField
		Body                            *pageType
		BodyMedia                       string
		Answers                         []pageAnswer
		Errors                          []string
	}
	pageAnswer struct {
		Code string
		Type *pageType
	}
	pageSchema struct {
		Name, Text string
		Fields     []pageField
	}
	pageField struct {
		Name, Text string
		Type       *pageType
		Required   bool
	}
	// pageType is a type in words, with a link where it has a schema.
	pageType struct{ Before, Link, After string }
)

// lookup follows keys into a mapping; nil if there is nothing.
func lookup(m yamlMap, keys ...string) any {
	var v any = m
	for _, key := range keys {
		inner, ok := v.(yamlMap)
		if !ok {
			return nil
		}
		v = nil
		for _, item := range inner {
			if item.Key == key {
				v = item.Value
			}
		}
	}
	return v
}

func text(m yamlMap, keys ...string) string {
	s, _ := lookup(m, keys...).(string)
	return s
}

func newPageView(d yamlMap) pageView {
	view := pageView{Title: text(d, "info", "title"), Version: text(d, "info", "version"), Text: strings.Split(text(d, "info", "description"), "\n\n")}
	groups := map[string]int{}
	for i, tag := range tags {
		groups[tag.name] = i
		view.Groups = append(view.Groups, pageGroup{Name: tag.name, ID: "tag-" + strings.ReplaceAll(strings.ToLower(tag.name), " ", "-"), Text: tag.text})
	}
	for _, path := range lookup(d, "paths").(yamlMap) {
		item := path.Value.(yamlMap)
		shared, _ := lookup(item, "parameters").([]yamlMap)
		for _, op := range item {
			if op.Key == "parameters" {
				continue
			}
			o := op.Value.(yamlMap)
			g := &view.Groups[groups[lookup(o, "tags").([]string)[0]]]
			g.Operations = append(g.Operations, newPageOperation(d, path.Key.(string), op.Key.(string), o, shared))
		}
	}
	for _, s := range lookup(d, "components", "schemas").(yamlMap) {
		m := s.Value.(yamlMap)
		view.Schemas = append(view.Schemas, pageSchema{s.Key.(string), text(m, "description"), fieldsOf(m)})
	}
	return view
}

func newPageOperation(d yamlMap, path, method string, o yamlMap, shared []yamlMap) pageOperation {
	p := pageOperation{
		Method: strings.ToUpper(method), Path: path, ID: text(o, "operationId"), Summary: text(o, "summary"), Text: text(o, "description"),
		Old: lookup(o, "deprecated") == true,
	}
	own, _ := lookup(o, "parameters").([]yamlMap)
	for _, param := range append(append([]yamlMap{}, shared...), own...) {
		if ref := text(param, "$ref"); ref != "" {
			param = lookup(d, "components", "parameters", ref[strings.LastIndexByte(ref, '/')+1:]).(yamlMap)
		}
		if text(param, "in") == "header" {
			continue
		}
		p.Params = append(p.Params, pageField{text(param, "name"), text(param, "description"), typeOf(lookup(param, "schema").(yamlMap)), lookup(param, "required") == true})
	}
	if content, ok := lookup(o, "requestBody", "content").(yamlMap); ok {
		var media []string
		for _, c := range content {
			media = append(media, c.Key.(string))
		}
		p.BodyMedia, p.Body = strings.Join(media, ", "), typeOf(lookup(content[0].Value.(yamlMap), "schema").(yamlMap))
	}
	for _, r := range lookup(o, "responses").(yamlMap) {
		content, succeeds := lookup(r.Value.(yamlMap), "content").(yamlMap)
		if !succeeds {
			p.Errors = append(p.Errors, r.Key.(string))
			continue
		}
		schema := lookup(content[0].Value.(yamlMap), "schema").(yamlMap)
		if data, ok := lookup(schema, "properties", "data").(yamlMap); ok {
			schema = data
		}
		p.Answers = append(p.Answers, pageAnswer{r.Key.(string), typeOf(schema)})
	}
	return p
}

func fieldsOf(m yamlMap) (fields []pageField) {
	required, _ := lookup(m, "required").([]string)
	properties, _ := lookup(m, "properties").(yamlMap)
	for _, f := range properties {
		value := f.Value.(yamlMap)
		field := pageField{Name: f.Key.(string), Text: text(value, "description"), Type: typeOf(value)}
		for _, name := range required {
			field.Required = field.Required || name == field.Name
		}
		fields = append(fields, field)
	}
	return fields
}

// typeOf is a schema in words.
func typeOf(m yamlMap) *pageType {
	out := &pageType{}
	switch {
	case text(m, "$ref") != "":
		out.Link = strings.TrimPrefix(text(m, "$ref"), "#/components/schemas/")
	case lookup(m, "allOf") != nil:
		out = typeOf(lookup(m, "allOf").([]yamlMap)[0])
	case lookup(m, "oneOf") != nil:
		out.Before = "seconds, or a text like 1m30s"
	case text(m, "type") == "array":
		inner := typeOf(lookup(m, "items").(yamlMap))
		out.Before, out.Link, out.After = "array of "+inner.Before, inner.Link, inner.After
	case lookup(m, "properties", "content", "items") != nil:
		inner := typeOf(lookup(m, "properties", "content", "items").(yamlMap))
		out.Before, out.Link, out.After = "page of "+inner.Before, inner.Link, inner.After
	case lookup(m, "properties") != nil:
		var names []string
		for _, f := range fieldsOf(m) {
			names = append(names, f.Name)
		}
		out.Before = "object with " + strings.Join(names, ", ")
	case lookup(m, "additionalProperties") != nil:
		inner := typeOf(lookup(m, "additionalProperties").(yamlMap))
		out.Before, out.Link, out.After = "object of names and values: "+inner.Before, inner.Link, inner.After
	case text(m, "type") != "":
		out.Before = text(m, "type")
		if text(m, "format") == "date-time" {
			out.Before = "time"
		}
	case lookup(m, "enum") == nil:
		return &pageType{Before: "any JSON"}
	}
	if _, null := lookup(m, "enum").([]any); null {
		return &pageType{Before: "null"}
	}
	if values, ok := lookup(m, "enum").([]string); ok {
		out.After += ": " + strings.Join(values, ", ")
	}
	if lookup(m, "nullable") == true {
		out.After += ", or null"
	}
	return out
}

var pageTemplate = template.Must(template.New("docs").Funcs(template.FuncMap{
	"lower": strings.ToLower,
}).Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}: the API</title>
<style>
:root { color-scheme: light dark; --text: #1c2024; --soft: #5b6470; --line: #d9dee4; --back: #ffffff; --panel: #f5f7f9; --link: #0b57a4; --get: #0b6e4f; --post: #0b57a4; --put: #8a5a00; --delete: #a31621; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e7eb; --soft: #9aa4b1; --line: #333b45; --back: #14181d; --panel: #1c2229; --link: #7db7f5; --get: #5fd3a8; --post: #7db7f5; --put: #e3b45c; --delete: #f1868f; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
.frame { display: grid; grid-template-columns: 15rem minmax(0, 1fr); max-width: 80rem; margin: 0 auto; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li { margin: .15rem 0; }
main { padding: 1.5rem; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
h1 { font-size: 1.7rem; margin: 0; }
h2 { font-size: 1.3rem; margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { max-width: 46rem; margin: .5rem 0; }
code, .path { font: .9em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; background: var(--panel); }
summary { cursor: pointer; padding: .5rem .75rem; }
details > div { padding: 0 .75rem .75rem; background: var(--back); border-top: 1px solid var(--line); border-radius: 0 0 .4rem .4rem; overflow-x: auto; }
.method { display: inline-block; min-width: 4.2rem; font: 700 .8rem ui-monospace, monospace; }
.get { color: var(--get); } .post { color: var(--post); } .put { color: var(--put); } .delete { color: var(--delete); }
.what { color: var(--soft); margin-left: .5rem; }
.old .path { text-decoration: line-through; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
.need { color: var(--soft); font-size: .8rem; }
@media (max-width: 50rem) { .frame { display: block; } nav { position: static; max-height: none; border-right: 0; border-bottom: 1px solid var(--line); } nav ul { columns: 2; } td code { overflow-wrap: break-word; } .what { display: block; margin: 0; } }
</style>
</head>
<body>
<div class="frame">
<nav aria-label="Contents">
<ul>
<li><a href="#top">Overview</a></li>
{{- range .Groups}}
<li><a href="#{{.ID}}">{{.Name}}</a></li>
{{- end}}
<li><a href="#schemas">Schemas</a></li>
</ul>
</nav>
<main>
<h1 id="top">{{.Title}}: the API</h1>
<p class="need">Version {{.Version}}. The same for programs: <a href="/openapi.yaml">openapi.yaml</a></p>
{{- range .Text}}
<p>{{.}}</p>
{{- end}}
{{- define "type"}}{{.Before}}{{if .Link}}<a href="#schema-{{.Link}}">{{.Link}}</a>{{end}}{{.After}}{{end}}
{{- define "fields"}}
<table>
<tr><th>Name</th><th>Type</th><th>Meaning</th></tr>
{{- range .}}
<tr><td><code>{{.Name}}</code>{{if .Required}} <span class="need">always</span>{{end}}</td><td>{{template "type" .Type}}</td><td>{{.Text}}</td></tr>
{{- end}}
</table>
{{- end}}
{{- range .Groups}}
<h2 id="{{.ID}}">{{.Name}}</h2>
<p>{{.Text}}</p>
{{- range .Operations}}
<details id="op-{{.ID}}"{{if .Old}} class="old"{{end}}>
<summary><span class="method {{lower .Method}}">{{.Method}}</span> <span class="path">{{.Path}}</span><span class="what">{{.Summary}}{{if .Old}} (for older clients){{end}}</span></summary>
<div>
{{- if .Text}}
<p>{{.Text}}</p>
{{- end}}
{{- if .Params}}
<h3>Parameters</h3>
{{- template "fields" .Params}}
{{- end}}
{{- if .Body}}
<h3>Body</h3>
<p>{{template "type" .Body}} <span class="need">({{.BodyMedia}})</span></p>
{{- end}}
<h3>Answer</h3>
{{- range .Answers}}
<p><code>{{.Code}}</code> {{template "type" .Type}}</p>
{{- end}}
{{- if .Errors}}
<p class="need">Refused with {{range $i, $e := .Errors}}{{if $i}}, {{end}}{{$e}}{{end}}.</p>
{{- end}}
</div>
</details>
{{- end}}
{{- end}}
<h2 id="schemas">Schemas</h2>
<p>Fields that are marked are always there. What a request leaves out stays as it is, or has its default.</p>
{{- range .Schemas}}
<details id="schema-{{.Name}}">
<summary><code>{{.Name}}</code><span class="what">{{.Text}}</span></summary>
<div>
{{- template "fields" .Fields}}
</div>
</details>
{{- end}}
</main>
</div>
</body>
</html>
`))
