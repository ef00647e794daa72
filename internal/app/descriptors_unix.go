//go:build unix

package app

import "syscall"

// descriptorLimit is how many files the process may have open. The runtime has raised it as far as
// it may.
func descriptorLimit() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return unlimited
	}
	return uint64(r.Cur) // an int64 on some systems
}
