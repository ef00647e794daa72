package console

import (
	"fmt"
	"slices"
	"strings"
)

// input is one field as the templates of forms take it.
type input struct {
	F                        form
	Name, Label, Hint, Place string
	Type, Rows               string
	Options                  []option
	Required, Auto, Set      bool
}

// option is one of a choice.
type option struct{ Value, Label string }

// ID is the field's in the page.
func (i input) ID() string { return "f-" + i.Name }

// Value is what the field holds.
func (i input) Value() string { return i.F.Get(i.Name) }

// Wrong is what is wrong with it.
func (i input) Wrong() string { return i.F.Wrong(i.Name) }

// Choices are the options, with what the field holds if that is none of them.
func (i input) Choices() []option {
	for _, o := range i.Options {
		if o.Value == i.Value() {
			return i.Options
		}
	}
	if i.Value() == "" {
		return i.Options
	}
	return append(slices.Clone(i.Options), option{i.Value(), i.Value()})
}

// On reports whether the box is ticked.
func (i input) On() bool { return i.F.Has(i.Name, "on") }

// Described is which elements say more about it.
func (i input) Described() string {
	var ids []string
	if i.Wrong() != "" {
		ids = append(ids, i.ID()+"-wrong")
	}
	if i.Hint != "" {
		ids = append(ids, i.ID()+"-hint")
	}
	return strings.Join(ids, " ")
}

// fieldOf makes an input for a template: its label, then names and values of the rest.
// options are written as "value=label|value=label".
func fieldOf(f form, name, label string, pairs ...string) (input, error) {
	i := input{F: f, Name: name, Label: label, Type: "text", Rows: "3"}
	for k := 0; k+1 < len(pairs); k += 2 {
		switch value := pairs[k+1]; pairs[k] {
		case "hint":
			i.Hint = value
		case "place":
			i.Place = value
		case "type":
			i.Type = value
		case "rows":
			i.Rows = value
		case "is":
			i.Required, i.Auto, i.Set = strings.Contains(value, "required"), strings.Contains(value, "auto"), strings.Contains(value, "set")
		case "options":
			for _, o := range strings.Split(value, "|") {
				v, label, named := strings.Cut(o, "=")
				if !named {
					label = v
				}
				i.Options = append(i.Options, option{v, label})
			}
		default:
			return i, fmt.Errorf("fld: %q is not known", pairs[k])
		}
	}
	return i, nil
}

// setWord is what tells fieldOf that there is a secret.
func setWord(set bool) string {
	if set {
		return "set"
	}
	return ""
}
