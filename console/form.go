package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"posthaste/client"
)

// form is what a page's form shows: what is stored, or what was typed, and what the API
// says of it. Its fields have the names of the API's, with dots between an object and what
// is in it: so a refusal finds its field.
type form struct {
	values  url.Values
	wrong   map[string]string // by field
	Problem string            // the refusal, whole
}

func newForm(pairs ...string) form {
	f := form{values: url.Values{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		f.values.Set(pairs[i], pairs[i+1])
	}
	return f
}

// readForm is what was typed.
func readForm(r *http.Request) form {
	f := newForm()
	for name, values := range r.PostForm {
		f.values[name] = values
	}
	return f
}

// readWhole reads a form before its handler does, and refuses one that is too long or was
// cut off: what it lacks would be taken for what was left empty.
func readWhole(serve handler) handler {
	return func(c *Console, w http.ResponseWriter, r *http.Request, v *visit) {
		if r.Method != http.MethodPost {
			serve(c, w, r, v)
			return
		}
		limit := int64(maxForm)
		if strings.HasSuffix(r.URL.Path, importPath) {
			limit = maxSpec
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		err := r.ParseForm()
		if err == nil && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
			err = r.ParseMultipartForm(limit)
		}
		if err != nil {
			c.failed(w, r, c.page(r, v, "", "Refused"), &client.Error{Status: http.StatusRequestEntityTooLarge,
				Message: fmt.Sprintf("Nothing was changed: what was sent is longer than %d KiB, or was cut off. Go back, and send less.", limit>>10)})
			return
		}
		serve(c, w, r, v)
	}
}

// Get is a field's text.
func (f form) Get(name string) string { return f.values.Get(name) }

// text is Get without space around it.
func (f form) text(name string) string { return strings.TrimSpace(f.values.Get(name)) }

// Has reports whether a box is ticked, or an option chosen.
func (f form) Has(name, value string) bool { return slices.Contains(f.values[name], value) }

// Wrong is what is wrong with a field; "" for nothing.
func (f form) Wrong(name string) string { return f.wrong[name] }

// WrongIn reports whether something is wrong with one of the fields whose names begin so.
func (f form) WrongIn(prefixes ...string) bool {
	for name := range f.wrong {
		for _, p := range prefixes {
			if strings.HasPrefix(name, p) {
				return true
			}
		}
	}
	return false
}

// refusal is how the API says what is wrong with a field.
var refusal = regexp.MustCompile(`(?s)^(?:config\.)?([a-zA-Z0-9_.\[\]-]+): (.*)$`)

var listIndex = regexp.MustCompile(`\[(\d+)\]`)

// refuse notes why the API refused the form, at the field that it names, or at the one
// that holds it.
func (f *form) refuse(err error) {
	f.Problem = refusalText(err)
	m := refusal.FindStringSubmatch(f.Problem)
	if m == nil {
		return
	}
	name, text := listIndex.ReplaceAllString(m[1], ""), m[2]
	if i := listIndex.FindStringSubmatch(m[1]); i != nil {
		n, _ := strconv.Atoi(i[1])
		text = fmt.Sprintf("Entry %d: %s", n+1, text)
	}
	for name != "" {
		if _, known := f.values[name]; known {
			f.wrong = map[string]string{name: text}
			return
		}
		name = name[:max(0, strings.LastIndexByte(name, '.'))]
	}
}

// refused reports whether an error is one that the form is shown again for.
func refused(err error) bool {
	switch code := codeOf(err); code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return false
	default:
		return code >= 400 && code < 500
	}
}

// kind is what a field is to the API.
type kind int

const (
	aText   kind = iota // as it is
	aTitle              // without space around it
	aNumber             // whole; left out if it is empty
	aZero               // whole; 0 if it is empty
	aBox                // true or false
	aList               // of texts, one a line or between commas
	aCounts             // of whole numbers, the same
	aLines              // of texts, one a line
	aJSON               // {} if it is empty
)

// part is a field of a request.
type part struct {
	name string
	kind kind
}

