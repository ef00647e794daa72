package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// mutant is one careless change, and the test that must not let it pass.
type mutant struct {
	name     string
	file     string // in the tree
	old, new string // old is there exactly once
	pkg      string // of the test
	test     string
}

// perRun bounds one run of one test: one that hangs with a mutant has caught it. It has
// to be built before, for which there is perBuild, as other work may be going on.
const (
	perRun   = 2 * time.Minute
	perBuild = 20 * time.Minute
)

// root is the top of the tree.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// source is the file that the mutant changes, and its changed text.
func (m *mutant) source(t *testing.T) (path string, changed []byte) {
	t.Helper()
	path = filepath.Join(root(t), m.file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte(m.old)); n != 1 || m.old == m.new {
		t.Fatalf("%s has %d times the text that is to be replaced, want once: adapt the mutant to the source as it is\n%s", m.file, n, m.old)
	}
	return path, bytes.Replace(text, []byte(m.old), []byte(m.new), 1)
}

// TestMutantsAreCurrent: each mutant's text is in the source, and its test exists.
func TestMutantsAreCurrent(t *testing.T) {
	names := make(map[string]bool)
	for _, m := range all {
		t.Run(m.name, func(t *testing.T) {
			if names[m.name] {
				t.Error("there are two of this name")
			}
			names[m.name] = true
			m.source(t)
			if !m.testExists(t) {
				t.Errorf("%s has no %s", m.pkg, m.test)
			}
		})
	}
}

func (m *mutant) testExists(t *testing.T) bool {
	files, err := filepath.Glob(filepath.Join(root(t), m.pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(m.test) + `\(t \*testing\.T\)`)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if declared.Match(text) {
			return true
		}
	}
	return false
}

// TestMutants runs each mutant's test without it, which must pass, and with it, which
// must fail. It takes minutes, so it runs only when MUTANTS is set: to all, or to a
// regular expression for names.
func TestMutants(t *testing.T) {
	wanted := os.Getenv("MUTANTS")
	if wanted == "" {
		t.Skip("MUTANTS is not set")
	}
	if wanted == "all" {
		wanted = "."
	}
	name, err := regexp.Compile(wanted)
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| mutant | test | verdict | seconds |\n| --- | --- | --- | ---: |\n")
	survived, tried := 0, 0
	sound := make(map[string]bool) // tests that pass without a mutant
	for _, m := range all {
		if !name.MatchString(m.name) {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			tried++
			begun := time.Now()
			verdict := m.try(t, sound)
			fmt.Fprintf(&table, "| %s | %s in %s | %s | %.1f |\n", m.name, m.test, m.pkg, verdict, time.Since(begun).Seconds())
			if verdict != caught {
				survived++
				t.Errorf("%s: %s", m.name, verdict)
			}
		})
	}
	t.Logf("%d mutants, %d caught:\n%s", tried, tried-survived, &table)
	if tried == 0 {
		t.Errorf("no mutant is called %q", wanted)
	}
}

// The verdicts on a mutant.
const (
	caught   = "caught"
	survives = "SURVIVED"
	unsound  = "the test fails without it, too"
	unbuilt  = "does not build"
)

// try runs the mutant's test without it, unless that was done, and with it.
func (m *mutant) try(t *testing.T, sound map[string]bool) string {
	path, changed := m.source(t)
	if where := m.pkg + "." + m.test; !sound[where] {
		if out, ok := m.run(t, ""); !ok {
			t.Logf("%s", out)
			return unsound
		}
		sound[where] = true
	}
	dir := t.TempDir()
	instead, overlay := filepath.Join(dir, "mutant.go"), filepath.Join(dir, "overlay.json")
	raw, err := json.Marshal(map[string]any{"Replace": map[string]string{path: instead}})
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{instead: changed, overlay: raw} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, ok := m.run(t, overlay)
	switch {
	case ok:
		return survives
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		t.Logf("%s", out)
		return unbuilt
	}
	return caught
}

// run runs the mutant's test and reports whether it ran and passed.
func (m *mutant) run(t *testing.T, overlay string) (out string, ok bool) {
	ctx, cancel := context.WithTimeout(t.Context(), perBuild+perRun)
	defer cancel()
	args := []string{"test", "-count=1", "-short", "-vet=off", "-v", "-timeout", perRun.String(), "-run", "^" + m.test + "$"}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+m.pkg)...)
	cmd.Dir = root(t)
	text, err := cmd.CombinedOutput()
	return string(text), err == nil && strings.Contains(string(text), "--- PASS: "+m.test)
}
