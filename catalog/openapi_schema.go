package catalog

import (
	"errors"
	"strings"
)

var errSchemaTooLarge = errors.New("the schema of its body is too large with all that it refers to; at most 64 KiB are allowed")

// bundle makes a schema whole: what it refers to in the document is copied under
// $defs, and the references lead there. Those to other documents stay as they are.
func (o *openAPI) bundle(schema any) (any, error) {
	b := bundler{doc: o, names: make(map[string]string), defs: make(map[string]any), left: maxSchemaBytes}
	whole := b.copy(schema)
	for len(b.todo) > 0 && !b.spent() {
		pointer := b.todo[0]
		b.todo = b.todo[1:]
		value, _ := o.at(pointer)
		b.defs[b.names[pointer]] = b.copy(value)
	}
	if b.spent() {
		return nil, errSchemaTooLarge
	}
	if len(b.defs) == 0 {
		return whole, nil
	}
	object, ok := whole.(map[string]any)
	if !ok {
		return whole, nil
	}
	if own, ok := object["$defs"].(map[string]any); ok {
		for name, value := range own {
			if _, taken := b.defs[name]; !taken {
				b.defs[name] = value
			}
		}
	}
	object["$defs"] = b.defs
	return object, nil
}

// bundler copies a schema and what it refers to.
type bundler struct {
	doc   *openAPI
	names map[string]string // under $defs, by pointer in the document
	todo  []string          // pointers that are named and not copied yet
	defs  map[string]any
	left  int // how many more values this schema may have
}

func (b *bundler) spent() bool { return b.left <= 0 || b.doc.left <= 0 }

// copy copies a value with its references changed; nil once too much was copied.
func (b *bundler) copy(value any) any {
	if b.left, b.doc.left = b.left-1, b.doc.left-1; b.spent() {
		return nil
	}
	switch v := value.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[name] = b.copy(member)
		}
		if pointer, refers := localReference(v); refers {
			if name, found := b.name(pointer); found {
				out["$ref"] = "#/$defs/" + escape.Replace(name)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = b.copy(element)
		}
		return out
	}
	return value
}

// name is the name under $defs of what a pointer names: that of a component, or else
// the pointer itself.
func (b *bundler) name(pointer string) (name string, found bool) {
	if name, found = b.names[pointer]; found {
		return name, true
	}
	if _, found = b.doc.at(pointer); !found {
		return "", false
	}
	name = unescape.Replace(pointer)
	if component, ok := strings.CutPrefix(pointer, "components/schemas/"); ok && !strings.Contains(component, "/") {
		name = unescape.Replace(component)
	}
	b.names[pointer] = name
	b.todo = append(b.todo, pointer)
	return name, true
}

// escape writes a token of a JSON pointer.
var escape = strings.NewReplacer("~", "~0", "/", "~1")
