package transform

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// killGrace is how long after its time a call is waited for before its process
// is killed. The child should have ended by itself; a starved one may not.
const killGrace = 2 * time.Second

// process is a child as its parent sees it. It belongs to one call at a time, and
// to the Runner's list of idle ones in between.
type process struct {
	cmd    *exec.Cmd
	stdin  *os.File
	stdout *os.File
	reader *bufio.Reader
	stderr head
	idle   *time.Timer // ends it; set while it is in the list

	gone chan struct{} // closed when the process has ended and was waited for
	err  error         // how it ended, once gone is closed
}

// childEnv is all that a child knows of its environment: that a crash is to be
// told in a few lines.
var childEnv = []string{"GOTRACEBACK=none"}

// startProcess starts a child and sends it the limits. No signal is tied to the
// parent's end (Linux ties it to the thread that forked, and Go's threads may end
// sooner): the child notices the end of its input, even during a call.
func startProcess(command []string, limits limits) (*process, error) {
	childIn, stdin, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("transform: %w", err)
	}
	stdout, childOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("transform: %w", err), childIn.Close(), stdin.Close())
	}
	p := &process{
		cmd:    exec.Command(command[0], command[1:]...),
		stdin:  stdin,
		stdout: stdout,
		reader: bufio.NewReader(stdout),
		gone:   make(chan struct{}),
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = childIn, childOut, &p.stderr
	p.cmd.Env = childEnv
	p.cmd.WaitDelay = time.Second
	err = p.cmd.Start()
	_ = childIn.Close() // the child has its own
	_ = childOut.Close()
	if err != nil {
		p.close()
		return nil, fmt.Errorf("transform: start %s: %w", command[0], err)
	}
	// A pipe holds this much: no child has to read it yet.
	if err := writeFrame(stdin, limits, nil); err != nil {
		p.kill()
		_ = p.cmd.Wait()
		p.close()
		return nil, fmt.Errorf("transform: start %s: %w", command[0], err)
	}
	return p, nil
}

// errUnused means that the process ended before it could take a call.
var errUnused = errors.New("transform: the process ended before the call")

// do makes one call. The process is of use afterwards if again is true.
func (p *process) do(ctx context.Context, req *request, payload []byte, timeout time.Duration, maxBody int) (a *answer, result []byte, again bool, err error) {
	deadline := time.Now().Add(timeout + killGrace)
	_ = p.stdin.SetWriteDeadline(deadline)
	_ = p.stdout.SetReadDeadline(deadline)
	forget := context.AfterFunc(ctx, p.kill)
	defer func() { again = forget() && again }()

	if err := writeFrame(p.stdin, req, payload); err != nil {
		if errors.Is(err, syscall.EPIPE) && ctx.Err() == nil {
			err = errUnused
		}
		return nil, nil, false, p.failure(ctx, err)
	}
	a = &answer{}
	if result, err = readFrame(p.reader, a, maxBody); err != nil {
		return nil, nil, false, p.failure(ctx, err)
	}
	return a, result, !a.Last, nil
}

// crashed is the exit status of a Go program that its runtime ended.
const crashed = 2

// failure says why no answer came, once the process has ended.
func (p *process) failure(ctx context.Context, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errUnused) {
		defer time.AfterFunc(killGrace, p.kill).Stop() // it has closed its end, so it is about to end
	} else {
		p.kill()
	}
	<-p.gone
	said := p.stderr.String()
	line, _, _ := strings.Cut(said, "\n")
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return interruption(KindTimeout)
	case errors.Is(err, errUnused):
		return fmt.Errorf("%w: %v %s", err, p.err, line)
	case p.cmd.ProcessState.ExitCode() != crashed:
		return fmt.Errorf("transform: the process ended during a call: %v %s", p.err, line)
	case strings.HasPrefix(said, "panic:"):
		return fail(KindException, "the interpreter failed: %s", line)
	case strings.Contains(said, "stack overflow"):
		return fail(KindMemory, "is nested too deep")
	}
	// Memory is what a script can make Go's runtime run out of. It does not always
	// say so: where it needs some itself, it may read from address 0.
	return interruption(KindMemory)
}

// alive reports whether the process has not been seen to end.
func (p *process) alive() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// wait waits for the process. It is run once, by the Runner.
func (p *process) wait() {
	p.err = p.cmd.Wait()
	close(p.gone)
}

func (p *process) kill() { _ = p.cmd.Process.Kill() }

// close closes the parent's ends. Nobody may be using them.
func (p *process) close() {
	_ = p.stdin.Close()
	_ = p.stdout.Close()
}

// head keeps the beginning of what is written to it. One goroutine writes; it is
// read when the process is gone.
type head struct{ text []byte }

const maxHeadBytes = 4 << 10

func (h *head) Write(p []byte) (int, error) {
	h.text = append(h.text, p[:min(len(p), maxHeadBytes-len(h.text))]...)
	return len(p), nil
}

func (h *head) String() string { return string(h.text) }
