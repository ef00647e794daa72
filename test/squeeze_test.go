package test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// squeeze leaves a running process so little memory beyond what it has that it will not do for
// long, and says how: by a control group of its own, where the test may make one, in which the
// kernel's killer finds it; otherwise by a bound on its address space, on which the runtime ends
// it. The group is removed when the test ends.
func squeeze(t *testing.T, pid, room int) string {
	t.Helper()
	for _, g := range []struct{ name, root, limit string }{
		{"cgroup v2 memory.max", "/sys/fs/cgroup", "memory.max"},
		{"cgroup v1 memory.limit_in_bytes", "/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
	} {
		if squeezeGroup(t, filepath.Join(g.root, fmt.Sprintf("posthaste-test-%d-%d", os.Getpid(), pid)), g.limit, pid, room) {
			return g.name
		}
	}
	size := statusBytes(t, pid, "VmSize")
	setLimit(t, pid, syscall.RLIMIT_AS, uint64(size+room))
	return "RLIMIT_AS"
}

// squeezeGroup reports whether the machine has such groups, and lets the test make one. A group
// counts what a process takes from its entry on.
func squeezeGroup(t *testing.T, dir, limit string, pid, room int) bool {
	if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "cgroup.procs")); err != nil {
		return false
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		return false
	}
	// A group is empty, and can be removed, some moments after its last process was killed.
	t.Cleanup(func() {
		for range 1000 {
			if err := os.Remove(dir); err == nil || errors.Is(err, os.ErrNotExist) {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Errorf("%s cannot be removed", dir)
	})
	write := func(file string, n int) bool {
		return os.WriteFile(filepath.Join(dir, file), []byte(strconv.Itoa(n)), 0) == nil
	}
	return write(limit, room) && write("cgroup.procs", pid)
}

// statusBytes is a size of /proc/PID/status.
func statusBytes(t *testing.T, pid int, field string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no %s in:\n%s", field, text)
	return 0
}

// setLimit sets a resource limit of a running process, and returns what it was.
func setLimit(t *testing.T, pid, resource int, soft uint64) (was syscall.Rlimit) {
	t.Helper()
	limit := func(set, get *syscall.Rlimit) {
		_, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(pid), uintptr(resource),
			uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(get)), 0, 0)
		if errno != 0 {
			t.Fatalf("prlimit: %v", errno)
		}
	}
	limit(nil, &was)
	limit(&syscall.Rlimit{Cur: min(soft, was.Max), Max: was.Max}, nil)
	return was
}
