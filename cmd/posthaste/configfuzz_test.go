package main

import (
	"strings"
	"testing"
)

// FuzzParseConfig: whatever the file, its settings are known ones, each with a line,
// and what is wrong with it is said in a line that begins where the file's name ends.
func FuzzParseConfig(f *testing.F) {
	for _, s := range []string{
		"", "data: x", "listen: a:1\npartitions: 3", "egress-allow: [10.0.0.0/8, fd00::/8]", "egress-allow:\n  - 10.0.0.0/8",
		"data: [[1]]", "data: {a: b}", "? data\n: x", "data: &a x\nlisten: *a", "<<: {data: x}", "---\n---\n", "data: |\n  x", "data: !!binary x", "\t", "{", "data: 'x",
	} {
		f.Add(s)
	}
	known := []string{"data", "listen", "partitions", "egress-allow"}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<12 {
			return
		}
		entries, err := parseConfig([]byte(text), known)
		if err != nil {
			if !strings.HasPrefix(err.Error(), ":") {
				t.Fatalf("%q", err)
			}
			return
		}
		for key, e := range entries {
			if e.line < 1 || e.line > strings.Count(text, "\n")+strings.Count(text, "\r")+1 {
				t.Fatalf("%q: %s in line %d", text, key, e.line)
			}
		}
	})
}
