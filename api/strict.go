package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"posthaste/event"
)

const (
	preferHeader  = "Prefer"
	appliedHeader = "Preference-Applied"
	strictly      = "handling=strict"
)

// prefersStrict reports whether a request has "Prefer: handling=strict" (RFC 7240).
func prefersStrict(r *http.Request) bool {
	for _, line := range r.Header.Values(preferHeader) {
		for preference := range strings.SplitSeq(line, ",") {
			token, _, _ := strings.Cut(preference, ";") // from its parameters
			name, value, _ := strings.Cut(token, "=")
			value = strings.Trim(strings.TrimSpace(value), `"`)
			if strings.EqualFold(strings.TrimSpace(name), "handling") {
				return strings.EqualFold(value, "strict") // the first one counts
			}
		}
	}
	return false
}

// applyPreference says in the answer's headers h that a request is handled strictly.
func (a *API) applyPreference(h http.Header, r *http.Request) {
	if a.o.Strict || prefersStrict(r) {
		h.Set(appliedHeader, strictly)
	}
}

const (
	maxUnknown     = 20 // fields that an error names
	maxUnknownName = 64 // bytes of one that are shown
)

// refuseUnknown refuses a body that has fields which t, a pointer to what it was read
// into, has not. It names them, by their paths.
func refuseUnknown(body []byte, t reflect.Type) error {
	var u unknown
	u.look(body, t, "")
	if len(u.fields) == 0 {
		return nil
	}
	return event.Invalid("", "unknown field: %s", strings.Join(u.fields, ", "))
}

// unknown gathers the fields of a body that a type has not.
type unknown struct {
	fields []string
	known  map[reflect.Type]map[string]reflect.Type
}

// wrapper is a type that reads its own JSON as another type's.
type wrapper interface{ wraps() reflect.Type }

// look compares a value with the type that it is read into. path ends with a dot, or
// is empty.
func (u *unknown) look(raw json.RawMessage, t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if w, ok := reflect.Zero(t).Interface().(wrapper); ok {
		u.look(raw, w.wraps(), path)
		return
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return // reads what it likes
	}
	switch t.Kind() {
	case reflect.Struct:
		u.object(raw, u.fieldsOf(t), nil, path)
	case reflect.Map:
		u.object(raw, nil, t.Elem(), path)
	case reflect.Slice:
		u.array(raw, t.Elem(), path)
	}
}

// object looks at an object of these fields or, of a map, of these values.
func (u *unknown) object(raw json.RawMessage, fields map[string]reflect.Type, values reflect.Type, path string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		t, found := fieldNamed(fields, name)
		switch {
		case values != nil:
			u.look(members[name], values, path+name+".")
		case found:
			u.look(members[name], t, path+name+".")
		case len(u.fields) < maxUnknown:
			u.fields = append(u.fields, shortened(path+name))
		}
	}
}

func (u *unknown) array(raw json.RawMessage, elem reflect.Type, path string) {
	if elem.Kind() == reflect.Uint8 {
		return // a text
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return
	}
	path = strings.TrimSuffix(path, ".")
	for i, v := range list {
		u.look(v, elem, path+"["+strconv.Itoa(i)+"].")
	}
}

// fieldNamed finds a field as encoding/json does: by its name or, without regard to
// case, by one that is the same.
func fieldNamed(fields map[string]reflect.Type, name string) (reflect.Type, bool) {
	if t, found := fields[name]; found {
		return t, true
	}
	for known, t := range fields {
		if strings.EqualFold(known, name) {
			return t, true
		}
	}
	return nil, false
}

// fieldsOf are the fields that JSON knows of a struct, with those of the structs that
// are embedded in it. A field hides those of the same name that lie deeper.
func (u *unknown) fieldsOf(t reflect.Type) map[string]reflect.Type {
	if fields, ok := u.known[t]; ok {
		return fields
	}
	fields := make(map[string]reflect.Type)
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || f.Anonymous && name == "" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if _, hidden := fields[name]; !hidden || len(f.Index) == 1 {
			fields[name] = f.Type
		}
	}
	if u.known == nil {
		u.known = make(map[reflect.Type]map[string]reflect.Type)
	}
	u.known[t] = fields
	return fields
}

// shortened is a name from outside, fit for a message.
func shortened(name string) string {
	if len(name) > maxUnknownName {
		name = name[:maxUnknownName] + "..."
	}
	return strings.ToValidUTF8(name, "\uFFFD")
}
