package transform

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// Limits of what options may say, and bounds that are not options.
const (
	MinMemoryBytes  = 16 << 20
	MaxTimeout      = 30 * time.Second
	MaxLogLines     = 100
	MaxLogBytes     = 16 << 10 // of all lines together
	MaxCallDepth    = 2000     // functions within functions
	maxPayloadBytes = 256 << 20
)

// Options are a Runner's. Zero fields take the default.
type Options struct {
	// Command is the program, and its arguments, that calls Serve with its
	// standard input and output; on Linux /proc/self/exe is the running program,
	// also once another was installed in its place. It gets an environment with
	// nothing of ours. Required.
	Command []string
	// Workers is how many children run at once; calls beyond it wait. Default:
	// the number of processors.
	Workers int
	// Timeout bounds one call. Default 1 s.
	Timeout time.Duration
	// MemoryBytes bounds what one call may keep alive. The child may take half as
	// much again while it collects garbage, and some 20 MiB for itself. Default
	// 64 MiB.
	MemoryBytes int64
	// MaxPayloadBytes bounds the payload, and the result. Default 1 MiB.
	MaxPayloadBytes int
	// MaxFunctionBytes bounds a function's source. Default 64 KiB.
	MaxFunctionBytes int
	// IdleTimeout is how long a child waits for another call before it ends.
	// Default 1 min.
	IdleTimeout time.Duration
}

// EnsureDefaults fills the fields that are zero.
func (o *Options) EnsureDefaults() {
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Timeout == 0 {
		o.Timeout = time.Second
	}
	if o.MemoryBytes == 0 {
		o.MemoryBytes = 64 << 20
	}
	if o.MaxPayloadBytes == 0 {
		o.MaxPayloadBytes = 1 << 20
	}
	if o.MaxFunctionBytes == 0 {
		o.MaxFunctionBytes = 64 << 10
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = time.Minute
	}
}

// Validate reports the first option that makes no sense.
func (o *Options) Validate() error {
	switch {
	case len(o.Command) == 0:
		return errors.New("transform: Command is not set")
	case o.Workers < 1:
		return fmt.Errorf("transform: Workers is %d, want at least 1", o.Workers)
	case o.Timeout < time.Millisecond || o.Timeout > MaxTimeout:
		return fmt.Errorf("transform: Timeout is %s, want 1ms to %s", o.Timeout, MaxTimeout)
	case o.MemoryBytes < MinMemoryBytes:
		return fmt.Errorf("transform: MemoryBytes is %d, want at least %d", o.MemoryBytes, MinMemoryBytes)
	case o.MaxPayloadBytes < 1 || o.MaxPayloadBytes > maxPayloadBytes:
		return fmt.Errorf("transform: MaxPayloadBytes is %d, want 1 to %d", o.MaxPayloadBytes, maxPayloadBytes)
	case o.MaxFunctionBytes < 1 || o.MaxFunctionBytes > 1<<20:
		return fmt.Errorf("transform: MaxFunctionBytes is %d, want 1 to %d", o.MaxFunctionBytes, 1<<20)
	case o.IdleTimeout < 0:
		return fmt.Errorf("transform: IdleTimeout is %s, want none below 0", o.IdleTimeout)
	}
	return nil
}
