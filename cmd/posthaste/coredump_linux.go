package main

import (
	"errors"
	"syscall"
)

// forbidCoreDumps keeps this process' memory, in which secrets are in clear, off the disk
// when it crashes, and away from other processes of the same user: no core file, none that
// is piped to a program either, and no /proc/PID/mem and environ for others than root. The
// processes that it starts may be looked at again; they have no secrets. Of its own metrics
// process_io_* are missing for it, unless it runs as root.
func forbidCoreDumps() error {
	limit := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	_, _, code := syscall.RawSyscall6(syscall.SYS_PRCTL, syscall.PR_SET_DUMPABLE, 0, 0, 0, 0, 0)
	if code != 0 {
		return errors.Join(limit, code)
	}
	return limit
}
