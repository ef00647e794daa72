package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"posthaste/bench/report"
)

func quickOptions(t *testing.T, fault string) Options {
	t.Helper()
	return Options{
		Launcher: testLauncher(t, fault), Scenarios: []string{"single", "batch"},
		Repeat: 1, Duration: 200 * time.Millisecond, Warmup: 50 * time.Millisecond, TailLimit: 10 * time.Second,
		Connections: 4, BatchConnections: 2, BatchSize: 10, Endpoints: 3, PayloadBytes: 300,
		DataRoot: t.TempDir(),
	}
}

func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind in the data root: %v, %v", left, err)
	}
}

func TestRunMeasures(t *testing.T) {
	o := quickOptions(t, faultNone)
	o.Repeat = 2
	profiles := t.TempDir()
	o.CPUProfile = filepath.Join(profiles, "cpu.prof")
	var progress bytes.Buffer
	o.Progress = &progress
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Scenarios) != 2 || got.Machine.FsyncP50 <= 0 || got.Machine.Cores < 1 {
		t.Fatalf("report %+v", got)
	}
	for _, s := range got.Scenarios {
		if len(s.Runs) != 2 || s.Value <= 0 || s.BaselineValue <= 0 || s.Ratio <= 0 || s.Published == 0 || s.Lost != 0 || s.Verified == 0 {
			t.Errorf("scenario %+v", s)
		}
		for _, p := range s.Runs {
			if p.Delivery.Count != int64(p.Published) || p.Delivery.Max <= 0 || p.Request.Max <= 0 {
				t.Errorf("%s: run %+v", s.Name, p)
			}
		}
		profile, err := os.ReadFile(filepath.Join(profiles, "cpu."+s.Name+".prof"))
		if string(profile) != "profile of 1 s" {
			t.Errorf("profile of %s: %q, %v", s.Name, profile, err)
		}
	}
	if !strings.Contains(progress.String(), "single 2/2 null_pipe: ") {
		t.Errorf("progress:\n%s", progress.String())
	}
	checkEmpty(t, o.DataRoot)
}

// A bench that sees no fault where there is one is worse than none.
func TestRunFindsFaults(t *testing.T) {
	cases := []struct {
		fault, want string
		check       func(report.Scenario) bool
	}{
		{faultLose, "did not arrive", nil},
		{faultForge, "signatures checked are wrong", nil},
		{faultReject, "status 400: ", nil},
		{faultNeverUp, "fault neverup", nil},
		{faultRepeat, "", func(r report.Scenario) bool { return r.Duplicates > 0 && r.Lost == 0 }},
		{faultRefuse, "", func(r report.Scenario) bool { return r.Runs[0].Refused > 0 && r.Duplicates == 0 && r.Lost == 0 }},
	}
	for _, c := range cases {
		t.Run(c.fault, func(t *testing.T) {
			o := quickOptions(t, c.fault)
			o.Scenarios, o.Duration = []string{"single"}, time.Second
			if c.fault == faultLose {
				o.TailLimit = 300 * time.Millisecond
			}
			got, err := Run(context.Background(), o)
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v does not say %q", err, c.want)
			}
			if c.want == "" && (err != nil || !c.check(got.Scenarios[0])) {
				t.Errorf("error %v, report %+v", err, got)
			}
			checkEmpty(t, o.DataRoot)
		})
	}
}

func TestRunIsCancelled(t *testing.T) {
	o := quickOptions(t, faultNone)
	o.Duration = time.Minute
	var progress cancelOnWrite
	ctx, cancel := context.WithCancel(context.Background())
	progress.cancel = cancel
	o.Progress = &progress
	o.Scenarios = []string{"single"}
	if _, err := Run(ctx, o); err == nil {
		t.Error("no error")
	}
	checkEmpty(t, o.DataRoot)
}

// cancelOnWrite cancels when the first progress line comes, in the middle of a
// phase.
type cancelOnWrite struct{ cancel context.CancelFunc }

func (c *cancelOnWrite) Write(p []byte) (int, error) {
	c.cancel()
	return len(p), nil
}

