package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// exampleReport is one scenario with three runs.
func exampleReport() *Report {
	s := Scenario{Name: "single", Title: "a load", Unit: "deliveries/s", Baseline: "null_pipe"}
	for _, r := range []Run{
		{Value: 24_000, BaselineValue: 30_000, Ratio: 0.8, Published: 24_000},
		{Value: 20_000, BaselineValue: 40_000, Ratio: 0.5, Published: 20_000, Duplicates: 3},
		{Value: 25_000, BaselineValue: 20_000, Ratio: 1.25, Published: 50_000},
	} {
		s.Add(r)
	}
	s.AtLeast("ratio", s.Ratio, "", 0.8)
	return &Report{Machine: Machine{Cores: 2, CPU: "a CPU"}, Scenarios: []Scenario{s}, Notes: []string{"a note"}}
}

func TestScenarioIsMediansAndSpread(t *testing.T) {
	got := exampleReport().Scenarios[0]
	if got.Value != 24_000 || got.BaselineValue != 30_000 || got.Ratio != 0.8 || got.RatioMin != 0.5 || got.RatioMax != 1.25 ||
		got.ValueMin != 20_000 || got.ValueMax != 25_000 {
		t.Errorf("got %+v", got)
	}
	if !got.Met || got.Target != 0.8 || got.Published != 94_000 || got.Duplicates != 3 || got.Lost != 0 {
		t.Errorf("got %+v", got)
	}
	if m := Median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Errorf("median of four is %v", m)
	}
}

// A row is met when everything that is asked of it is.
func TestChecks(t *testing.T) {
	var s Scenario
	s.AtMost("p99", 15, "ms", 15)
	if !s.Met || s.Target != 15 {
		t.Errorf("got %+v", s)
	}
	s.AtLeast("ratio", 0.79, "", 0.8)
	s.AtMost("p50", 1, "ms", 3)
	if s.Met || s.Target != 15 || s.Checks[1].Met || !s.Checks[2].Met {
		t.Errorf("got %+v", s)
	}
}

// Others read these names.
func TestReportJSONShape(t *testing.T) {
	var out bytes.Buffer
	if err := exampleReport().WriteJSON(&out); err != nil {
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
}

func TestReportText(t *testing.T) {
	var out bytes.Buffer
	if err := exampleReport().WriteText(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"2 cores, a CPU", "single", "24,000 deliveries/s", "null_pipe 30,000", "0.50 to 1.25", "met: ratio 0.80, at least 0.80", "note: a note", "single 3"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
