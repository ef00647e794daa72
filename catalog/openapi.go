package catalog

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"

	"posthaste/event"
)

// openAPI is an OpenAPI document, of which only the webhooks are looked at: those of
// version 3.1 at the top, or those that older documents have under x-webhooks.
type openAPI struct {
	root map[string]any
	left int // how many more values may be copied into schemas
}

// maxSchemaValues bounds the work of an import: the schemas of a document can refer
// to one another any number of times.
const maxSchemaValues = 1 << 20

// webhook is what an event type can be made of.
type webhook struct {
	name, description string
	schema            json.RawMessage // nil: none
}

// methods are the operations of a webhook that are looked for, in this order.
var methods = []string{"post", "put", "patch", "get", "delete", "options", "head", "trace"}

func readSpec(spec string) (*openAPI, error) {
	text := strings.TrimSpace(strings.TrimPrefix(spec, "\uFEFF"))
	if text == "" {
		return nil, event.Invalid("spec", "is empty; give an OpenAPI document, JSON or YAML")
	}
	var root any
	var err error
	if text[0] == '{' {
		root, err = readJSON(text)
	} else {
		root, err = readYAML(text)
	}
	if err != nil {
		return nil, err
	}
	object, ok := root.(map[string]any)
	if !ok {
		return nil, event.Invalid("spec", "is not an object; give an OpenAPI document")
	}
	return &openAPI{root: object, left: maxSchemaValues}, nil
}

func readJSON(text string) (root any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber() // so that those in schemas stay as they are
	if err := d.Decode(&root); err != nil {
		return nil, event.Invalid("spec", "is not JSON: %s", err)
	}
	if d.More() {
		return nil, event.Invalid("spec", "has something behind the document")
	}
	return root, nil
}

// webhooks lists the document's webhooks by name.
func (o *openAPI) webhooks() ([]webhook, error) {
	items, found := o.root["webhooks"].(map[string]any)
	if !found {
		items, found = o.root["x-webhooks"].(map[string]any)
	}
	if !found {
		return nil, event.Invalid("spec", "has no webhooks: OpenAPI 3.1 lists them under webhooks, older documents under x-webhooks")
	}
	if len(items) > maxImport {
		return nil, event.Invalid("spec", "has %d webhooks; at most %d are taken at once", len(items), maxImport)
	}
	var out []webhook
	for _, name := range slices.Sorted(maps.Keys(items)) {
		w, err := o.webhook(name, items[name])
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func (o *openAPI) webhook(name string, value any) (w webhook, err error) {
	w.name = name
	item := o.object(value)
	if item == nil {
		return w, event.Invalid("spec", "webhook %q is not an object, or refers to none in the document", name)
	}
	operation := operationOf(item)
	for _, text := range []any{operation["description"], operation["summary"], item["description"], item["summary"]} {
		if s, ok := text.(string); ok && strings.TrimSpace(s) != "" {
			w.description = strings.TrimSpace(s)
			break
		}
	}
	schema, found := mediaOf(o.object(o.object(operation["requestBody"])["content"]))["schema"]
	if !found {
		return w, nil
	}
	whole, err := o.bundle(schema)
	if err != nil {
		return w, event.Invalid("spec", "webhook %q: %s", name, err)
	}
	if w.schema, err = json.Marshal(whole); err != nil {
		return w, event.Invalid("spec", "webhook %q: the schema of its body cannot be written as JSON: %s", name, err)
	}
	return w, nil
}

func operationOf(item map[string]any) map[string]any {
	for _, m := range methods {
		if operation, ok := item[m].(map[string]any); ok {
			return operation
		}
	}
	return nil
}

// mediaOf is the JSON form of a body, or, if it has none, the first one by name.
func mediaOf(content map[string]any) map[string]any {
	names := slices.Sorted(maps.Keys(content))
	isJSON := func(name string) bool { return strings.Contains(name, "json") }
	i := slices.Index(names, contentJSON)
	if i < 0 {
		i = max(0, slices.IndexFunc(names, isJSON))
	}
	if len(names) == 0 {
		return nil
	}
	media, _ := content[names[i]].(map[string]any)
	return media
}

// object is value, or what it refers to, if it is an object; nil otherwise.
func (o *openAPI) object(value any) map[string]any {
	for range maxReferences {
		object, _ := value.(map[string]any)
		pointer, refers := localReference(object)
		if !refers {
			return object
		}
		value, _ = o.at(pointer)
	}
	return nil
}

// maxReferences is how many references to references are followed.
const maxReferences = 20

// localReference is the JSON pointer, RFC 6901, by which an object refers to another
// part of the document.
func localReference(object map[string]any) (pointer string, refers bool) {
	text, _ := object["$ref"].(string)
	if plain, err := url.PathUnescape(text); err == nil {
		text = plain
	}
	return strings.CutPrefix(text, "#/")
}

// at is the value that a pointer names.
func (o *openAPI) at(pointer string) (value any, found bool) {
	value = o.root
	for token := range strings.SplitSeq(pointer, "/") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = object[unescape.Replace(token)]; !ok {
			return nil, false
		}
	}
	return value, true
}

// unescape reads a token of a JSON pointer. It replaces from left to right, in one
// pass, so "~01" becomes "~1".
var unescape = strings.NewReplacer("~1", "/", "~0", "~")
