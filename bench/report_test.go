package bench

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// phaseOf is a phase of n deliveries in the time given.
func phaseOf(n int, took time.Duration) *Phase {
	return &Phase{
		Burst:    BurstResult{Published: n, FirstSendNS: 1000},
		Receipts: Receipts{Tally: Tally{Published: n, Delivered: n, LastNS: 1000 + int64(took)}},
	}
}

func exampleReport(t *testing.T) *Report {
	t.Helper()
	s, ok := scenarioNamed("single")
	if !ok {
		t.Fatal("no scenario single")
	}
	runs := []Pair{
		newPair(phaseOf(30_000, time.Second), phaseOf(24_000, time.Second)),
		newPair(phaseOf(40_000, time.Second), phaseOf(20_000, time.Second)),
		newPair(phaseOf(20_000, time.Second), phaseOf(50_000, 2*time.Second)),
	}
	runs[1].Duplicates = 3
	return &Report{Machine: Machine{Cores: 2, CPU: "a CPU"}, Scenarios: []Result{newResult(s, runs)}, Notes: []string{"a note"}}
}

func TestResultIsMediansAndSpread(t *testing.T) {
	got := exampleReport(t).Scenarios[0]
	if got.Value != 24_000 || got.BaselineValue != 30_000 || got.Ratio != 0.8 || got.RatioMin != 0.5 || got.RatioMax != 1.25 {
		t.Errorf("got %+v", got)
	}
	if !got.Met || got.Published != 94_000 || got.Duplicates != 3 || got.Lost != 0 {
		t.Errorf("got %+v", got)
	}
	if m := median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Errorf("median of four is %v", m)
	}
}

// Others read these names.
func TestReportJSONShape(t *testing.T) {
	var out bytes.Buffer
	if err := exampleReport(t).WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Machine   map[string]any   `json:"machine"`
		Scenarios []map[string]any `json:"scenarios"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cores", "cpu", "kernel", "go", "fsync_p50_ms", "fsync_p99_ms"} {
		if _, ok := got.Machine[name]; !ok {
			t.Errorf("machine lacks %s; it has %v", name, slices.Collect(maps.Keys(got.Machine)))
		}
	}
	want := map[string]any{
		"name": "single", "value": 24_000.0, "unit": "deliveries/s", "baseline": "null_pipe",
		"baseline_value": 30_000.0, "ratio": 0.8, "target": 0.8,
	}
	for name, value := range want {
		if got.Scenarios[0][name] != value {
			t.Errorf("%s is %v, want %v", name, got.Scenarios[0][name], value)
		}
	}
	if s, _ := scenarioNamed("batch"); s.baseline != "bare_loop" || s.target != 0.65 {
		t.Errorf("batch is compared with %s, target %v", s.baseline, s.target)
	}
}

func TestReportText(t *testing.T) {
	var out bytes.Buffer
	if err := exampleReport(t).WriteText(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 cores, a CPU", "single", "24000", "null_pipe", "30000", "0.50..1.25", "yes", "note: a note", "single 3"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// What is accepted but not yet delivered counts for nothing, and waiting for it
// counts in full.
func TestRateIsNotFlatteredByBacklog(t *testing.T) {
	p := phaseOf(1000, 4*time.Second)
	p.Burst.LastDoneNS = p.Burst.FirstSendNS + int64(time.Second)
	if got := p.Rate(); got != 250 {
		t.Errorf("1000 events accepted in 1 s and delivered in 4 s are %v/s, want 250", got)
	}
	p.Receipts.Delivered, p.Receipts.Duplicates = 500, 500
	if got := p.Rate(); got != 125 {
		t.Errorf("500 of them delivered, twice, are %v/s, want 125", got)
	}
	p.Receipts.Delivered = 0
	if got := p.Rate(); got != 0 {
		t.Errorf("none delivered is %v/s", got)
	}
}

func TestPhaseCheck(t *testing.T) {
	cases := []struct {
		name   string
		change func(*Receipts)
		want   string
	}{
		{"good", func(r *Receipts) { r.Duplicates, r.Verified = 5, 10 }, ""},
		{"empty", func(r *Receipts) { r.Published = 0 }, "no event"},
		{"lost", func(r *Receipts) { r.Lost, r.Missing = 2, []uint64{7, 9} }, "2 of 100 accepted events did not arrive, among them [7 9]"},
		{"forged", func(r *Receipts) { r.Unverified, r.Verified = 1, 4 }, "1 of 5 signatures"},
		{"unreadable", func(r *Receipts) { r.Unreadable = 3 }, "3 deliveries"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := phaseOf(100, time.Second)
			c.change(&p.Receipts)
			err := p.Check()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
