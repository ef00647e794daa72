// Package report is what a benchmark run found, and how it is shown: as JSON, as
// a table for a terminal and as one HTML page with plots. It measures nothing and
// knows no scenario by name.
package report

import (
	"slices"
	"time"
)

// Report is one run of the benchmark.
type Report struct {
	Machine   Machine    `json:"machine"`
	Version   string     `json:"version,omitempty"` // of the program that measured
	Command   string     `json:"command,omitempty"` // how it was called, without secrets
	Started   time.Time  `json:"started,omitzero"`
	Seconds   float64    `json:"seconds,omitempty"` // the whole run
	Quick     bool       `json:"quick,omitempty"`   // sizes so small that the figures mean little
	Speed     []Speed    `json:"speed,omitempty"`   // of one core, at the start and after each scenario
	Scenarios []Scenario `json:"scenarios"`
	Notes     []string   `json:"notes,omitempty"` // what was left out, and why
}

// Machine is what a number depends on. What the system does not tell is "unknown"
// or zero.
type Machine struct {
	Cores       int     `json:"cores"`
	CPU         string  `json:"cpu"`
	MemoryBytes int64   `json:"memory_bytes,omitempty"`
	Kernel      string  `json:"kernel"`
	Go          string  `json:"go"`
	Platform    string  `json:"platform"`
	Filesystem  string  `json:"filesystem"` // of the data directory
	FsyncP50    float64 `json:"fsync_p50_ms"`
	FsyncP99    float64 `json:"fsync_p99_ms"`
	Virtual     bool    `json:"virtual,omitempty"`    // the processor is a hypervisor's
	MaxProcs    int     `json:"gomaxprocs,omitempty"` // of the process that measures
	Load        float64 `json:"load_1m,omitempty"`    // average of the minute before the run
}

// Speed is how fast one core was at a moment, by a load that never changes. It
// tells whether the machine was the same machine all the time.
type Speed struct {
	After  string  `json:"after"` // "start" or a scenario
	Hashes float64 `json:"sha256_1kib_per_s"`
}

// Scenario is one row of the table: a figure against its baseline, and what is
// asked of it. Figures are medians over the runs.
type Scenario struct {
	Name          string  `json:"name"`
	Title         string  `json:"title,omitempty"` // what the load was, in one sentence
	Value         float64 `json:"value"`
	Unit          string  `json:"unit"`
	Baseline      string  `json:"baseline"` // its name; empty if the row has none
	BaselineValue float64 `json:"baseline_value"`
	Ratio         float64 `json:"ratio"`  // the median of the runs' ratios; 0 without a baseline
	Target        float64 `json:"target"` // of the first check

	Met      bool    `json:"met"` // every check is
	RatioMin float64 `json:"ratio_min"`
	RatioMax float64 `json:"ratio_max"`
	ValueMin float64 `json:"value_min"`
	ValueMax float64 `json:"value_max"`

	Checks  []Check  `json:"checks"`            // what is asked of the row
	Figures []Figure `json:"figures,omitempty"` // what else is worth knowing
	Series  []Series `json:"series,omitempty"`  // figures over time, for plots
	Runs    []Run    `json:"runs,omitempty"`

	Published  int   `json:"published"` // in all runs
	Lost       int   `json:"lost"`
	Duplicates int   `json:"duplicates"`
	Verified   int64 `json:"signatures_verified"`
}

// Check is one thing that is asked of a scenario.
type Check struct {
	Name   string  `json:"name"` // such as "ratio" or "p99"
	Value  float64 `json:"value"`
	Unit   string  `json:"unit,omitempty"`
	AtMost bool    `json:"at_most,omitempty"` // the target is a ceiling, not a floor
	Target float64 `json:"target"`
	Met    bool    `json:"met"`
}

// Figure is a number with a name.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

// Series is a figure over time. Points beyond a thousand are thinned out by who
// makes it.
type Series struct {
	Name   string  `json:"name"`
	Unit   string  `json:"unit"`
	XUnit  string  `json:"x_unit,omitempty"` // of the points' positions; empty: seconds
	Limit  float64 `json:"limit,omitempty"`  // a line to stay under; 0: none
	Points []Point `json:"points"`
}

