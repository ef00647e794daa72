package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// adjustable builds the program once more, with a package time whose wall clock a test can set:
// the sources of GOROOT with two lines more in time.Now, laid over by go build -overlay. The
// machine's clock is not touched. It compiles the standard library and every dependency; the build
// cache keeps that.
var adjustable = sync.OnceValues(func() (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	goroot := strings.TrimSpace(string(root))
	dir := filepath.Dir(binary)
	original := filepath.Join(goroot, "src/time/time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	const now = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	patched := strings.Replace(string(source), now, now+"\tsec, nsec = testWall(sec, nsec)\n", 1)
	if patched == string(source) {
		return "", errNoNow
	}
	here, err := os.Getwd()
	if err != nil {
		return "", err
	}
	overlay := struct{ Replace map[string]string }{map[string]string{
		original: filepath.Join(dir, "time.go"),
		filepath.Join(goroot, "src/time/posthaste_offset.go"):             filepath.Join(here, "testdata/clock/time_offset.go.txt"),
		filepath.Join(filepath.Dir(here), "cmd/posthaste/test_offset.go"): filepath.Join(here, "testdata/clock/main_offset.go.txt"),
	}}
	raw, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	for path, text := range map[string][]byte{"time.go": []byte(patched), "overlay.json": raw} {
		if err := os.WriteFile(filepath.Join(dir, path), text, 0o600); err != nil {
			return "", err
		}
	}
	out := filepath.Join(dir, "posthaste-adjustable")
	build := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay.json"), "-o", out, "posthaste/cmd/posthaste")
	if text, err := build.CombinedOutput(); err != nil {
		return "", &buildError{err, string(text)}
	}
	return out, nil
})

type buildError struct {
	err  error
	text string
}

func (e *buildError) Error() string { return e.err.Error() + "\n" + e.text }

var errNoNow = &buildError{os.ErrNotExist, "time.Now of this Go reads otherwise: see adjustable"}

// wallClock is the wall clock of a server that runs the adjustable program.
type wallClock struct {
	t    *testing.T
	path string
	off  time.Duration
}

// setClock gives the server, which has not been started, a clock that the test sets.
func (s *server) setClock(off time.Duration) *wallClock {
	s.t.Helper()
	program, err := adjustable()
	if err != nil {
		s.t.Fatalf("build with a clock that can be set: %v", err)
	}
	c := &wallClock{t: s.t, path: filepath.Join(s.t.TempDir(), "clock")}
	s.program = program
	s.env = append(s.env, "TEST_CLOCK_FILE="+c.path)
	c.set(off)
	return c
}

// set sets the clock so far off the machine's.
func (c *wallClock) set(off time.Duration) {
	c.t.Helper()
	c.off = off
	next := c.path + ".next"
	if err := os.WriteFile(next, []byte(off.String()), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(next, c.path); err != nil {
		c.t.Fatal(err)
	}
}

// step sets the clock ahead, or back, and waits until the server has noticed.
func (c *wallClock) step(s *server, by time.Duration) {
	c.t.Helper()
	jumps := s.metric("posthaste_clock_jump_total")
	c.set(c.off + by)
	eventually(c.t, "the server notices that its clock was set by "+by.String(), func() bool {
		return s.metric("posthaste_clock_jump_total") == jumps+1
	})
}
