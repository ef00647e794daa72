package bench

import "syscall"

// childAttr puts a child in a process group of its own, so that an interrupt
// typed at the terminal reaches only its parent, and has the kernel end it when
// the parent dies.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