// Nines is the XUnit of a distribution: 1 is p90, 2 is p99, 3 is p99.9.
const Nines = "nines"

// Point is a value at a time.
type Point struct {
	Seconds float64 `json:"s"` // since the series began, unless the series has an XUnit
	Value   float64 `json:"v"`
}

// Run is one repeat: the scenario and the baseline measured next to it. Figures
// that a scenario does not have are zero.
type Run struct {
	Value         float64 `json:"value"`
	BaselineValue float64 `json:"baseline_value"`
	Ratio         float64 `json:"ratio"`
	Seconds       float64 `json:"seconds"`                    // of the scenario
	PayloadRate   float64 `json:"payload_mb_per_s,omitempty"` // payload delivered, 10^6 bytes a second
	Published     int     `json:"published"`
	Lost          int     `json:"lost"`
	Duplicates    int     `json:"duplicates"`
	Verified      int64   `json:"signatures_verified"`
	Refused       int64   `json:"requests_refused"` // and accepted when repeated
	Failed        int64   `json:"requests_failed"`

	Request  Latency `json:"request_latency"`  // request to answer
	Delivery Latency `json:"delivery_latency"` // (intended) send to first receipt

	Usage         Usage `json:"usage,omitzero"`
	BaselineUsage Usage `json:"baseline_usage,omitzero"`
}

// Usage is what a phase cost, per delivery. It says where the processor went and
// is steadier than a rate on a machine that others use too.
type Usage struct {
	Server    float64 `json:"server_us"`    // processor time, microseconds a delivery; of the null pipe in its baseline
	Generator float64 `json:"generator_us"` // same
	Receiver  float64 `json:"receiver_us"`  // same
	Busy      float64 `json:"busy"`         // share of the machine's processors that was not idle, 0 to 1
	MaxRSS    int64   `json:"max_rss_bytes,omitempty"`
}

// Latency summarizes many durations, in milliseconds.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p999_ms"`
	Max   float64 `json:"max_ms"`
}

// Add appends a run's counts to the scenario's and makes medians and spread anew.
func (s *Scenario) Add(run Run) {
	s.Runs = append(s.Runs, run)
	s.Published += run.Published
	s.Lost += run.Lost
	s.Duplicates += run.Duplicates
	s.Verified += run.Verified
	values := s.collect(func(r Run) float64 { return r.Value })
	ratios := s.collect(func(r Run) float64 { return r.Ratio })
	s.Value, s.ValueMin, s.ValueMax = Median(values), slices.Min(values), slices.Max(values)
	s.Ratio, s.RatioMin, s.RatioMax = Median(ratios), slices.Min(ratios), slices.Max(ratios)
	s.BaselineValue = Median(s.collect(func(r Run) float64 { return r.BaselineValue }))
}

func (s *Scenario) collect(value func(Run) float64) []float64 {
	all := make([]float64, 0, len(s.Runs))
	for _, r := range s.Runs {
		all = append(all, value(r))
	}
	return all
}

// AtLeast adds a check with a floor. The first check's target is the scenario's.
func (s *Scenario) AtLeast(name string, value float64, unit string, target float64) {
	s.check(Check{Name: name, Value: value, Unit: unit, Target: target, Met: value >= target})
}

// AtMost adds a check with a ceiling.
func (s *Scenario) AtMost(name string, value float64, unit string, target float64) {
	s.check(Check{Name: name, Value: value, Unit: unit, Target: target, AtMost: true, Met: value <= target})
}

func (s *Scenario) check(c Check) {
	if len(s.Checks) == 0 {
		s.Target, s.Met = c.Target, true
	}
	s.Checks = append(s.Checks, c)
	s.Met = s.Met && c.Met
}

// Note adds a figure.
func (s *Scenario) Note(name string, value float64, unit string) {
	s.Figures = append(s.Figures, Figure{Name: name, Value: value, Unit: unit})
}

// NotePayloadRate adds the median of the runs' payload rates as a figure: where sizes
// are mixed, deliveries a second alone say little.
func (s *Scenario) NotePayloadRate() {
	if len(s.Runs) > 0 {
		s.Note("payload delivered", Median(s.collect(func(r Run) float64 { return r.PayloadRate })), "MB/s")
	}
}

// Median is the middle value, or the mean of the middle two. It panics if there
// is none.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
