package api

import (
	"cmp"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// routeDoc is what the documents say of a route. openapi_doc_*_test.go have one for each.
type routeDoc struct {
	id      string // operationId
	tag     string // one of tags
	summary string // a few words
	text    string // more, if more is to be said
	same    string // the pattern of the route whose document holds for this one too; then the rest is empty, but for id and text

	query    []string // parameters of the query: names of queryParams, or of a group of them
	body     any      // a value of the body's type; nil: none
	media    []string // what a body may be, if not JSON
	optional bool     // the body may be left out

	code   int        // of success; 0: 200
	data   any        // a value of the data's type, pageOf or listOf; nil: null
	second *secondDoc // another success
	errors []int      // beyond what every such route has
	custom string     // the answer's media type, if it is not the envelope
	open   bool       // takes no key
	old    bool       // kept for older clients
}

// secondDoc is a second way to succeed.
type secondDoc struct {
	code int
	data any
}

// pageOf and listOf are data that is a page, or an array, of rows.
type (
	pageOf struct{ row any }
	listOf struct{ row any }
)

// externalRoutes are served beside this package, on the same address.
var externalRoutes = []string{
	"POST " + inProject + "/events",
	"POST " + inProject + "/events/fanout",
	"POST " + inProject + "/events/broadcast",
	"POST " + inProject + "/events/dynamic",
	"POST " + inProject + "/events/batch",
	"POST /api/v1/events",
	"POST /api/v1/events/fanout",
	"POST /api/v1/events/broadcast",
	"POST /api/v1/events/dynamic",
	"POST /api/v1/events/batch",
	"POST /ingest/{maskID}",
	"GET /ingest/{maskID}",
	"GET /openapi.yaml",
	"GET /docs",
}

// operationDoc is a route with its document, all references followed.
type operationDoc struct {
	routeDoc
	method, path string
}

// allDocs finds the document of every route, and says what is missing.
func allDocs(t *testing.T) (all []operationDoc) {
	t.Helper()
	known := map[string]bool{}
	for _, pattern := range slices.Concat(routePatterns(), externalRoutes) {
		known[pattern] = true
		doc, ok := docOf(pattern)
		if !ok {
			t.Errorf("%q has no document: add it to a table of openapi_doc_*_test.go, as\n\t%q: {id: \"...\", tag: \"...\", summary: \"...\", body: ..., data: ...},", pattern, pattern)
			continue
		}
		method, path, _ := strings.Cut(pattern, " ")
		all = append(all, operationDoc{doc, method, path})
	}
	for pattern := range routeDocs {
		if !known[pattern] {
			t.Errorf("%q has a document and no route: take it out of openapi_doc_*_test.go", pattern)
		}
	}
	return all
}

func routePatterns() []string {
	patterns := make([]string, len(routes))
	for i, rt := range routes {
		patterns[i] = rt.pattern
	}
	return patterns
}

// docOf is the document of a pattern. A route that stands in a second place has the
// document of the first.
func docOf(pattern string) (routeDoc, bool) {
	if doc, ok := routeDocs[pattern]; ok {
		if doc.same == "" {
			return doc, true
		}
		base, ok := docOf(doc.same)
		if doc.text != "" {
			base.text = doc.text
		}
		base.id, base.old = doc.id, true
		return base, ok
	}
	method, path, _ := strings.Cut(pattern, " ")
	if rest, found := strings.CutPrefix(path, inPortal+"/"); found {
		doc, ok := docOf(method + " " + inProject + "/" + rest)
		doc.id, doc.tag = "Portal"+doc.id, "Portal"
		return doc, ok
	}
	if rest, found := strings.CutPrefix(path, "/api/v1/"); found && !strings.HasPrefix(rest, "projects") {
		doc, ok := routeDocs[method+" "+inProject+"/"+rest]
		doc.id += "OfKey"
		doc.text = strings.TrimSpace(doc.text + " The project is that of the key.")
		doc.query = append(slices.Clone(doc.query), "groupId")
		doc.old = !strings.HasPrefix(rest, "events")
		return doc, ok && doc.same == ""
	}
	return routeDoc{}, false
}

// buildOpenAPI is the whole description.
func buildOpenAPI(t *testing.T, docs []operationDoc) yamlMap {
	set := newSchemaSet(t)
	var paths yamlMap
	at := map[string]int{}
	for _, doc := range docs {
		i, there := at[doc.path]
		if !there {
			i = len(paths)
			at[doc.path] = i
			paths = append(paths, pair(doc.path, append(yamlMap{}, pathParams(doc.path)...)))
		}
		item := paths[i].Value.(yamlMap)
		paths[i].Value = append(item, pair(strings.ToLower(doc.method), set.operation(doc)))
	}
	var schemas yamlMap
	set.of(reflect.TypeFor[paginationDoc]())
	for _, name := range sortedKeys(set.made) {
		schemas = append(schemas, pair(name, set.made[name]))
	}
	schemas = append(schemas, pair("Error", errorSchema))
	return yamlMap{
		pair("openapi", "3.0.3"),
		pair("info", yamlMap{
			pair("title", "posthaste"), pair("version", CurrentVersion), pair("description", apiText),
			pair("license", yamlMap{pair("name", "Apache 2.0"), pair("url", "https://www.apache.org/licenses/LICENSE-2.0")}),
		}),
		pair("servers", []yamlMap{{pair("url", "/")}}),
		pair("security", []yamlMap{{pair("key", []string{})}}),
		pair("tags", tagList()),
		pair("paths", paths),
		pair("components", yamlMap{
			pair("securitySchemes", yamlMap{pair("key", yamlMap{pair("type", "http"), pair("scheme", "bearer"), pair("description", keyText)})}),
			pair("parameters", parameterComponents()),
			pair("headers", headerComponents()),
			pair("responses", responseComponents()),
			pair("schemas", schemas),
		}),
	}
}

func tagList() (list []yamlMap) {
	for _, tag := range tags {
		list = append(list, yamlMap{pair("name", tag.name), pair("description", tag.text)})
	}
	return list
}

var paramPattern = regexp.MustCompile(`\{(\w+)\}`)

func pathParams(path string) yamlMap {
	var params []yamlMap
	for _, m := range paramPattern.FindAllStringSubmatch(path, -1) {
		text := pathTexts[m[1]]
		params = append(params, yamlMap{
			pair("name", m[1]), pair("in", "path"), pair("required", true), pair("description", text),
			pair("schema", yamlMap{pair("type", "string")}),
		})
	}
	if params == nil {
		return nil
	}
	return yamlMap{pair("parameters", params)}
}

func (s *schemaSet) operation(doc operationDoc) yamlMap {
	op := yamlMap{pair("operationId", doc.id), pair("tags", []string{doc.tag}), pair("summary", doc.summary)}
	if doc.text != "" {
		op = append(op, pair("description", doc.text))
	}
	if doc.old {
		op = append(op, pair("deprecated", true))
	}
	if doc.open {
		op = append(op, pair("security", []yamlMap{}))
	}
	var params []yamlMap
	for _, name := range doc.params() {
		params = append(params, yamlMap{pair("$ref", "#/components/parameters/"+paramKey(name))})
	}
	if strings.HasPrefix(doc.path, "/api/") || strings.HasPrefix(doc.path, inPortal) {
		params = append(params, yamlMap{pair("$ref", "#/components/parameters/"+paramKey("X-Convoy-Version"))})
	}
	if params != nil {
		op = append(op, pair("parameters", params))
	}
	if doc.body != nil {
		op = append(op, pair("requestBody", s.requestBody(doc)))
	}
	return append(op, pair("responses", s.responses(doc)))
}

// params are the names of the parameters, groups of them taken apart.
func (d operationDoc) params() (names []string) {
	for _, name := range d.query {
		if group, ok := queryGroups[name]; ok {
			names = append(names, group...)
			continue
		}
		names = append(names, name)
	}
	return names
}

func (s *schemaSet) requestBody(doc operationDoc) yamlMap {
	media := doc.media
	if media == nil {
		media = []string{"application/json"}
	}
	var content yamlMap
	for _, m := range media {
		content = append(content, pair(m, yamlMap{pair("schema", s.schemaOf(doc.body))}))
	}
	return yamlMap{pair("required", !doc.optional), pair("content", content)}
}

// schemaOf is the schema of a value: its type's, or an array's, or a page's.
func (s *schemaSet) schemaOf(v any) yamlMap {
	switch v := v.(type) {
	case nil:
		return yamlMap{pair("nullable", true), pair("enum", []any{nil})}
	case pageOf:
		return yamlMap{pair("type", "object"), pair("required", []string{"content", "pagination"}), pair("properties", yamlMap{
			pair("content", yamlMap{pair("type", "array"), pair("items", s.schemaOf(v.row))}),
			pair("pagination", reference("Pagination")),
		})}
	case listOf:
		return yamlMap{pair("type", "array"), pair("items", s.schemaOf(v.row))}
	}
	return s.of(reflect.TypeOf(v))
}

func (s *schemaSet) responses(doc operationDoc) yamlMap {
	code := doc.code
	if code == 0 {
		code = http.StatusOK
	}
	out := yamlMap{pair(strconv.Itoa(code), s.success(doc, code, doc.data))}
	if doc.second != nil {
		out = append(out, pair(strconv.Itoa(doc.second.code), s.success(doc, doc.second.code, doc.second.data)))
	}
	for _, code := range doc.refusals() {
		out = append(out, pair(strconv.Itoa(code), yamlMap{pair("$ref", "#/components/responses/"+strings.ReplaceAll(http.StatusText(code), " ", ""))}))
	}
	return out
}

func (s *schemaSet) success(doc operationDoc, code int, data any) yamlMap {
	media, schema := "application/json", yamlMap{
		pair("type", "object"), pair("required", []string{"status", "message", "data"}),
		pair("properties", yamlMap{
			pair("status", yamlMap{pair("type", "boolean"), pair("example", true)}),
			pair("message", yamlMap{pair("type", "string")}),
			pair("data", s.schemaOf(data)),
		}),
	}
	if doc.custom != "" {
		media, schema = doc.custom, yamlMap{pair("type", "string")}
	}
	return yamlMap{
		pair("description", http.StatusText(code)),
		pair("headers", yamlMap{pair("X-Request-Id", yamlMap{pair("$ref", "#/components/headers/X-Request-Id")})}),
		pair("content", yamlMap{pair(media, yamlMap{pair("schema", schema)})}),
	}
}

// refusals are the codes with which a route refuses, in order.
func (d operationDoc) refusals() []int {
	codes := slices.Clone(d.errors)
	if strings.HasPrefix(d.path, "/docs") || strings.HasPrefix(d.path, "/openapi") {
		return codes
	}
	codes = append(codes, 400, 503)
	if !d.open {
		codes = append(codes, 401, 403)
	}
	if strings.Contains(d.path, "{") {
		codes = append(codes, 404)
	}
	if d.body != nil {
		codes = append(codes, 413, 415)
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

func responseComponents() (all yamlMap) {
	for _, r := range refusalTexts {
		headers := yamlMap{pair("X-Request-Id", yamlMap{pair("$ref", "#/components/headers/X-Request-Id")})}
		if r.code == 429 || r.code == 503 {
			headers = append(headers, pair("Retry-After", yamlMap{pair("$ref", "#/components/headers/Retry-After")}))
		}
		all = append(all, pair(strings.ReplaceAll(http.StatusText(r.code), " ", ""), yamlMap{
			pair("description", r.text), pair("headers", headers),
			pair("content", yamlMap{pair("application/json", yamlMap{pair("schema", reference("Error"))})}),
		}))
	}
	return all
}

var errorSchema = yamlMap{
	pair("type", "object"), pair("description", "What is answered in the place of data when a request is refused."),
	pair("required", []string{"status", "message"}),
	pair("properties", yamlMap{
		pair("status", yamlMap{pair("type", "boolean"), pair("example", false)}),
		pair("message", yamlMap{pair("type", "string"), pair("description", "Says what is wrong, by the name of the field, and what is allowed.")}),
		pair("reason", yamlMap{pair("type", "string"), pair("enum", []string{"disk_full"}), pair("description", "For programs, with some refusals: disk_full, nothing is taken before the server's disk has space again.")}),
	}),
}

func parameterComponents() (all yamlMap) {
	for _, p := range queryParams {
		schema := yamlMap{pair("type", "string")}
		switch {
		case p.many:
			schema = yamlMap{pair("type", "array"), pair("items", withEnum(yamlMap{pair("type", "string")}, p.enum))}
		case p.number:
			schema = yamlMap{pair("type", "integer")}
		case p.flag:
			schema = yamlMap{pair("type", "boolean")}
		case p.enum != nil:
			schema = withEnum(schema, p.enum)
		}
		in := "query"
		if p.header {
			in = "header"
		}
		all = append(all, pair(paramKey(p.name), yamlMap{pair("name", cmp.Or(p.wire, p.name)), pair("in", in), pair("description", p.text), pair("schema", schema)}))
	}
	return all
}

// paramKey is the name of a parameter's component. It is none that a schema has, since
// makers of clients turn both into types.
func paramKey(name string) string {
	key := "Query"
	for _, p := range queryParams {
		if p.name == name && p.header {
			key = "Header"
		}
	}
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '_' || r == '-' }) {
		key += strings.ToUpper(word[:1]) + word[1:]
	}
	return key
}

func headerComponents() yamlMap {
	return yamlMap{
		pair("X-Request-Id", yamlMap{pair("description", "The id of the request: yours, or one that was made for it. It is in the log too."), pair("schema", yamlMap{pair("type", "string")})}),
		pair("Retry-After", yamlMap{pair("description", "Seconds to wait before another try."), pair("schema", yamlMap{pair("type", "integer")})}),
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// checkDocs finds what is wrong in the tables themselves.
func checkDocs(t *testing.T, docs []operationDoc) {
	ids := map[string]string{}
	for _, d := range docs {
		where := d.method + " " + d.path
		if other, taken := ids[d.id]; taken || d.id == "" {
			t.Errorf("%s: the id %q is that of %s too", where, d.id, other)
		}
		ids[d.id] = where
		if d.summary == "" {
			t.Errorf("%s: no summary", where)
		}
		if !slices.ContainsFunc(tags, func(x tagDoc) bool { return x.name == d.tag }) {
			t.Errorf("%s: the tag %q is none of tags", where, d.tag)
		}
		for _, name := range d.params() {
			if !slices.ContainsFunc(queryParams, func(p queryParam) bool { return p.name == name }) {
				t.Errorf("%s: the parameter %q is none of queryParams", where, name)
			}
		}
		for _, m := range paramPattern.FindAllStringSubmatch(d.path, -1) {
			if pathTexts[m[1]] == "" {
				t.Errorf("%s: pathTexts does not say what {%s} is", where, m[1])
			}
		}
		for _, code := range d.refusals() {
			if !slices.ContainsFunc(refusalTexts, func(r refusalText) bool { return r.code == code }) {
				t.Errorf("%s: refusalTexts does not know %d", where, code)
			}
		}
	}
}
