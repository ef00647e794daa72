//go:build !race

package match

import (
	"testing"

	"posthaste/event"
)

func TestMatchDoesNotAllocate(t *testing.T) {
	types, err := CompileTypes([]string{"a", "b", "invoice.*.paid", "regex:order\\.[a-z]+"})
	if err != nil {
		t.Fatal(err)
	}
	in, ev := &Input{}, &event.Event{Data: sample}
	filter := compileBody(t, sampleFilter)
	for name, f := range map[string]func(){
		"exact type":   func() { types.Match("b") },
		"glob":         func() { types.Match("invoice.x.paid") },
		"regex":        func() { types.Match("order.created") },
		"no type":      func() { types.Match("order.1") },
		"filter":       func() { filter.Match(in) },
		"filter, anew": func() { in.Reset(ev); filter.Match(in) },
	} {
		in.Reset(ev)
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if in.Reset(ev); !filter.Match(in) {
		t.Error("the sample does not pass")
	}
}
