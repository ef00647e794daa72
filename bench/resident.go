package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// residence is what a process has in memory, as the operating system counts it,
// in bytes.
type residence struct {
	all  int64 // VmRSS
	anon int64 // RssAnon: its heap, stacks and the like
	file int64 // RssFile: pages of files, which the system may take back
}

var errNoResidence = errors.New("/proc tells nothing of its memory")

// residenceOf reads a process's residence.
func residenceOf(pid int) (r residence, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return r, err
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(value, " kB")), 10, 64)
		switch name {
		case "VmRSS":
			r.all = kib << 10
		case "RssAnon":
			r.anon = kib << 10
		case "RssFile":
			r.file = kib << 10
		}
	}
	if r.all == 0 {
		return r, fmt.Errorf("process %d: %w", pid, errNoResidence)
	}
	return r, nil
}

// residenceIsKnown reports whether this system tells the residence of a process.
func residenceIsKnown() bool {
	_, err := residenceOf(os.Getpid())
	return err == nil
}

// steadiness says when memory has settled: after least, once it has stayed within
// a hundredth for steady, but not later than most.
type steadiness struct{ every, steady, least, most time.Duration }

// residenceSample is the residence of processes at a time.
type residenceSample struct {
	at  time.Duration // since the sampling began
	now []residence   // of each process
}

// awaitSteady samples processes until the memory of all has settled. watch is
// told the time that has passed.
func awaitSteady(ctx context.Context, p steadiness, watch func(time.Duration), pids ...int) ([]residenceSample, error) {
	var samples []residenceSample
	start := time.Now()
	since := 0 // the first sample of those that are alike
	for {
		sample := residenceSample{at: time.Since(start)}
		for _, pid := range pids {
			r, err := residenceOf(pid)
			if err != nil {
				return nil, err
			}
			sample.now = append(sample.now, r)
		}
		samples = append(samples, sample)
		watch(sample.at)
		for since < len(samples)-1 && !alike(&samples[since], &sample) {
			since++
		}
		settled := sample.at >= p.least && sample.at-samples[since].at >= p.steady
		if settled || sample.at >= p.most {
			return samples, nil
		}
		if err := sleep(ctx, p.every); err != nil {
			return nil, err
		}
	}
}

// alike reports whether no process has changed by more than a hundredth.
func alike(a, b *residenceSample) bool {
	for i := range a.now {
		if diff := a.now[i].all - b.now[i].all; max(diff, -diff) > b.now[i].all/100 {
			return false
		}
	}
	return true
}
