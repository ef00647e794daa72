package transform

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	same    = `function transform(p) { return p }`
	forever = `function transform(p) { while (true) {} }`
	// stuck does not listen to interrupts.
	stuck = `function transform(p) { return /^(?=(a+))\1*(a+)+$/.test("a".repeat(40) + "b") }`
)

// theIdle is the runner's only idle process.
func theIdle(t *testing.T, r *Runner) *process {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.idle) != 1 {
		t.Fatalf("%d idle processes, want 1", len(r.idle))
	}
	return r.idle[0]
}

// cpuTime is what a process has had of the processors, in steps of 10 ms; an hour once it is gone.
func cpuTime(p *process) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	_, fields, ok := strings.Cut(string(text), ") ")
	if err != nil || !ok {
		return time.Hour
	}
	var user, system int64 // the 14th and the 15th of all
	if _, err := fmt.Sscanf(strings.Join(strings.Fields(fields)[11:13], " "), "%d %d", &user, &system); err != nil {
		return time.Hour
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

func mustRun(t *testing.T, r *Runner) {
	t.Helper()
	if got, err := run(t, r, same, `1`); err != nil || string(got.Payload) != "1" {
		t.Fatalf("%s, %v", got.Payload, err)
	}
}

func TestStartsOnDemandAndEndsWhenIdle(t *testing.T) {
	t.Parallel()
	r := setup(t, func(o *Options) { o.IdleTimeout = time.Millisecond })
	if started(r) != 0 {
		t.Error("a process before the first call")
	}
	mustRun(t, r)
	waitUntil(t, func() bool { return started(r) == 0 })
	mustRun(t, r)
}

// waitUntil waits for something that other goroutines do.
func waitUntil(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}

func TestDeathWhileIdle(t *testing.T) {
	t.Parallel()
	r := setup(t, nil)
	mustRun(t, r)
	p := theIdle(t, r)
	p.kill()
	<-p.gone
	mustRun(t, r)

	// Not yet noticed: the call finds out.
	p = theIdle(t, r)
	p.kill()
	<-p.gone
	p.gone = make(chan struct{})
	time.AfterFunc(10*time.Millisecond, func() { close(p.gone) })
	mustRun(t, r)
}

func TestDeathDuringCallIsNotTheFunctions(t *testing.T) {
	t.Parallel()
	r := setup(t, func(o *Options) { o.Timeout = MaxTimeout })
	mustRun(t, r)
	p := theIdle(t, r)
	before := cpuTime(p)
	go func() {
		for cpuTime(p) < before+50*time.Millisecond { // until the function runs
			time.Sleep(5 * time.Millisecond)
		}
		p.kill()
	}()
	_, err := run(t, r, forever, `1`)
	var own *Error
	if err == nil || errors.As(err, &own) || !strings.Contains(err.Error(), "killed") {
		t.Errorf("got %v", err)
	}
	mustRun(t, r)
}

func TestSignalsOfATerminalAreIgnored(t *testing.T) {
	t.Parallel()
	r := setup(t, nil)
	mustRun(t, r)
	p := theIdle(t, r)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if err := p.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, r)
	if theIdle(t, r) != p {
		t.Error("another process")
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	r := setup(t, func(o *Options) { o.Timeout = MaxTimeout })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := r.Run(ctx, Call{Function: forever, Payload: []byte(`1`)}); err != context.Canceled {
		t.Errorf("during a call: %v", err)
	}
	if _, err := r.Run(ctx, Call{Function: same, Payload: []byte(`1`)}); err != context.Canceled {
		t.Errorf("before a call: %v", err)
	}
	mustRun(t, r)

	r.slots <- struct{}{} // the only worker is busy
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := r.Run(ctx, Call{Function: same, Payload: []byte(`1`)}); err != context.Canceled {
		t.Errorf("while waiting: %v", err)
	}
	<-r.slots
}

func TestClose(t *testing.T) {
	t.Parallel()
	r := setup(t, func(o *Options) { o.Timeout, o.Workers = MaxTimeout, 2 })
	mustRun(t, r)
	var calls sync.WaitGroup
	for _, function := range []string{forever, stuck, same, same} { // the last two may wait for the first two
		calls.Go(func() {
			if _, err := run(t, r, function, `1`); err != ErrClosed && !(err == nil && function == same) {
				t.Errorf("during Close: %v", err)
			}
		})
	}
	waitUntil(t, func() bool { return len(r.slots) == 2 })
	var closes sync.WaitGroup
	for range 2 {
		closes.Go(r.Close)
	}
	closes.Wait()
	if started(r) != 0 {
		t.Error("a process outlives Close")
	}
	calls.Wait()
	if _, err := run(t, r, same, `1`); err != ErrClosed {
		t.Errorf("after Close: %v", err)
	}
	if err := r.Check(same); err != ErrClosed {
		t.Errorf("check after Close: %v", err)
	}
}

func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	r := setup(t, func(o *Options) { o.Workers = 2 })
	var calls sync.WaitGroup
	for i := range 8 {
		calls.Go(func() {
			for j := range 20 {
				n := fmt.Sprint(i*100 + j)
				got, err := run(t, r, `function transform(p) { return p + 1 }`, n+`.5`)
				if err != nil || string(got.Payload) != fmt.Sprint(i*100+j+1)+".5" {
					t.Errorf("%s: %s, %v", n, got.Payload, err)
				}
			}
		})
	}
	calls.Wait()
	if n := started(r); n > 2 {
		t.Errorf("%d processes, want at most 2", n)
	}
}

