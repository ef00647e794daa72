package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"

	"posthaste/internal/app"
)

// fakeServer starts and stops when told to, and says when it was asked.
type fakeServer struct {
	starting, stopping chan context.Context
	startErr, stopErr  chan error
}

func newFakeServer() *fakeServer {
	return &fakeServer{
		starting: make(chan context.Context, 1), stopping: make(chan context.Context, 1),
		startErr: make(chan error, 1), stopErr: make(chan error, 1),
	}
}

func (f *fakeServer) Start(ctx context.Context) error {
	f.starting <- ctx
	return <-f.startErr
}

func (f *fakeServer) Stop(ctx context.Context) error {
	f.stopping <- ctx
	return <-f.stopErr
}

// testRun is a runner at work, and what moves it.
type testRun struct {
	server  *fakeServer
	signals chan os.Signal
	fatal   chan error
	ready   chan struct{}
	result  chan error
}

func startRunner(t *testing.T) *testRun {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, leaks) })
	r := &testRun{
		server: newFakeServer(), signals: make(chan os.Signal, 3), fatal: make(chan error, 1),
		ready: make(chan struct{}), result: make(chan error, 1),
	}
	run := runner{
		server: r.server, signals: r.signals, fatal: r.fatal, timeout: time.Hour,
		ready: func() { close(r.ready) }, log: zerolog.Nop(),
	}
	go func() { r.result <- run.run() }()
	return r
}

// serving waits until the server serves.
func (r *testRun) serving() {
	r.server.startErr <- nil
	<-r.ready
}

func TestOneSignalStopsGracefully(t *testing.T) {
	r := startRunner(t)
	r.serving()
	r.signals <- syscall.SIGTERM
	ctx := <-r.server.stopping
	if ctx.Err() != nil {
		t.Error("attempts are cut short by the first signal")
	}
	if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > time.Hour {
		t.Errorf("deadline %v, %v; want the shutdown timeout", deadline, ok)
	}
	r.server.stopErr <- nil
	if err := <-r.result; err != nil {
		t.Error(err)
	}
}

func TestSecondSignalCutsShort(t *testing.T) {
	r := startRunner(t)
	r.serving()
	r.signals <- syscall.SIGTERM
	ctx := <-r.server.stopping
	r.signals <- syscall.SIGINT
	<-ctx.Done()
	r.server.stopErr <- nil
	if err := <-r.result; err != nil {
		t.Error(err)
	}
}

func TestThirdSignalLeaves(t *testing.T) {
	r := startRunner(t)
	r.serving()
	for range 3 {
		r.signals <- syscall.SIGTERM
	}
	if err := <-r.result; !errors.Is(err, errAbandoned) {
		t.Errorf("got %v, want %v", err, errAbandoned)
	}
	r.server.stopErr <- nil // Stop ends, or the test would leak
}

func TestStorageFailureStopsWithoutGrace(t *testing.T) {
	r := startRunner(t)
	r.serving()
	sync := errors.New("sync: input/output error")
	r.fatal <- sync
	ctx := <-r.server.stopping
	if ctx.Err() == nil {
		t.Error("the stop waits for attempts that cannot be recorded")
	}
	r.server.stopErr <- nil
	err := <-r.result
	if !errors.Is(err, app.ErrStorage) || !errors.Is(err, sync) {
		t.Errorf("got %v", err)
	}
	if code := report(io.Discard, loggedError{err}); code != exitStorage {
		t.Errorf("exit %d, want %d", code, exitStorage)
	}
}

// TestStorageFailureDuringStart: whoever finds it waits for the end of the process, so
// the start never returns.
func TestStorageFailureDuringStart(t *testing.T) {
	r := startRunner(t)
	<-r.server.starting
	damage := errors.New("000012.sst: damaged")
	r.fatal <- damage
	if err := <-r.result; !errors.Is(err, app.ErrStorage) || !errors.Is(err, damage) {
		t.Errorf("got %v", err)
	}
	r.server.startErr <- nil // Start ends, or the test would leak
}

