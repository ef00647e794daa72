package main

import (
	"context"
	"io"
	"os"
	"time"
)

// invocation is one run of this program: what it reads and writes, and what ends it.
type invocation struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	interactive    bool // somebody is there who can be asked
	location       *time.Location
	now            func() time.Time
	// signals makes the context that a signal ends. Only commands that can stop in good
	// order ask for it; a signal ends the others at once.
	signals func() (context.Context, context.CancelFunc)

	ctx  context.Context // nil until somebody asked
	ends []func()        // what to give back at the end
}

// newInvocation is the run that somebody started at a shell.
func newInvocation(stdout, stderr io.Writer) *invocation {
	return &invocation{
		stdin: os.Stdin, stdout: stdout, stderr: stderr, interactive: isTerminal(os.Stdin),
		location: time.Local, now: time.Now, signals: untilSignal,
	}
}

// context is done when the run is told to stop.
func (i *invocation) context() context.Context {
	if i.ctx == nil {
		ctx, stop := i.signals()
		i.ctx, i.ends = ctx, append(i.ends, stop)
	}
	return i.ctx
}

// close gives back what the run took.
func (i *invocation) close() {
	for _, end := range i.ends {
		end()
	}
}
