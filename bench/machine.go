package bench

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"posthaste/bench/report"
)

// Fsync is measured by this many writes of this size, each followed by a sync.
const (
	fsyncWrites     = 100
	fsyncWriteBytes = 4 << 10
)

// DescribeMachine gathers the facts and measures fsync in dir. What the system
// does not tell is "unknown".
func DescribeMachine(dir string) (report.Machine, error) {
	m := report.Machine{
		Cores:      runtime.NumCPU(),
		CPU:        cpuModel(),
		Kernel:     kernel(),
		Go:         runtime.Version(),
		Platform:   runtime.GOOS + "/" + runtime.GOARCH,
		Filesystem: filesystem(dir),
	}
	took, err := timeFsync(dir)
	if err != nil {
		return m, fmt.Errorf("measure fsync: %w", err)
	}
	m.FsyncP50 = milliseconds(int64(took[len(took)*50/100]))
	m.FsyncP99 = milliseconds(int64(took[len(took)*99/100]))
	return m, nil
}

// timeFsync returns how long each write and sync took, shortest first.
func timeFsync(dir string) ([]time.Duration, error) {
	f, err := os.CreateTemp(dir, "fsync-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	var took []time.Duration
	block := make([]byte, fsyncWriteBytes)
	for range fsyncWrites {
		start := time.Now()
		if _, err := f.Write(block); err != nil {
			return nil, err
		}
		if err := f.Sync(); err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	return took, nil
}

func cpuModel() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		name, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func kernel() string {
	text, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "unknown"
	}
	return "Linux " + strings.TrimSpace(string(text))
}

// filesystem is the type of the mount that holds dir.
func filesystem(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "unknown"
	}
	f, err := os.Open("/proc/self/mounts")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	best, longest := "unknown", 0
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // device, mount point, type, ...
		if len(fields) >= 3 && len(fields[1]) >= longest && within(dir, fields[1]) {
			best, longest = fields[2], len(fields[1])
		}
	}
	return best
}

func within(dir, mount string) bool {
	rest, ok := strings.CutPrefix(dir, strings.TrimSuffix(mount, "/"))
	return ok && (rest == "" || rest[0] == '/')
}
