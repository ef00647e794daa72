package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A flag counts for more than a variable, and a file that is named for more than the
// key's variable.
func TestRemotePrecedence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte("from-file\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"variables", nil, "from-env project-env"},
		{"key", []string{"--key", "from-flag"}, "from-flag project-env"},
		{"key file", []string{"--key-file", path}, "from-file project-env"},
		{"project", []string{"--project", testProject}, "from-env " + testProject},
	} {
		t.Run(c.name, func(t *testing.T) {
			cleanEnvironment(t)
			var got string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/api/v1/projects" {
					io.WriteString(w, `{"status":true,"message":"m","data":[{"uid":"project-env","name":"named"}]}`)
					return
				}
				part := strings.Split(r.URL.Path, "/")
				got = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") + " " + part[4]
				io.WriteString(w, `{"status":true,"message":"m","data":{"content":[]}}`)
			}))
			defer server.Close()
			t.Setenv("POSTHASTE_SERVER", server.URL)
			t.Setenv("POSTHASTE_KEY", "from-env")
			t.Setenv("POSTHASTE_PROJECT", "named")
			code, _, stderr := posthaste(append([]string{"endpoint", "list"}, c.args...)...)
			if code != exitOK || got != c.want {
				t.Errorf("exit %d, asked with %q, want %q: %s", code, got, c.want, stderr)
			}
		})
	}
	cleanEnvironment(t)
	t.Setenv("POSTHASTE_SERVER", "http://127.0.0.1:1")
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	if _, _, stderr := posthaste("project", "list", "--server", server.URL); !strings.Contains(stderr, "404") {
		t.Errorf("--server did not count for more than its variable: %s", stderr)
	}
}

func TestNobodyListens(t *testing.T) {
	cleanEnvironment(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + l.Addr().String()
	l.Close()
	code, _, stderr := posthaste("--server", url, "project", "list")
	for _, want := range []string{"connection refused", url, "posthaste serve", "--server", "POSTHASTE_SERVER"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("no %q in %s", want, stderr)
		}
	}
	if code != exitError {
		t.Errorf("exit %d", code)
	}
}

func TestServerIsSlow(t *testing.T) {
	cleanEnvironment(t)
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-done }))
	defer server.Close()
	defer close(done)
	code, _, stderr := posthaste("--server", server.URL, "--timeout=50ms", "project", "list")
	if code != exitError || !strings.Contains(stderr, "--timeout") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

func TestAfterCommand(t *testing.T) {
	for in, want := range map[string]string{
		"project list --json":               "project list --json",
		"--json project list":               "project --json list",
		"--server x --key=y project list":   "project --server x --key=y list",
		"--help":                            "--help",
		"--json":                            "--json",
		"--server":                          "--server",
		"--unknown --json project":          "--unknown --json project",
		"--utc --timeout 3s send --owner a": "send --utc --timeout 3s --owner a",
	} {
		if got := strings.Join(afterCommand(strings.Fields(in)), " "); got != want {
			t.Errorf("%s becomes %s, want %s", in, got, want)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-21":                "2026-11-20T23:00:00Z",
		"2026-11-21T08:30":          "2026-11-21T07:30:00Z",
		"2026-11-21 08:30:05":       "2026-11-21T07:30:05Z",
		"2026-11-21T08:30:00Z":      "2026-11-21T08:30:00Z",
		"2026-11-21T08:30:00-05:00": "2026-11-21T13:30:00Z",
		"90m":                       "2026-11-21T10:30:00Z",
		"7d":                        "2026-11-14T12:00:00Z",
		"1d12h":                     "2026-11-20T00:00:00Z",
	} {
		got, err := parseTime(text, testNow, testZone)
		if err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s is %v, %v; want %s", text, got.UTC(), err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "-2h", "99999999999d", "2026-13-01", "d"} {
		if got, err := parseTime(text, testNow, testZone); err == nil {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
}

// jobServer has one job, which goes on until it is cancelled. The request that starts it
// is answered when it has ended.
type jobServer struct {
	mu    sync.Mutex
	state string // "" before the start
	seen  int    // how often the job was asked for
	ended chan struct{}
	asked chan struct{} // closed when the job was seen running
}

func (j *jobServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/projects/"+testProject)
	if path == "/events/batchreplay" {
		j.mu.Lock()
		j.state = "running"
		j.mu.Unlock()
		select {
		case <-j.ended:
		case <-r.Context().Done():
		}
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	job := `{"uid":"j1","kind":"batch_replay","state":"` + j.state + `","total":9,"done":4}`
	switch {
	case path == "/events/countbatchreplayevents":
		io.WriteString(w, `{"status":true,"message":"m","data":{"num":9}}`)
	case path == "/jobs" && j.state == "":
		io.WriteString(w, `{"status":true,"message":"m","data":{"content":[]}}`)
	case path == "/jobs":
		io.WriteString(w, `{"status":true,"message":"m","data":{"content":[`+job+`]}}`)
	case path == "/jobs/j1/cancel":
		job = strings.Replace(job, "running", "cancelled", 1)
		fallthrough
	default:
		if j.seen++; j.seen == 1 {
			close(j.asked)
		}
		io.WriteString(w, `{"status":true,"message":"m","data":`+job+`}`)
	}
}

// A job is found while the request that starts it waits, and a signal cancels it.
func TestReplayIsInterrupted(t *testing.T) {
	cleanEnvironment(t)
	j := &jobServer{ended: make(chan struct{}), asked: make(chan struct{})}
	server := httptest.NewServer(j)
	defer server.Close()
	defer close(j.ended)
	var stdout, stderr bytes.Buffer
	run := testInvocation(&stdout, &stderr)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	run.signals = func() (context.Context, context.CancelFunc) { return ctx, cancel }
	go func() { <-j.asked; cancel() }()
	code := run.run([]string{"replay", "--since", "1h", "--yes", "--server", server.URL, "--project", testProject})
	if code != exitError || !strings.Contains(stdout.String(), "Job j1 is cancelled: 4 of 9 done") || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit %d: %s%s", code, &stdout, &stderr)
	}
}
