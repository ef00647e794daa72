package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var rewrite = flag.Bool("rewrite", false, "write the scripts in testdata/cli anew, with what happens")

// testNow is the time of the tests, and testZone where they are: an hour ahead of UTC.
var (
	testNow  = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	testZone = time.FixedZone("CET", 3600)
)

const testProject = "01KAM4Z8V1V6W3J7C2Q9RZB5PR"

// TestScripts runs the commands of testdata/cli against a server that plays a part. In a
// script a line begins with what it is:
//
//	#  text          the name of the case that begins
//	%  NAME=value    a variable of the environment; "stdin" is typed at a terminal
//	$  arguments     the command
//	>  request       what the server is asked, and the body
//	<  code JSON     what it answers; a header may stand between, as Name:value
//	|  text          what is printed
//	!  text          what is printed beside it, on stderr
//	=  code          the exit code, if it is not 0
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/cli/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) { runScript(t, path) })
	}
}

func runScript(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var played strings.Builder
	for i, part := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		c := parseCase(part)
		if i > 0 {
			played.WriteString("\n")
		}
		t.Run(c.name, func(t *testing.T) {
			got := c.play(t)
			played.WriteString(got)
			if !*rewrite && strings.TrimSpace(got) != strings.TrimSpace(part) {
				t.Errorf("got:\n%s\nwant:\n%s", got, part)
			}
		})
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(played.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// scriptCase is one command of a script and what leads to it.
type scriptCase struct {
	name    string
	given   []string // the lines that are not outcomes
	env     map[string]string
	args    []string
	answers []string
}

func parseCase(text string) *scriptCase {
	c := &scriptCase{env: map[string]string{}}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "#":
			c.name = rest
		case "%":
			name, value, _ := strings.Cut(rest, "=")
			c.env[name] = value
		case "$":
			c.args = splitArgs(rest)
		case "<":
			c.answers = append(c.answers, rest)
			continue
		default:
			continue
		}
		c.given = append(c.given, line)
	}
	return c
}

// splitArgs splits as a shell does, with single quotes only.
func splitArgs(text string) []string {
	var args []string
	var b strings.Builder
	quoted, any := false, false
	for _, r := range text {
		switch {
		case r == '\'':
			quoted, any = !quoted, true
		case r == ' ' && !quoted:
			if any {
				args = append(args, b.String())
			}
			b.Reset()
			any = false
		default:
			b.WriteRune(r)
			any = true
		}
	}
	if any {
		args = append(args, b.String())
	}
	return args
}

// play runs the case and writes it down with what happened.
func (c *scriptCase) play(t *testing.T) string {
	cleanEnvironment(t)
	server := &playedServer{answers: c.answers}
	listener := httptest.NewServer(server)
	defer listener.Close()
	t.Setenv("POSTHASTE_SERVER", listener.URL)
	t.Setenv("POSTHASTE_KEY", "k3y")
	t.Setenv("POSTHASTE_PROJECT", testProject)
	var stdout, stderr bytes.Buffer
	run := testInvocation(&stdout, &stderr)
	for name, value := range c.env {
		if name == "stdin" {
			run.stdin, run.interactive = strings.NewReader(value+"\n"), true
			continue
		}
		t.Setenv(name, value)
	}
	code := run.run(c.args)
	var b strings.Builder
	for _, line := range c.given {
		b.WriteString(line + "\n")
	}
	b.WriteString(server.log.String())
	for line := range strings.Lines(stdout.String()) {
		b.WriteString(strings.TrimRight("| "+line, "\n ") + "\n")
	}
	for line := range strings.Lines(strings.ReplaceAll(stderr.String(), listener.URL, "SERVER")) {
		b.WriteString(strings.TrimRight("! "+line, "\n ") + "\n")
	}
	if code != exitOK {
		fmt.Fprintf(&b, "= %d\n", code)
	}
	if len(server.answers) > 0 {
		t.Errorf("%d answers were not asked for", len(server.answers))
	}
	return b.String()
}

// testInvocation is a run in a test: at testNow, and with nobody to be asked.
func testInvocation(stdout, stderr io.Writer) *invocation {
	return &invocation{
		stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, location: testZone,
		now:     func() time.Time { return testNow },
		signals: func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) },
	}
}

// playedServer gives one answer after the other, and writes down what it is asked.
type playedServer struct {
	mu      sync.Mutex
	answers []string
	log     strings.Builder
}

func (p *playedServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	line := "> " + r.Method + " " + r.URL.RequestURI()
	if key := r.Header.Get("Authorization"); key != "Bearer k3y" {
		line += " [" + key + "]"
	}
	for part := range strings.Lines(string(body)) {
		line += " " + strings.TrimRight(part, "\n")
	}
	p.log.WriteString(line + "\n")
	if len(p.answers) == 0 {
		http.Error(w, `{"status":false,"message":"nobody expected this request"}`, http.StatusTeapot)
		return
	}
	answer := p.answers[0]
	p.answers = p.answers[1:]
	p.log.WriteString("< " + answer + "\n")
	code, rest, _ := strings.Cut(answer, " ")
	for {
		name, after, found := strings.Cut(rest, ":")
		if !found || strings.ContainsAny(name, `{" `) {
			break
		}
		var value string
		value, rest, _ = strings.Cut(after, " ")
		w.Header().Set(name, value)
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	var status int
	fmt.Sscan(code, &status)
	w.WriteHeader(status)
	io.WriteString(w, rest)
}
