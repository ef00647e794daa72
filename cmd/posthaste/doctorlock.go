package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// lockHolder names the process that has a lock on a file, as Linux tells it in /proc; ""
// if that cannot be found out.
func lockHolder(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	locks, err := os.ReadFile("/proc/locks")
	if err != nil {
		return ""
	}
	return holderIn(string(locks), stat.Ino)
}

// holderIn finds the holder of a lock on an inode in the text of /proc/locks:
//
//	1: POSIX  ADVISORY  WRITE 4711 08:01:131073 0 EOF
func holderIn(locks string, inode uint64) string {
	for line := range strings.Lines(locks) {
		f := strings.Fields(line)
		if len(f) < 6 || f[1] != "POSIX" || !strings.HasSuffix(f[5], fmt.Sprintf(":%d", inode)) {
			continue
		}
		name, err := os.ReadFile("/proc/" + f[4] + "/comm")
		if err != nil {
			return "process " + f[4]
		}
		return fmt.Sprintf("process %s (%s)", f[4], strings.TrimSpace(string(name)))
	}
	return ""
}
