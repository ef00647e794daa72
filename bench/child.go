package bench

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// child is a process that this one started and ends.
type child struct {
	name   string
	cmd    *exec.Cmd
	errs   *tail         // its stderr
	exited chan struct{} // closed when it has ended and err is set
	err    error
}

// newCommand prepares a command that is killed when ctx is done. Variables that
// configure the server are not inherited, so that a measurement depends on its
// flags alone.
func newCommand(ctx context.Context, binary string, args ...string) (*exec.Cmd, *tail) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.WaitDelay = stopTimeout
	cmd.SysProcAttr = childAttr()
	for _, v := range cmd.Environ() {
		if !strings.HasPrefix(v, "POSTHASTE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	errs := new(tail)
	cmd.Stderr = errs
	return cmd, errs
}

// start starts cmd. Exactly one of watch and wait follows.
func start(name string, cmd *exec.Cmd, errs *tail) (*child, error) {
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return &child{name: name, cmd: cmd, errs: errs, exited: make(chan struct{})}, nil
}

// pid is the id of the process.
func (c *child) pid() int { return c.cmd.Process.Pid }

// watch waits for the end of the process in a goroutine, which ends with it.
func (c *child) watch() {
	go c.wait()
}

func (c *child) wait() {
	if err := c.cmd.Wait(); err != nil {
		c.err = c.explain(err)
	}
	close(c.exited)
}

// terminate asks the process to stop, kills it if it has not by the timeout, and
// returns how it ended. The process is being watched.
func (c *child) terminate(timeout time.Duration) error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-c.exited:
		return c.err
	case <-timer.C:
	}
	_ = c.cmd.Process.Kill()
	<-c.exited
	return c.explain(fmt.Errorf("killed: it did not stop within %s", timeout))
}

// hangUp closes the process's stdin, which ends a role, and returns how it ended.
func (c *child) hangUp(stdin io.Closer) error {
	_ = stdin.Close()
	timer := time.AfterFunc(2*stopTimeout, func() { _ = c.cmd.Process.Kill() })
	defer timer.Stop()
	c.wait()
	return c.err
}

// explain adds the process's name and last words to an error.
func (c *child) explain(err error) error {
	if text := c.errs.String(); text != "" {
		return fmt.Errorf("%s: %w; its last output:\n%s", c.name, err, text)
	}
	return fmt.Errorf("%s: %w", c.name, err)
}
