package bench

import (
	"fmt"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Header is a header of every request to a target: a version that it asks for, or
// another way to show who calls.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// parseHeader reads "Name: value".
func parseHeader(text string) (Header, error) {
	name, value, ok := strings.Cut(text, ":")
	h := Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)}
	if !ok || !httpguts.ValidHeaderFieldName(h.Name) || !httpguts.ValidHeaderFieldValue(h.Value) {
		return h, fmt.Errorf("header %q is not of the form NAME: VALUE", name)
	}
	return h, nil
}

// headers are those of Options, which has validated them.
func (o *Options) headers() []Header {
	var all []Header
	for _, text := range o.Headers {
		h, _ := parseHeader(text)
		all = append(all, h)
	}
	return all
}
