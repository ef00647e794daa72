package lint

import (
	"strings"
	"testing"
)

var checks = map[string]func(*sourceFile) []string{
	"imports go one way":          checkImports,
	"heavy dependencies":          checkOwned,
	"flags, environment and exit": checkCommandOnly,
	"sleeping":                    checkSleep,
	"length of files":             checkLength,
}

func TestTree(t *testing.T) {
	files := loadTree(t)
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			for _, f := range files {
				for _, wrong := range check(f) {
					t.Error(wrong)
				}
			}
		})
	}
	t.Run("package comments", func(t *testing.T) {
		commented := map[string]bool{}
		for _, f := range files {
			commented[f.pkg] = commented[f.pkg] || packageComment(f)
		}
		for pkg, ok := range commented {
			if !ok {
				t.Errorf("%s: no file says what the package is, in a comment that begins with Package or Command", pkg)
			}
		}
	})
	t.Run("tables hold nothing stale", func(t *testing.T) {
		packages, sleeping := map[string]bool{}, map[string]bool{}
		for _, f := range files {
			packages[f.pkg] = true
			sleeping[f.path] = len(sleeps(f)) > 0
		}
		for pkg := range allowedImports {
			if !packages[pkg] {
				t.Errorf("allowedImports: there is no package %s", pkg)
			}
		}
		for path := range sleepers {
			if !sleeping[path] {
				t.Errorf("sleepers: %s does not sleep", path)
			}
		}
	})
}

// A rule that finds nothing may be a rule that finds nothing ever.
func TestRulesFindMistakes(t *testing.T) {
	for _, c := range []struct {
		name, path, source string
		check              func(*sourceFile) []string
		want               string // "": nothing is wrong
	}{
		{"leaf imports", "event/x.go", `import "posthaste/wal"`, checkImports, "event must not import wal"},
		{"siblings meet", "engine/x.go", `import "posthaste/sender"`, checkImports, "engine must not import sender"},
		{"renamed import", "wal/x.go", `import e "posthaste/engine"`, checkImports, "wal must not import engine"},
		{"down the graph", "engine/x.go", `import "posthaste/event"`, checkImports, ""},
		{"a test may", "engine/x_test.go", `import "posthaste/wal"`, checkImports, ""},
		{"new package", "gadget/x.go", ``, checkImports, "gadget is not in allowedImports"},
		{"pebble", "engine/x.go", `import "github.com/cockroachdb/pebble/v2/vfs"`, checkOwned, "only wal"},
		{"pebble in wal", "wal/x.go", `import "github.com/cockroachdb/pebble/v2"`, checkOwned, ""},
		{"pebble below wal", "wal/waltest/x.go", `import "github.com/cockroachdb/pebble/v2"`, checkOwned, ""},
		{"pebble beside wal", "walnut/x.go", `import "github.com/cockroachdb/pebble/v2"`, checkOwned, "only wal"},
		{"no pebble", "engine/x.go", `import "github.com/cockroachdb/pebbles"`, checkOwned, ""},
		{"ants in a test", "engine/x_test.go", `import "github.com/panjf2000/ants/v2"`, checkOwned, "only sender"},
		{"flag", "wal/x.go", `import "flag"`, checkCommandOnly, "only a command may import flag"},
		{"exit", "wal/x.go", `import "os"; func f() { os.Exit(1) }`, checkCommandOnly, "os.Exit"},
		{"exit renamed", "wal/x.go", `import sys "os"; func f() { sys.Exit(1) }`, checkCommandOnly, "os.Exit"},
		{"environment as value", "wal/x.go", `import "os"; var f = os.Getenv`, checkCommandOnly, "os.Getenv"},
		{"fatal", "wal/x.go", `import "log"; func f() { log.Fatalf("") }`, checkCommandOnly, "log.Fatalf"},
		{"open", "wal/x.go", `import "os"; func f() { os.Open("") }`, checkCommandOnly, ""},
		{"exit in the command", "cmd/posthaste/x.go", `import "os"; func f() { os.Exit(1) }`, checkCommandOnly, ""},
		{"sleep", "wal/x.go", `import "time"; func f() { time.Sleep(1) }`, checkSleep, "wal/x.go:1"},
		{"own sleep", "wal/x.go", `import "time"; var _ time.Time; func f() { x.Sleep(1) }`, checkSleep, ""},
		{"long", "wal/x.go", strings.Repeat("\n", maxFileLines+1), checkLength, "601 lines"},
		{"long enough", "wal/x.go", strings.Repeat("\n", maxFileLines), checkLength, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := parseSource(c.path, "package x; "+c.source)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(c.check(f), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestPackageComment(t *testing.T) {
	for source, want := range map[string]bool{
		"// Package x is a thing.\npackage x":   true,
		"// Command y does it.\npackage main":   true,
		"package x":                             false,
		"// X.\npackage x":                      false,
		"// Package y is another.\npackage x":   false,
		"// Package x is a thing.\n\npackage x": false,
	} {
		f, err := parseSource("x/x.go", source)
		if err != nil {
			t.Fatal(err)
		}
		if got := packageComment(f); got != want {
			t.Errorf("%q: %v", source, got)
		}
	}
}
