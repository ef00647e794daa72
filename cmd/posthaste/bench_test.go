package main

import (
	"strings"
	"testing"

	"posthaste/bench"
)

func TestBenchList(t *testing.T) {
	code, stdout, stderr := posthaste("bench", "--list")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	if len(lines) != len(bench.ScenarioNames()) {
		t.Errorf("%d lines:\n%s", len(lines), stdout)
	}
	for i, line := range lines {
		name, about, _ := strings.Cut(line, " ")
		if name != bench.ScenarioNames()[i] || strings.TrimSpace(about) == "" || len(line) > 96 {
			t.Errorf("line %q", line)
		}
	}
}

// A name that is not known is answered with all that are.
func TestBenchRefuses(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"--scenario", "single,triple"}, exitUsage, append(bench.ScenarioNames(), "triple")},
		{[]string{"--rate=-5"}, exitError, []string{"rate is -5, must be 0 to 1000000"}},
		{[]string{"--fanout", "1"}, exitError, []string{"fanout is 1, must be 2 to"}},
		{[]string{"--header", "A: b"}, exitError, []string{"target"}},
		{[]string{"--target", "http://127.0.0.1:1", "--project", "p", "--key", "k", "--header", "odd"}, exitError, []string{"NAME: VALUE"}},
	} {
		code, _, stderr := posthaste(append([]string{"bench"}, c.args...)...)
		if code != c.code {
			t.Errorf("%q: exit %d: %s", c.args, code, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%q: no %q in %s", c.args, want, stderr)
			}
		}
	}
}