// body is the fields as the API takes them. A field that the form lacks is left out, but
// for boxes.
func (f form) body(parts []part) map[string]any {
	body := map[string]any{}
	for _, p := range parts {
		if _, sent := f.values[p.name]; !sent && p.kind != aBox {
			continue
		}
		if value, some := f.value(p); some {
			put(body, p.name, value)
		}
	}
	return body
}

func (f form) value(p part) (value any, some bool) {
	text := f.text(p.name)
	switch p.kind {
	case aText:
		return strings.ReplaceAll(f.Get(p.name), "\r\n", "\n"), true
	case aNumber:
		return wholeOr(text), text != ""
	case aZero:
		if text == "" {
			text = "0"
		}
		return wholeOr(text), true
	case aBox:
		return f.Has(p.name, "on"), true
	case aList:
		return texts(splitList(text)), true
	case aCounts:
		return f.counts(p.name), true
	case aLines:
		return texts(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })), true
	case aJSON:
		if text == "" {
			text = "{}"
		}
		return rawJSON(text), true
	}
	return text, true
}

// counts is a field's list of whole numbers.
func (f form) counts(name string) []any {
	all := []any{}
	for _, t := range splitList(f.Get(name)) {
		all = append(all, wholeOr(t))
	}
	return all
}

// wholeOr is a number, or the text if it is none: then the API says what is wrong.
func wholeOr(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	return text
}

// jsonFault is what keeps a text from being JSON; "" for nothing.
func jsonFault(text string) string {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return "is not JSON: " + err.Error()
	}
	return ""
}

func splitList(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' || r == ' ' || r == '\t' })
}

// texts trims each, and is never nil.
func texts(in []string) []string {
	out := []string{}
	for _, t := range in {
		if t = strings.TrimSpace(t); t != "" {
			out = append(out, t)
		}
	}
	return out
}

// put sets a value by its path.
func put(body map[string]any, path string, value any) {
	name, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		body[name] = value
		return
	}
	inner, _ := body[name].(map[string]any)
	if inner == nil {
		inner = map[string]any{}
		body[name] = inner
	}
	put(inner, rest, value)
}

// formOf is the form that shows an object of the API. Those of its fields that are in
// whole are shown as JSON.
func formOf(object json.RawMessage, whole ...string) form {
	f := newForm()
	var v map[string]json.RawMessage
	if json.Unmarshal(object, &v) == nil {
		f.fill("", v, whole)
	}
	return f
}

func (f form) fill(prefix string, object map[string]json.RawMessage, whole []string) {
	for name, raw := range object {
		path := prefix + name
		switch {
		case slices.Contains(whole, path):
			f.values.Set(path, indented(raw))
		case raw[0] == '{':
			var inner map[string]json.RawMessage
			if json.Unmarshal(raw, &inner) == nil {
				f.fill(path+".", inner, whole)
			}
		case raw[0] == '[':
			var list []any
			if json.Unmarshal(raw, &list) == nil {
				f.values.Set(path, listText(raw))
			}
		default:
			f.values.Set(path, scalarText(raw))
		}
	}
}

// scalarText is a text, a number, "on" for true, and "" for null and false.
func scalarText(raw json.RawMessage) string {
	var text string
	switch {
	case json.Unmarshal(raw, &text) == nil && raw[0] == '"':
		return text
	case string(raw) == "true":
		return "on"
	case string(raw) == "null" || string(raw) == "false":
		return ""
	}
	return string(raw)
}

// listText is one entry a line.
func listText(raw json.RawMessage) string {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return ""
	}
	lines := make([]string, len(list))
	for i, entry := range list {
		lines[i] = scalarText(entry)
	}
	return strings.Join(lines, "\n")
}

// indented is an object as people write it; "" for an empty one.
func indented(raw json.RawMessage) string {
	var b bytes.Buffer
	if t := string(bytes.TrimSpace(raw)); t == "{}" || t == "null" || t == "" {
		return ""
	}
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw)
	}
	return b.String()
}