func TestOptionsValidate(t *testing.T) {
	cases := []struct {
		change func(*Options)
		want   string
	}{
		{func(*Options) {}, ""},
		{func(o *Options) { o.Scenarios = []string{"triple"} }, "single, batch"},
		{func(o *Options) { o.Repeat = -1 }, "repeat is -1"},
		{func(o *Options) { o.PayloadBytes = 10 }, "size is 10"},
		{func(o *Options) { o.Duration = time.Millisecond }, "duration"},
		{func(o *Options) { o.ReceiverHost = "localhost" }, "receiver-host"},
		{func(o *Options) { o.ReceiverHost = "10.0.0.1" }, "receiver-host"},
		{func(o *Options) { o.ReceiverHost = "127.0.0.2" }, ""},
		{func(o *Options) { o.ReceiverHost = "http://h" }, "receiver-host"},
		{func(o *Options) { o.ReceiverListen = "h" }, "receiver-listen"},
		{func(o *Options) { o.Fanout = 1 }, "fanout is 1, must be 2 to"},
		{func(o *Options) { o.Rate = -1 }, "rate is -1"},
		{func(o *Options) { o.Headers = []string{"A: b"} }, "target"},
		{func(o *Options) { o.Target = "http://h"; o.Key, o.Project, o.Headers = "k", "p", []string{"no header"} }, "no header"},
		{func(o *Options) { o.Key = "k" }, "target"},
		{func(o *Options) { o.Target = "ftp://h"; o.Key, o.Project = "k", "p" }, "not an http"},
		{func(o *Options) { o.Target = "http://h" }, "project and key"},
		{func(o *Options) { o.Target = "http://h"; o.Key, o.Project, o.CPUProfile = "k", "p", "f" }, "cpuprofile"},
		{func(o *Options) { o.Target = "https://h:5005"; o.Key, o.Project = "k", "p" }, ""},
	}
	for _, c := range cases {
		var o Options
		c.change(&o)
		o.EnsureDefaults()
		err := o.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: got %v, want %q", o, err, c.want)
		}
	}
	quick, full := Options{Quick: true}, Options{}
	quick.EnsureDefaults()
	full.EnsureDefaults()
	if quick.Repeat != 1 || quick.Duration >= full.Duration || full.Connections != 128 || full.Endpoints != 16 || full.BatchSize != 100 {
		t.Errorf("quick %+v, full %+v", quick, full)
	}
}

func TestMeasuredBurst(t *testing.T) {
	r := &runner{Options: Options{Duration: 2 * time.Second, Warmup: time.Second}}
	for rate, want := range map[float64]int{0: 1, 1000: 3000, 1e12: maxEvents} {
		if b := r.measuredBurst(rate); b.Max != want || b.For != 2*time.Second || b.First != measuredFirst {
			t.Errorf("rate %v: %+v, want %d events", rate, b, want)
		}
	}
	if b := r.warmupBurst(); b.Max != warmupEventsPerSecond || b.For != time.Second || b.First != warmupFirst || b.Rate != 0 {
		t.Errorf("warm-up %+v", b)
	}
	fan := r.fannedOut(100)
	for rate, want := range map[float64]int{0: 1, 1000: 30, 1e12: maxEvents / 100} {
		if b := fan.measuredBurst(rate); b.Max != want {
			t.Errorf("rate %v, each event to 100: %+v, want %d events", rate, b, want)
		}
	}
	if r.shape.fanout != 0 || fan.Endpoints != 100 {
		t.Errorf("the runner %+v, the one for fan-out %+v", r.shape, fan)
	}
	r.shape.rate = 300
	if b := r.measuredBurst(1); b.Max != 600 || b.Rate != 300 || b.For != 2*time.Second {
		t.Errorf("open loop: %+v", b)
	}
	if b := r.warmupBurst(); b.Max != 300 || b.Rate != 300 || b.First != warmupFirst {
		t.Errorf("warm-up of an open loop: %+v", b)
	}
}

func TestReadEnvelope(t *testing.T) {
	var data struct{ UID string }
	if err := readEnvelope("POST /x", 201, []byte(`{"status":true,"message":"made","data":{"uid":"E1"}}`), &data); err != nil || data.UID != "E1" {
		t.Errorf("got %q, %v", data.UID, err)
	}
	for text, want := range map[string]string{`{"message":"no such thing"}`: "no such thing", "<html>": "<html>"} {
		err := readEnvelope("POST /x", 404, []byte(text), &data)
		if err == nil || !strings.Contains(err.Error(), "POST /x: status 404: "+want) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	if err := readEnvelope("POST /x", 200, []byte("<html>"), &data); err == nil {
		t.Error("an answer that is not JSON is taken")
	}
	if _, err := json.Marshal(retryStrategy); err != nil {
		t.Error(err)
	}
}

func TestTail(t *testing.T) {
	var short, long tail
	_, _ = short.Write([]byte("one\ntwo\n"))
	if short.String() != "one\ntwo" {
		t.Errorf("got %q", short.String())
	}
	line := strings.Repeat("x", 99) + "\n"
	_, _ = long.Write([]byte("first\n" + strings.Repeat(line, 200) + "last\n"))
	got := long.String()
	if len(got) > tailBytes || !strings.HasSuffix(got, "\nlast") || !strings.HasPrefix(got, line) {
		t.Errorf("%d bytes, from %.10q to %q", len(got), got, got[len(got)-10:])
	}
}

func TestFilesystemMount(t *testing.T) {
	for _, c := range []struct {
		dir, mount string
		want       bool
	}{{"/data/x", "/", true}, {"/data/x", "/data", true}, {"/data", "/data", true}, {"/database", "/data", false}} {
		if got := within(c.dir, c.mount); got != c.want {
			t.Errorf("%s within %s: %t", c.dir, c.mount, got)
		}
	}
}
