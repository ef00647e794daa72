package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"posthaste/internal/app"
)

// examined is what the examination of the folder and its keys finds, by check.
func examined(t *testing.T, dir string) map[string]app.Finding {
	t.Helper()
	e := &examination{dir: dir, now: time.Now}
	if _, err := e.keys(); err != nil {
		t.Fatal(err)
	}
	found := map[string]app.Finding{}
	for _, f := range e.findings {
		found[f.Check] = f
	}
	return found
}

func TestDoctorOfKeys(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := openSecrets(dir, ""); err != nil {
		t.Fatal(err)
	}
	for check, f := range examined(t, dir) {
		if f.Level != app.Fine {
			t.Errorf("%s: %+v", check, f)
		}
	}
	for _, c := range []struct {
		what, check, want string
		level             app.Level
		change            func(path string) error
	}{
		{"cut short", pepperFile, "hexadecimal digits", app.Broken, func(path string) error { return os.Truncate(path, 20) }},
		{"missing", pepperFile, "no API key", app.Broken, os.Remove},
		{"empty", instanceKeyFile, "damaged", app.Broken, func(path string) error { return os.Truncate(path, 0) }},
		{"missing", instanceKeyFile, "new one", app.Warning, os.Remove},
		{"open to others", secretKeysFile, "chmod 600", app.Broken, func(path string) error { return os.Chmod(path, 0o644) }},
		{"missing", secretKeysFile, "backup", app.Broken, os.Remove},
	} {
		if err := c.change(filepath.Join(dir, c.check)); err != nil {
			t.Fatal(err)
		}
		if f := examined(t, dir)[c.check]; f.Level != c.level || !strings.Contains(f.Text, c.want) {
			t.Errorf("%s %s: %+v", c.check, c.what, f)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if f := examined(t, dir)["folder"]; f.Level != app.Warning || !strings.Contains(f.Text, "chmod 700") {
		t.Errorf("%+v", f)
	}
}

func TestDoctorWithoutAStore(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ dir, want string }{{filepath.Join(dir, "nowhere"), "no such file"}, {dir, "log"}} {
		code, _, stderr := posthaste("doctor", "--data", c.dir)
		if code != exitError || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit %d: %s", c.dir, code, stderr)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("doctor left %v, %v", left, err)
	}
}

func TestDoctorVerdicts(t *testing.T) {
	for level, want := range map[app.Level]int{app.Fine: exitOK, app.Warning: exitError, app.Broken: exitStorage} {
		var out bytes.Buffer
		e := &examination{out: &out, now: time.Now}
		e.find("a check", level, "line one\x1b[2J")
		verdict, err := e.verdict()
		if code := report(&out, err); code != want || verdict == "" || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%v: exit %d, %q, %q", level, code, verdict, out.String())
		}
	}
}

func TestDoctorTellsProgress(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	e := &examination{progress: &out, now: func() time.Time { return now }, told: now}
	e.tell("tables", 1<<20, 4<<20)
	now = now.Add(tellEvery)
	e.tell("tables", 2<<20, 4<<20)
	e.tell("tables", 3<<20, 4<<20)
	now = now.Add(tellEvery)
	e.tell("records", 65536, 0)
	if want := "tables: 50 % of 4 MiB\nrecords: 65536\n"; out.String() != want {
		t.Errorf("%q", out.String())
	}
}

func TestLockHolder(t *testing.T) {
	const locks = "1: FLOCK  ADVISORY  WRITE 12 08:01:77 0 EOF\n2: POSIX  ADVISORY  WRITE 1 08:01:177 0 EOF\n3: POSIX  ADVISORY  WRITE 999999999 08:01:77 0 EOF\n"
	if got := holderIn(locks, 77); got != "process 999999999" {
		t.Errorf("got %q", got)
	}
	if got := holderIn(locks, 7); got != "" {
		t.Errorf("got %q", got)
	}
}
