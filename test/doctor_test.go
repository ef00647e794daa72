package test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// doctor runs posthaste doctor on a server's data folder.
func (s *server) doctor(args ...string) (code int, stdout string) {
	s.t.Helper()
	cmd := exec.Command(binary, append([]string{"doctor", "--data", s.dir}, args...)...)
	cmd.Env = append(os.Environ(), "POSTHASTE_ROOT_KEY="+rootKey)
	var out, failed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &failed
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String() + failed.String()
}

// filled is a server with events in tables, which is stopped.
func filled(t *testing.T) (s *server, project, key string, ids []string) {
	recv := newReceiver(t)
	s = newServer(t)
	if err := os.Chmod(s.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.start()
	project, key = s.project(nil)
	ep := s.endpoint(project, key, recv.URL, nil)
	for n := range 200 {
		var ev struct{ UID string }
		s.must(key, "POST", project+"/events", object{"endpoint_id": ep, "event_type": "t", "data": object{"n": n, "pad": strings.Repeat(rand.Text(), 24)}}, &ev)
		ids = append(ids, ev.UID)
	}
	s.stop()
	return s, project, key, ids
}

// stored are the files of a server's store with an ending, largest first.
func (s *server) stored(ending string) []string {
	s.t.Helper()
	names, err := filepath.Glob(filepath.Join(s.dir, "log", "*"+ending))
	if err != nil || len(names) == 0 {
		s.t.Fatalf("no %s: %v", ending, err)
	}
	slices.SortFunc(names, func(a, b string) int { return int(size(s.t, b) - size(s.t, a)) })
	return names
}

func size(t *testing.T, path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// flip flips a bit two thirds into a file: of values that is behind the catalog's.
func flip(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)*2/3] ^= 8
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// runToEnd starts the program and waits until it ends by itself, or asks after it.
func (s *server) runToEnd(ask func()) (code int) {
	s.t.Helper()
	args := append([]string{"serve", "--data", s.dir, "--listen", s.api, "--admin-listen", s.admin, "--console-listen", "", "--egress-allow", "127.0.0.0/8", "--log-format", "json"}, s.args...)
	s.cmd = exec.Command(binary, args...)
	s.cmd.Env = append(os.Environ(), "POSTHASTE_ROOT_KEY="+rootKey)
	s.log = &bytes.Buffer{}
	s.cmd.Stderr = s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	deadline := time.After(patience)
	for tick := time.NewTicker(10 * time.Millisecond); ; <-tick.C {
		select {
		case <-ended:
			return s.cmd.ProcessState.ExitCode()
		case <-deadline:
			_ = s.cmd.Process.Kill()
			<-ended
			s.t.Fatalf("it neither ended nor gave up:\n%s", s.log)
		default:
			ask()
		}
	}
}

func TestDoctorOfAWholeStore(t *testing.T) {
	s, _, _, _ := filled(t)
	code, out := s.doctor()
	if code != 0 || !strings.Contains(out, "All is well.") || strings.Contains(out, "warning") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	t.Logf("\n%s", out)
	code, out = s.doctor("--json")
	var report struct {
		Verdict  string
		Findings []struct{ Check, Level, Text string }
		Kinds    []struct {
			Kind    string
			Records int
		}
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 || report.Verdict != "ok" || len(report.Findings) < 10 || len(report.Kinds) < 5 {
		t.Errorf("exit %d, %v:\n%s", code, err, out)
	}
	for _, k := range report.Kinds {
		if k.Kind == "event" && k.Records != 200 {
			t.Errorf("%d events", k.Records)
		}
	}
	s.start()
	code, out = s.doctor()
	if want := fmt.Sprintf("process %d", s.cmd.Process.Pid); code != 1 || !strings.Contains(out, want) {
		t.Errorf("on a running server: exit %d:\n%s", code, out)
	}
	s.kill()
	if code, out = s.doctor(); code != 0 {
		t.Errorf("after a kill: exit %d:\n%s", code, out)
	}
}

// TestDamagedValues: the server starts on a store whose values are damaged, for it does
// not read them all. Who asks for one gets an error, and the log says which.
func TestDamagedValues(t *testing.T) {
	s, project, key, ids := filled(t)
	damaged := s.stored(".blob")[0]
	flip(t, damaged)
	name := filepath.Base(damaged)

	code, out := s.doctor()
	if code != 74 || !strings.Contains(out, name) || !strings.Contains(out, "BROKEN") || !strings.Contains(out, "backup") {
		t.Errorf("doctor: exit %d:\n%s", code, out)
	}
	t.Logf("\n%s", out)
	s.start()
	failed := 0
	for _, id := range ids {
		switch code, _ := s.call(key, "GET", project+"/events/"+id, nil); code {
		case http.StatusOK:
		case http.StatusInternalServerError:
			failed++
		default:
			t.Errorf("event %s: %d", id, code)
		}
	}
	if failed == 0 || failed == len(ids) {
		t.Errorf("%d of %d events cannot be read", failed, len(ids))
	}
	s.stop()
	if log := s.log.String(); strings.Count(log, "posthaste doctor") < failed || !strings.Contains(log, "corrupt record at key 45") {
		t.Errorf("the log:\n%s", log)
	}
}

// TestDamagedTables: a table that is read only when somebody asks is found then, and the
// server stops rather than go on with such a disk.
func TestDamagedTables(t *testing.T) {
	s, project, key, _ := filled(t)
	for _, table := range s.stored(".sst") {
		flip(t, table)
	}
	code := s.runToEnd(func() {
		req, err := http.NewRequest("GET", "http://"+s.api+project+"/eventdeliveries", nil)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+key)
		c := http.Client{Timeout: time.Second}
		if resp, err := c.Do(req); err == nil {
			resp.Body.Close()
		}
	})
	if log := s.log.String(); code != 74 || !strings.Contains(log, ".sst") || !strings.Contains(log, "posthaste doctor") {
		t.Errorf("serve: exit %d:\n%s", code, log)
	}
	if code, out := s.doctor(); code != 74 || !strings.Contains(out, ".sst of level") {
		t.Errorf("doctor: exit %d:\n%s", code, out)
	}
}

// TestDamagedStoreDoesNotStart: what the start reads, or looks at, is damaged.
func TestDamagedStoreDoesNotStart(t *testing.T) {
	s, _, _, _ := filled(t)
	names, err := filepath.Glob(filepath.Join(s.dir, "log", "*"))
	if err != nil {
		t.Fatal(err)
	}
	whole := map[string][]byte{}
	for _, name := range names {
		if whole[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what, file string
		damage     func(path string)
	}{
		{"a bit of the manifest", s.stored("MANIFEST-*")[0], func(path string) { flip(t, path) }},
		{"the end of the manifest", s.stored("MANIFEST-*")[0], func(path string) { truncate(t, path, size(t, path)-9) }},
		{"a table cut off", s.stored(".sst")[0], func(path string) { truncate(t, path, size(t, path)/2) }},
		{"a table of zeros", s.stored(".sst")[0], func(path string) { zero(t, path) }},
		{"a table that is gone", s.stored(".sst")[0], func(path string) { remove(t, path) }},
		{"the state", s.stored("STATE")[0], func(path string) { flip(t, path) }},
	} {
		c.damage(c.file)
		code := s.runToEnd(func() {})
		number := strings.TrimLeft(strings.TrimSuffix(filepath.Base(c.file), ".sst"), "0")
		if code != 74 || !strings.Contains(s.log.String(), number) {
			t.Errorf("%s: serve: exit %d:\n%s", c.what, code, s.log)
		}
		code, out := s.doctor()
		if code != 74 || !strings.Contains(out, number) {
			t.Errorf("%s: doctor: exit %d:\n%s", c.what, code, out)
		}
		for _, name := range s.stored("*") {
			if whole[name] == nil {
				remove(t, name)
			}
		}
		for name, data := range whole {
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if code, out := s.doctor(); code != 0 {
		t.Errorf("restored: exit %d:\n%s", code, out)
	}
}

func truncate(t *testing.T, path string, n int64) {
	t.Helper()
	if err := os.Truncate(path, n); err != nil {
		t.Fatal(err)
	}
}

func zero(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, make([]byte, size(t, path)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