func TestManyFunctions(t *testing.T) {
	t.Parallel()
	r := setup(t, nil)
	for i := range 3 * maxCachedPrograms {
		got, err := run(t, r, fmt.Sprintf("/*%s*/ function transform(p) { return %d }", strings.Repeat("x", i*100), i), `1`)
		if err != nil || string(got.Payload) != fmt.Sprint(i) {
			t.Fatalf("%d: %s, %v", i, got.Payload, err)
		}
	}
}

func TestProgramsAreBounded(t *testing.T) {
	var p programs
	for i := range 3 * maxCachedPrograms {
		source := fmt.Sprintf("/*%s%d*/ function transform(p) {}", strings.Repeat("x", i*100), i)
		first, err := p.get(source)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := p.get(source); again != first {
			t.Fatal("compiled twice in a row")
		}
		if len(p.bySource) > maxCachedPrograms || p.bytes > maxCachedBytes {
			t.Fatalf("%d programs of %d bytes", len(p.bySource), p.bytes)
		}
	}
}

func TestBadCommands(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{
		{"/does/not/exist"},
		{"/bin/sh", "-c", "exit 0"},
		{"/bin/sh", "-c", "echo broken >&2; exit 1"},
		{"/bin/sh", "-c", "head -c 20 >/dev/null; kill -9 $$"},
		{"/bin/sh", "-c", "printf 'not a frame at all'; cat >/dev/null"},
	} {
		r := setup(t, func(o *Options) { o.Command = command })
		for range 2 {
			_, err := run(t, r, same, `1`)
			var own *Error
			if err == nil || errors.As(err, &own) {
				t.Errorf("%s: %v", command, err)
			}
			if strings.Contains(command[len(command)-1], "broken") && !strings.Contains(err.Error(), "broken") {
				t.Errorf("%s: %v does not say what the command said", command, err)
			}
		}
	}
}

func TestEnvironmentStaysOut(t *testing.T) {
	t.Parallel()
	r := setup(t, nil)
	mustRun(t, r)
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", theIdle(t, r).cmd.Process.Pid))
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc to look at")
	}
	if err != nil {
		t.Fatal(err)
	}
	if string(env) != "GOTRACEBACK=none\x00" {
		t.Errorf("the child knows %q", env)
	}
}

// TestChildEndsWithItsParent: the end of its input is enough, also during a call
// that does not listen.
func TestChildEndsWithItsParent(t *testing.T) {
	t.Parallel()
	for _, function := range []string{"", forever, stuck} {
		cmd := exec.Command(os.Args[0], childArg)
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if err := writeFrame(stdin, limits{TimeoutNanos: int64(time.Hour), MemoryBytes: 64 << 20, BodyBytes: 100}, nil); err != nil {
			t.Fatal(err)
		}
		if function != "" {
			if err := writeFrame(stdin, request{Function: function}, []byte(`1`)); err != nil {
				t.Fatal(err)
			}
		}
		if err := stdin.Close(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%q: %v", function, err)
		}
	}
}

func TestOptions(t *testing.T) {
	good := Options{Command: []string{"x"}}
	good.EnsureDefaults()
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Options){
		"Command":          func(o *Options) { o.Command = nil },
		"Workers":          func(o *Options) { o.Workers = -1 },
		"Timeout":          func(o *Options) { o.Timeout = time.Minute },
		"MemoryBytes":      func(o *Options) { o.MemoryBytes = 1 << 20 },
		"MaxPayloadBytes":  func(o *Options) { o.MaxPayloadBytes = 1 << 30 },
		"MaxFunctionBytes": func(o *Options) { o.MaxFunctionBytes = -1 },
		"IdleTimeout":      func(o *Options) { o.IdleTimeout = -1 },
	} {
		bad := good
		change(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
