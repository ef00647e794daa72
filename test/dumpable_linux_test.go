package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestMemoryIsKeptFromOthers: a server writes no core dump, and its files in /proc belong to
// root, also if it does not: other processes of its user read neither its memory nor its
// environment. The setting core-dumps changes that.
func TestMemoryIsKeptFromOthers(t *testing.T) {
	t.Parallel()
	const nobody = 65534
	for _, c := range []struct {
		args []string
		kept bool
	}{{nil, true}, {[]string{"--core-dumps"}, false}} {
		s := newServer(t, c.args...)
		if os.Getuid() == 0 { // root owns its files in any case
			for dir := s.dir; dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
				if err := os.Chmod(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chown(s.dir, nobody, nobody); err != nil {
				t.Fatal(err)
			}
			for dir := filepath.Dir(binary); dir != "/" && dir != os.TempDir(); dir = filepath.Dir(dir) {
				if err := os.Chmod(dir, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			s.user = &syscall.Credential{Uid: nobody, Gid: nobody}
		}
		s.start()
		proc := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
		info, err := os.Stat(proc + "environ")
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; (owner == 0) != c.kept {
			t.Errorf("%v: environ belongs to user %d", c.args, owner)
		}
		limits, err := os.ReadFile(proc + "limits")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(limits)) {
			fields := strings.Fields(strings.TrimPrefix(line, "Max core file size"))
			if len(fields) == 0 || !strings.HasPrefix(line, "Max core file size") {
				continue
			}
			if c.kept && (fields[0] != "0" || fields[1] != "0") {
				t.Errorf("%v: %s", c.args, line)
			}
		}
		// What it needs of /proc it still has: its own program, which runs functions, and
		// the count of its files.
		p := &project{server: s}
		p.path, p.key = s.project(nil)
		var tried struct{ Payload any }
		p.do("POST", "/subscriptions/test_function", object{"payload": object{"a": 1}, "function": "function transform(p) { return p }"}, &tried)
		if tried.Payload == nil {
			t.Errorf("%v: no function runs: %+v", c.args, tried)
		}
		s.stop()
	}
}
