package report

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// fact is something known of a run, for people.
type fact struct{ Name, Value string }

// facts are about the run and the machine.
func (r *Report) facts() []fact {
	var facts []fact
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, fact{name, value})
		}
	}
	add("run", r.occasion())
	add("command", r.Command)
	add("machine", r.Machine.hardware())
	add("system", r.Machine.system())
	add("disk", r.Machine.disk())
	add("condition", r.condition())
	return facts
}

// occasion is what was run and when.
func (r *Report) occasion() string {
	var run []string
	if r.Version != "" {
		run = append(run, "posthaste "+r.Version)
	}
	if !r.Started.IsZero() {
		run = append(run, r.Started.UTC().Format("2006-01-02 15:04:05 ")+time.UTC.String())
	}
	if r.Seconds > 0 {
		run = append(run, "took "+duration(r.Seconds))
	}
	if r.Quick {
		run = append(run, "quick: it shows that it works, not how fast it is")
	}
	return strings.Join(run, ", ")
}

// String is the machine in one line.
func (m Machine) String() string { return m.hardware() + "; " + m.system() + "; " + m.disk() }

func (m Machine) hardware() string {
	text := fmt.Sprintf("%d %scores", m.Cores, map[bool]string{true: "virtual "}[m.Virtual])
	text += ", " + cmp.Or(m.CPU, "unknown CPU")
	if m.MemoryBytes > 0 {
		text += ", " + formatBytes(float64(m.MemoryBytes)) + " of memory"
	}
	return text
}

func (m Machine) system() string {
	text := fmt.Sprintf("%s, %s %s", cmp.Or(m.Kernel, "unknown system"), m.Go, m.Platform)
	if m.MaxProcs > 0 {
		text += fmt.Sprintf(", GOMAXPROCS %d", m.MaxProcs)
	}
	return text
}

func (m Machine) disk() string {
	text := cmp.Or(m.Filesystem, "unknown file system")
	if m.FsyncP50 > 0 {
		text += ", fsync p50 " + FormatMS(m.FsyncP50) + ", p99 " + FormatMS(m.FsyncP99)
	}
	return text
}

// condition is how quiet the machine was before, and how steady during the run.
func (r *Report) condition() string {
	var known []string
	if r.Machine.Load > 0 {
		known = append(known, fmt.Sprintf("load %.2f before the run", r.Machine.Load))
	}
	if len(r.Speed) > 1 {
		low, high := r.speedRange()
		known = append(known, fmt.Sprintf("one core makes %s to %s SHA-256 of 1 KiB a second", grouped(low), grouped(high)))
	}
	return strings.Join(known, ", ")
}

// speedRange is the least and the most of all probes.
func (r *Report) speedRange() (low, high float64) {
	for i, p := range r.Speed {
		if i == 0 {
			low, high = p.Hashes, p.Hashes
		}
		low, high = min(low, p.Hashes), max(high, p.Hashes)
	}
	return low, high
}

// SpeedSpread is by how much the machine's speed fell at its slowest, as a share
// of its fastest, 0 to 1. It is 0 without probes.
func (r *Report) SpeedSpread() float64 {
	low, high := r.speedRange()
	if high <= 0 {
		return 0
	}
	return 1 - low/high
}
