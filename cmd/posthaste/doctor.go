package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"posthaste/internal/app"
)

// doctorCmd examines a data directory. It writes nothing there.
type doctorCmd struct {
	Data string `env:"POSTHASTE_DATA" default:"./data" placeholder:"DIR" help:"Data directory (${default}). No server may have it open."`
	JSON bool   `name:"json" help:"One JSON object with all findings, for a program."`
}

// examination is one run of doctorCmd.
type examination struct {
	dir      string
	out      io.Writer // lines; nil collects only
	now      func() time.Time
	progress io.Writer
	told     time.Time // of the last progress, or the start

	worst    app.Level
	findings []app.Finding
}

// doctorReport is what --json prints.
type doctorReport struct {
	Verdict  app.Level      `json:"verdict"`
	ExitCode int            `json:"exit_code"`
	Findings []app.Finding  `json:"findings"`
	Kinds    []app.KindSize `json:"kinds"`
}

// Run prints what it finds, a verdict, and exits with 0 if all is well, 1 if there is
// something to know, and 74 if something is damaged or lost.
func (c *doctorCmd) Run(i *invocation) error {
	e := &examination{dir: c.Data, out: i.stdout, now: i.now, progress: i.stderr, told: i.now()}
	if c.JSON {
		e.out = nil
	}
	o, err := e.keys()
	if err != nil {
		return err
	}
	o.Report, o.Progress = e.report, e.tell
	kinds, err := app.Doctor(i.context(), o)
	if err != nil {
		return c.inUse(err)
	}
	verdict, failure := e.verdict()
	if c.JSON {
		out := json.NewEncoder(i.stdout)
		out.SetIndent("", "  ")
		r := doctorReport{Verdict: e.worst, Findings: e.findings, Kinds: kinds}
		if failure != nil {
			r.ExitCode = report(io.Discard, failure)
		}
		err = out.Encode(r)
	} else {
		_, err = fmt.Fprintln(i.stdout, verdict)
	}
	return errors.Join(err, failure)
}

// verdict is the last line, and how to exit.
func (e *examination) verdict() (string, error) {
	warnings, broken := 0, 0
	for _, f := range e.findings {
		switch f.Level {
		case app.Warning:
			warnings++
		case app.Broken:
			broken++
		}
	}
	switch e.worst {
	case app.Broken:
		text := fmt.Sprintf("BROKEN (%d). Do not start the server on it: keep a copy as it is, and bring the data back from a backup.", broken)
		return text, loggedError{fmt.Errorf("%w: %s", app.ErrStorage, text)}
	case app.Warning:
		text := fmt.Sprintf("All data is whole. Warnings: %d.", warnings)
		return text, loggedError{errors.New(text)}
	}
	return "All is well.", nil
}

func (e *examination) report(f app.Finding) {
	e.worst = max(e.worst, f.Level)
	e.findings = append(e.findings, f)
	if e.out == nil {
		return
	}
	level := f.Level.String()
	if f.Level == app.Broken {
		level = strings.ToUpper(level)
	}
	fmt.Fprintf(e.out, "%-8s %-16s %s\n", level, f.Check, clean(f.Text))
}

func (e *examination) find(check string, level app.Level, format string, args ...any) {
	e.report(app.Finding{Check: check, Level: level, Text: fmt.Sprintf(format, args...)})
}

// tellEvery is how often progress is told.
const tellEvery = 2 * time.Second

func (e *examination) tell(step string, done, total int64) {
	now := e.now()
	if now.Sub(e.told) < tellEvery {
		return
	}
	e.told = now
	if total > 0 {
		fmt.Fprintf(e.progress, "%s: %d %% of %d MiB\n", step, done*100/total, total>>20)
		return
	}
	fmt.Fprintf(e.progress, "%s: %d\n", step, done)
}

// keys examines the directory and the key files in it.
func (e *examination) keys() (o app.DoctorOptions, err error) {
	info, err := os.Stat(e.dir)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a directory", e.dir)
	}
	if err != nil {
		return o, fmt.Errorf("--data: %w", err)
	}
	o.DataDir = e.dir
	e.folder(info)
	if text, ok := e.keyFile(pepperFile, app.Broken, "without it no API key of the store works: bring it back from a backup"); ok {
		pepper, err := hex.DecodeString(text)
		if err != nil || len(pepper) != app.PepperBytes {
			e.find(pepperFile, app.Broken, "want %d hexadecimal digits: bring it back from a backup", 2*app.PepperBytes)
		} else {
			o.Pepper = pepper
			e.find(pepperFile, app.Fine, "%d bytes", len(pepper))
		}
	}
	if text, ok := e.keyFile(secretKeysFile, app.Broken, "without it no secret of the store opens: bring it back from a backup"); ok {
		o.SecretKeys = []byte(text)
		e.find(secretKeysFile, app.Fine, "%d characters", len(text))
	}
	if o.InstanceKey = os.Getenv(rootKeyVariable); o.InstanceKey != "" {
		e.find(instanceKeyFile, app.Fine, "the key of %s is used in its place", rootKeyVariable)
	} else if text, ok := e.keyFile(instanceKeyFile, app.Warning, "the next start makes a new one"); ok {
		o.InstanceKey = text
		e.find(instanceKeyFile, app.Fine, "%d characters", len(text))
	}
	return o, nil
}

func (e *examination) folder(info fs.FileInfo) {
	stat, known := info.Sys().(*syscall.Stat_t)
	switch mode := info.Mode().Perm(); {
	case mode&0o077 != 0:
		e.find("folder", app.Warning, "%s can be used by others (mode %04o), and it holds events and keys: chmod 700 %s", e.dir, mode, e.dir)
	case known && int(stat.Uid) != os.Geteuid():
		e.find("folder", app.Warning, "%s belongs to user %d: the server must run as that one", e.dir, stat.Uid)
	default:
		e.find("folder", app.Fine, "%s, mode %04o", e.dir, mode)
	}
}

// keyFile reads a key file. Where it cannot, it says so and what that means.
func (e *examination) keyFile(name string, missing app.Level, meaning string) (string, bool) {
	text, err := readKeyFile(filepath.Join(e.dir, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.find(name, missing, "it is missing; %s", meaning)
	case err != nil:
		e.find(name, app.Broken, "%v", err)
	}
	return text, err == nil
}

// inUse names the process that has the store open, if that is why it cannot be examined.
func (c *doctorCmd) inUse(err error) error {
	if !errors.Is(err, syscall.EAGAIN) {
		return err
	}
	if holder := lockHolder(filepath.Join(c.Data, "log", "LOCK")); holder != "" {
		return fmt.Errorf("%s is in use by %s: stop the server first", c.Data, holder)
	}
	return fmt.Errorf("%s is in use by another process: stop the server first", c.Data)
}
