package metrics

import (
	"fmt"
	"strings"
)

// Label values and HELP texts are escaped as
// https://prometheus.io/docs/instrumenting/exposition_formats/ says.
var (
	labelEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	helpEscaper  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
)

// Name writes a metric's name with its labels, which are given as pairs of a
// label and its value: Name("a_total", "code", "201") is `a_total{code="201"}`.
// Values may be any text; their number must be small and known.
func Name(family string, labels ...string) string {
	if len(labels)%2 != 0 {
		panic(fmt.Sprintf("BUG: metric %s: label %q has no value", family, labels[len(labels)-1]))
	}
	if len(labels) == 0 {
		return family
	}
	var b strings.Builder
	b.WriteString(family)
	sep := byte('{')
	for i := 0; i < len(labels); i += 2 {
		b.WriteByte(sep)
		fmt.Fprintf(&b, `%s="%s"`, labels[i], labelEscaper.Replace(labels[i+1]))
		sep = ','
	}
	b.WriteByte('}')
	return b.String()
}

// splitName parts a name from its labels; labels are without the braces.
func splitName(name string) (base, labels string) {
	base, labels, found := strings.Cut(name, "{")
	if !found {
		return name, ""
	}
	return base, strings.TrimSuffix(labels, "}")
}

func escapeHelp(text string) string { return helpEscaper.Replace(text) }
