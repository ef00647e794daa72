package bench

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"posthaste/bench/report"
)

const cpuinfo = `processor	: 0
model name	: Intel(R) Xeon(R) Processor @ 2.60GHz
flags		: fpu vme sse2 hypervisor lahf_lm

processor	: 1
model name	: another
`

func TestFieldOf(t *testing.T) {
	if got := fieldOf(cpuinfo, "model name"); got != "Intel(R) Xeon(R) Processor @ 2.60GHz" {
		t.Error(got)
	}
	if got := fieldOf(cpuinfo, "model"); got != "" {
		t.Error(got)
	}
	if got := memoryBytes("MemTotal:        8129404 kB\nMemFree: 1 kB\n"); got != 8129404<<10 {
		t.Error(got)
	}
	if got := loadAverage("0.76 0.60 1.29 2/255 1234\n"); got != 0.76 {
		t.Error(got)
	}
	if memoryBytes("") != 0 || loadAverage("") != 0 {
		t.Error("something is read out of nothing")
	}
}

func TestDescribeMachine(t *testing.T) {
	m, err := DescribeMachine(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if m.Cores < 1 || m.MaxProcs < 1 || m.FsyncP50 <= 0 || m.FsyncP99 < m.FsyncP50 || m.CPU == "" || m.Filesystem == "" || m.Load < 0 {
		t.Errorf("got %+v", m)
	}
	if strings.HasPrefix(m.Kernel, "Linux") && m.MemoryBytes < 1<<20 {
		t.Errorf("memory of %d bytes", m.MemoryBytes)
	}
}

func TestMachineNotes(t *testing.T) {
	for _, c := range []struct {
		m    report.Machine
		want string
	}{
		{report.Machine{Cores: 2, Load: 1}, ""},
		{report.Machine{Cores: 2, Load: 1.01}, "not quiet: a load of 1.01 on 2 cores"},
		{report.Machine{Cores: 2, Filesystem: "tmpfs"}, "in memory"},
	} {
		got := strings.Join(machineNotes(c.m), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.m, got, c.want)
		}
	}
}

func TestSpeed(t *testing.T) {
	if p := probeSpeed("start"); p.After != "start" || p.Hashes < 1000 {
		t.Errorf("got %+v", p)
	}
	steady := &report.Report{Speed: []report.Speed{{After: "start", Hashes: 100}, {After: "single", Hashes: 81}}}
	if got := speedNotes(steady); got != nil {
		t.Errorf("got %q", got)
	}
	slower := &report.Report{Speed: append(steady.Speed, report.Speed{After: "batch", Hashes: 60})}
	if got := speedNotes(slower); len(got) != 1 || !strings.Contains(got[0], "40% less after batch than after start") {
		t.Errorf("got %q", got)
	}
	if got := speedNotes(&report.Report{}); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestAnnounce(t *testing.T) {
	var out bytes.Buffer
	r := &runner{Options: Options{Scenarios: []string{"outage", "single", "latency"}}, progress: NewProgress(&out)}
	r.announce("single", time.Second)
	r.announce("outage", 40*time.Second)
	if want := "scenario 1 of 3: single\nscenario 3 of 3: outage, about 20s left\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	out.Reset()
	r.Scenarios = []string{"outage"}
	r.announce("outage", time.Second)
	if out.Len() > 0 {
		t.Errorf("got %q", out.String())
	}
}
