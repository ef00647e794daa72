package bench

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
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
	cpuinfo := procText("cpuinfo")
	m := report.Machine{
		Cores:       runtime.NumCPU(),
		CPU:         cmp.Or(fieldOf(cpuinfo, "model name"), "unknown"),
		MemoryBytes: memoryBytes(procText("meminfo")),
		Kernel:      kernel(),
		Go:          runtime.Version(),
		Platform:    runtime.GOOS + "/" + runtime.GOARCH,
		Filesystem:  filesystem(dir),
		Virtual:     slices.Contains(strings.Fields(fieldOf(cpuinfo, "flags")), "hypervisor"),
		MaxProcs:    runtime.GOMAXPROCS(0),
		Load:        loadAverage(procText("loadavg")),
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

// procText is a file of /proc; empty where there is none.
func procText(name string) string {
	text, err := os.ReadFile("/proc/" + name)
	if err != nil {
		return ""
	}
	return string(text)
}

// fieldOf is the value of the first line "name : value".
func fieldOf(text, name string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// memoryBytes reads the machine's memory from /proc/meminfo; 0 if it is not said.
func memoryBytes(meminfo string) int64 {
	kib, _ := strconv.ParseInt(strings.TrimSuffix(fieldOf(meminfo, "MemTotal"), " kB"), 10, 64)
	return kib << 10
}

// loadAverage is that of the last minute; 0 if it is not said.
func loadAverage(loadavg string) float64 {
	first, _, _ := strings.Cut(loadavg, " ")
	load, _ := strconv.ParseFloat(first, 64)
	return load
}

// machineNotes are what a reader must know before believing the numbers.
func machineNotes(m report.Machine) []string {
	var notes []string
	if m.Filesystem == "tmpfs" {
		notes = append(notes, "the data directory is in memory: durability costs nothing there")
	}
	if m.Load > float64(m.Cores)/2 {
		notes = append(notes, fmt.Sprintf("the machine was not quiet: a load of %.2f on %d cores before the run", m.Load, m.Cores))
	}
	return notes
}

func kernel() string {
	release := strings.TrimSpace(procText("sys/kernel/osrelease"))
	if release == "" {
		return "unknown"
	}
	return "Linux " + release
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
