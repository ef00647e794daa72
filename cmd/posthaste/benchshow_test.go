package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const exampleReport = "../../bench/report/testdata/example.json"

func TestBenchReport(t *testing.T) {
	page := filepath.Join(t.TempDir(), "bench.html")
	for _, c := range []struct {
		args []string
		want []string // the first is in stdout, or on stderr where it fails
		code int
	}{
		{[]string{exampleReport}, []string{"8 of 11 rows meet their targets.", "µs a delivery"}, exitOK},
		{[]string{exampleReport, exampleReport, exampleReport}, []string{"run 3", "3/3", "noisy (met in 0 of 3 runs)"}, exitOK},
		{[]string{exampleReport, "--markdown"}, []string{"| latency | null_pipe |"}, exitOK},
		{[]string{exampleReport, "--html", page}, []string{"8 of 11"}, exitOK},
		{[]string{exampleReport, "--html", "/nowhere/at/all.html"}, []string{"--html /nowhere/at/all.html: there is no directory /nowhere/at"}, exitUsage},
		{[]string{"nowhere.json"}, []string{"report nowhere.json: no such file"}, exitError},
		{[]string{"benchshow.go"}, []string{"report benchshow.go: invalid character"}, exitError},
		{nil, []string{"expected"}, exitUsage},
	} {
		code, stdout, stderr := posthaste(append([]string{"bench-report"}, c.args...)...)
		text := stdout
		if c.code != exitOK {
			text = stderr
		}
		if code != c.code {
			t.Errorf("%q: exit %d: %s", c.args, code, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%q: no %q in\n%s", c.args, want, text)
			}
		}
	}
	text, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(text), "<!doctype html>") || !strings.Contains(string(text), "</html>") {
		t.Errorf("%v, %d bytes", err, len(text))
	}
}

// A report is shown to others: no key is in it.
func TestBenchCommand(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"bench", "--quick", "--scenario", "single,batch"}, "posthaste bench --quick --scenario single,batch"},
		{[]string{"bench", "--key", "s3cret", "--target", "http://h:5005"}, "posthaste bench --key *** --target http://h:5005"},
		{[]string{"bench", "--key=s3cret=", "--project", "p"}, "posthaste bench --key=*** --project p"},
		{[]string{"bench", "--target=http://me:s3cret@h/"}, "posthaste bench --target=http://me:xxxxx@h/"},
		{[]string{"bench", "--target", "http://me:s3cret@h/"}, "posthaste bench --target http://me:xxxxx@h/"},
		{[]string{"bench", "--html", "my page's.html", ""}, `posthaste bench --html 'my page'\''s.html' ''`},
		{[]string{"bench", "--header", "Cookie: a", "--header=Cookie: b"}, "posthaste bench --header *** --header=***"},
		{[]string{"bench", "--key"}, "posthaste bench --key"},
	} {
		if got := benchCommand(c.args); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// Whoever waits an hour for figures learns at once that they cannot be written.
func TestBenchChecksItsFiles(t *testing.T) {
	code, _, stderr := posthaste("bench", "--out", "/nowhere/at/all.json")
	if code != exitUsage || !strings.Contains(stderr, "--out /nowhere/at/all.json: there is no directory") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