// TestStorageFailureDuringStop: what the store holds up is not waited for, or the
// process would stay for good.
func TestStorageFailureDuringStop(t *testing.T) {
	for name, when := range map[string]func(r *testRun){
		"of a signal":  func(r *testRun) { r.signals <- syscall.SIGTERM; <-r.server.stopping; r.fatal <- io.ErrShortWrite },
		"of a failure": func(r *testRun) { r.fatal <- io.ErrShortWrite; <-r.server.stopping },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := startRunner(t)
				r.serving()
				when(r)
				err := <-r.result
				if !errors.Is(err, app.ErrStorage) || !errors.Is(err, io.ErrShortWrite) || !errors.Is(err, errStuck) {
					t.Errorf("got %v", err)
				}
				r.server.stopErr <- nil // Stop ends, or the test would leak
			})
		})
	}
}

func TestFailedStart(t *testing.T) {
	r := startRunner(t)
	refused := errors.New("address in use")
	r.server.startErr <- refused
	if err := <-r.result; !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
}

func TestSignalDuringStart(t *testing.T) {
	for name, startErr := range map[string]error{
		"gives up":      fmt.Errorf("recovery: %w", context.Canceled),
		"just finished": nil,
	} {
		t.Run(name, func(t *testing.T) {
			r := startRunner(t)
			ctx := <-r.server.starting
			r.signals <- syscall.SIGTERM
			<-ctx.Done()
			r.server.startErr <- startErr
			<-r.server.stopping
			r.server.stopErr <- nil
			if err := <-r.result; err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("fails", func(t *testing.T) {
		r := startRunner(t)
		r.signals <- syscall.SIGTERM
		<-(<-r.server.starting).Done()
		r.server.startErr <- app.ErrStorage
		if err := <-r.result; !errors.Is(err, app.ErrStorage) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("twice", func(t *testing.T) {
		r := startRunner(t)
		r.signals <- syscall.SIGTERM
		r.signals <- syscall.SIGTERM
		if err := <-r.result; !errors.Is(err, errAbandoned) {
			t.Errorf("got %v", err)
		}
		r.server.startErr <- nil
	})
}

func TestReport(t *testing.T) {
	storage := fmt.Errorf("%w: sync", app.ErrStorage)
	for _, c := range []struct {
		name  string
		err   error
		want  int
		shown bool
	}{
		{"nil", nil, exitOK, false},
		{"error", errors.New("no"), exitError, true},
		{"usage", usageError{errors.New("no")}, exitUsage, true},
		{"storage", storage, exitStorage, true},
		{"logged", loggedError{errors.New("no")}, exitError, false},
		{"logged storage", loggedError{storage}, exitStorage, false},
	} {
		var stderr bytes.Buffer
		if got := report(&stderr, c.err); got != c.want {
			t.Errorf("%s: exit %d, want %d", c.name, got, c.want)
		}
		if shown := stderr.Len() > 0; shown != c.shown {
			t.Errorf("%s: printed %q", c.name, &stderr)
		}
	}
}

func TestCommandLine(t *testing.T) {
	cleanEnvironment(t)
	for _, c := range []struct {
		args []string
		code int
		want string // in what is printed, wherever
	}{
		{[]string{"version"}, exitOK, "posthaste "},
		{nil, exitUsage, "listen"},
		{[]string{"serv"}, exitUsage, "\"serve\""},
		{[]string{"log", "dump", "--limit=-1"}, exitUsage, "--limit"},
	} {
		code, stdout, stderr := posthaste(c.args...)
		if code != c.code || !strings.Contains(stdout+stderr, c.want) {
			t.Errorf("%v: exit %d, %s%s", c.args, code, stdout, stderr)
		}
	}
}

func TestLogger(t *testing.T) {
	for _, c := range []struct {
		level, format string
		want, never   string
	}{
		{"info", "auto", `"msg":"seen"`, "hidden"}, // a buffer is no terminal
		{"info", "json", `"level":"warn"`, "hidden"},
		{"debug", "json", `"msg":"hidden"`, "\x1b["},
		{"info", "console", "WRN seen", "\x1b["},
	} {
		var out bytes.Buffer
		log, err := newLogger(&out, c.level, c.format)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug().Msg("hidden")
		log.Warn().Msg("seen")
		if got := out.String(); !strings.Contains(got, c.want) || strings.Contains(got, c.never) {
			t.Errorf("%s %s: %q", c.level, c.format, got)
		}
	}
	if _, err := newLogger(io.Discard, "loud", "json"); err == nil {
		t.Error("no error for an unknown level")
	}
}
