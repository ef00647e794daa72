package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// words are what complete offers.
func words(t *testing.T, line ...string) []string {
	t.Helper()
	code, stdout, stderr := posthaste(append([]string{completeCommand, "--"}, line...)...)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var out []string
	for line := range strings.Lines(stdout) {
		word, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		out = append(out, word)
	}
	return out
}

func TestComplete(t *testing.T) {
	for _, c := range []struct {
		line []string
		want string // all of them, with spaces between
	}{
		{[]string{"s"}, "send subscription source serve secrets"},
		{[]string{"subscription", ""}, "list get create update delete"},
		{[]string{"endpoint", "r"}, "rotate-secret"},
		{[]string{"delivery", "list", "--st"}, "--status"},
		{[]string{"delivery", "list", "--status", "F"}, "Failure"},
		{[]string{"delivery", "list", "--status=S"}, "--status=Scheduled --status=Success"},
		{[]string{"delivery", "list", "--status", "=", "S"}, "Scheduled Success"},
		{[]string{"delivery", "list", "--status", "="}, "Scheduled Processing Retry Success Failure Discarded"},
		{[]string{"delivery", "list", "--status", "=", "Failure", "--uti"}, ""},
		{[]string{"delivery", "list", "--status", "Failure", "--ut"}, "--utc"},
		{[]string{"delivery", "--json", "at"}, "attempts"},
		{[]string{"delivery", "--project", "list", "at"}, "attempts"},
		{[]string{"--server", "http://x", "jo"}, "job"},
		{[]string{"--server", ""}, ""},
		{[]string{"completion", ""}, "bash zsh fish"},
		{[]string{"send", "--id"}, "--idempotency-key --idempotency"},
		{[]string{"serve", "--durability", "r"}, "relaxed"},
		{[]string{"nowhere", "--nothing="}, ""},
		{[]string{"benc"}, "bench bench-report"},
		{[]string{"bench", "--scenario", "single,ba"}, "single,batch"},
		{[]string{"bench", "--scenario=l"}, "--scenario=latency"},
	} {
		if got := strings.Join(words(t, c.line...), " "); got != c.want {
			t.Errorf("%q: %s; want %s", c.line, got, c.want)
		}
	}
	if got := words(t); len(got) < 10 {
		t.Errorf("nothing typed: %q", got)
	}
}

func TestCompletionScripts(t *testing.T) {
	for shell := range completionScripts {
		code, stdout, stderr := posthaste("completion", shell)
		if code != exitOK || !strings.Contains(stdout, completeCommand+" -- ") {
			t.Errorf("%s: exit %d: %s", shell, code, stderr)
		}
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Logf("%s is not here: its script was not read by it", shell)
			continue
		}
		check := exec.Command(path, "-n")
		check.Stdin = strings.NewReader(stdout)
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", shell, err, out)
		}
	}
}

// bash completes with the script and a program that answers as this one does.
func TestBashCompletes(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	dir := t.TempDir()
	_, answer, _ := posthaste(completeCommand, "--", "delivery", "list", "--st")
	fake := "#!/bin/sh\nprintf '%s' \"$*\" > " + filepath.Join(dir, "asked") + "\ncat <<'END'\n" + answer + "END\n"
	program := filepath.Join(dir, "posthaste")
	if err := os.WriteFile(program, []byte(fake), 0o700); err != nil {
		t.Fatal(err)
	}
	script := completionScripts["bash"] + "COMP_WORDS=(" + program + " delivery list --st); COMP_CWORD=3; _posthaste; echo \"${COMPREPLY[*]}\"\n"
	out, err := exec.Command(bash, "-c", script).CombinedOutput()
	asked, _ := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil || strings.TrimSpace(string(out)) != "--status" || string(asked) != "complete -- delivery list --st" {
		t.Errorf("completes to %q, %v, asked %q", out, err, asked)
	}
}

// Every command that people see says what it is for, and those that ask a server show an
// example that is right.
func TestExamples(t *testing.T) {
	cleanEnvironment(t)
	parser, err := newParser(&cli{}, &bytes.Buffer{}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	for _, node := range parser.Model.Leaves(true) {
		if node.Help == "" {
			t.Errorf("%s: no help", node.FullPath())
		}
		examples := examplesOf(node)
		if asksServer(node) && len(examples) == 0 {
			t.Errorf("%s: no example", node.FullPath())
		}
		for _, example := range examples {
			if !strings.HasPrefix(example, "posthaste ") {
				continue // a shell's own
			}
			p, err := newParser(&cli{}, &bytes.Buffer{}, &bytes.Buffer{})
			if err != nil {
				t.Fatal(err)
			}
			ctx, err := p.Parse(splitArgs(example)[1:])
			if err != nil || ctx.Selected().FullPath() != node.FullPath() {
				t.Errorf("%s: its example %s is wrong: %v", node.FullPath(), example, err)
			}
		}
	}
}

func asksServer(node *kong.Node) bool { return findFlag(node, "--server") != nil }

func TestHelp(t *testing.T) {
	for _, c := range []struct {
		args []string
		want []string
	}{
		{nil, []string{"Send and receive:", "Look and change:", "Run a server:", "  portal-link "}},
		{[]string{"bench"}, []string{"    fanout     one event to many endpoints", "What to measure:", "The load:", "Another server:", "--rate=N"}},
		{[]string{"endpoint"}, []string{"Commands:", "endpoint rotate-secret", "--key-file=FILE"}},
		{[]string{"delivery", "list"}, []string{"posthaste delivery list --status Failure --since 24h", "The server and the output:", "$POSTHASTE_SERVER"}},
	} {
		var out bytes.Buffer
		parser, err := newParser(&cli{}, &out, &out)
		if err != nil {
			t.Fatal(err)
		}
		parser.Exit = func(int) { panic("exit") }
		func() {
			defer func() { recover() }()
			parser.Parse(append(c.args, "--help"))
		}()
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v: no %q in\n%s", c.args, want, &out)
			}
		}
		for line := range strings.Lines(out.String()) {
			if len(line) > 101 && !strings.Contains(line, "posthaste ") {
				t.Errorf("%v: a line of %d columns: %s", c.args, len(line)-1, line)
			}
		}
		if strings.Contains(out.String(), "transform-worker") {
			t.Errorf("%v: shows what is hidden", c.args)
		}
	}
}
