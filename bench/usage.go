package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"posthaste/bench/report"
)

// clockTick is the unit of processor time in /proc: a hundredth of a second on
// every Linux that Go runs on (USER_HZ, see proc(5)).
const clockTick = 10 * time.Millisecond

// procUsage is what /proc tells of a process. It is zero where there is none.
type procUsage struct {
	cpu time.Duration // user and system
	rss int64         // resident bytes now
}

// usageOf reads a process's usage so far.
func usageOf(pid int) (u procUsage) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u
	}
	_, rest, _ := bytes.Cut(text, []byte(") ")) // after the name, which may hold anything
	fields := strings.Fields(string(rest))
	if len(fields) < 22 {
		return u
	}
	number := func(i int) int64 { n, _ := strconv.ParseInt(fields[i], 10, 64); return n }
	u.cpu = time.Duration(number(11)+number(12)) * clockTick
	u.rss = number(21) * int64(os.Getpagesize())
	return u
}

// machineUsage is the time that the machine's processors were busy and idle.
type machineUsage struct{ busy, idle time.Duration }

func usageOfMachine() (u machineUsage) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	for i, field := range strings.Fields(string(line)) {
		n, err := strconv.ParseInt(field, 10, 64)
		switch {
		case err != nil || i > 8: // the name; guests are in user
		case i == 4 || i == 5: // idle, iowait
			u.idle += time.Duration(n) * clockTick
		default:
			u.busy += time.Duration(n) * clockTick
		}
	}
	return u
}

// meter measures what a phase costs.
type meter struct {
	server, generator, receiver int // process ids; 0: none
	from                        [3]procUsage
	machine                     machineUsage
}

// begin notes where the counts stand.
func (m *meter) begin() {
	for i, pid := range m.pids() {
		m.from[i] = usageOf(pid)
	}
	m.machine = usageOfMachine()
}

func (m *meter) pids() [3]int { return [3]int{m.server, m.generator, m.receiver} }

// end says what was used since begin, for each of n deliveries.
func (m *meter) end(n int) (u report.Usage) {
	machine := usageOfMachine()
	busy, idle := machine.busy-m.machine.busy, machine.idle-m.machine.idle
	if busy+idle > 0 {
		u.Busy = float64(busy) / float64(busy+idle)
	}
	for i, to := range [3]*float64{&u.Server, &u.Generator, &u.Receiver} {
		*to = float64((usageOf(m.pids()[i]).cpu - m.from[i].cpu).Microseconds()) / float64(max(n, 1))
	}
	u.MaxRSS = maxRSS(m.server)
	return u
}

// maxRSS is the most that a process has had resident, in bytes.
func maxRSS(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, " kB")), 10, 64)
			return kib << 10
		}
	}
	return 0
}
