package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// Report is what a run found.
type Report struct {
	Machine   Machine  `json:"machine"`
	Scenarios []Result `json:"scenarios"`
	Notes     []string `json:"notes,omitempty"` // what was left out, and why
}

// Result is one scenario against its baseline: medians over the repeats.
type Result struct {
	Name          string  `json:"name"`
	Value         float64 `json:"value"`
	Unit          string  `json:"unit"`
	Baseline      string  `json:"baseline"`
	BaselineValue float64 `json:"baseline_value"`
	Ratio         float64 `json:"ratio"` // the median of the repeats' ratios
	Target        float64 `json:"target"`

	Met        bool    `json:"met"` // Ratio reaches Target
	RatioMin   float64 `json:"ratio_min"`
	RatioMax   float64 `json:"ratio_max"`
	Published  int     `json:"published"`
	Lost       int     `json:"lost"`
	Duplicates int     `json:"duplicates"`
	Verified   int64   `json:"signatures_verified"`
	Runs       []Pair  `json:"runs"`
}

// Pair is a baseline and the scenario measured right after it.
type Pair struct {
	Value         float64 `json:"value"`
	BaselineValue float64 `json:"baseline_value"`
	Ratio         float64 `json:"ratio"`
	Seconds       float64 `json:"seconds"` // of the scenario
	Published     int     `json:"published"`
	Lost          int     `json:"lost"`
	Duplicates    int     `json:"duplicates"`
	Verified      int64   `json:"signatures_verified"`
	Refused       int64   `json:"requests_refused"` // and accepted when repeated
	Failed        int64   `json:"requests_failed"`
	Request       Latency `json:"request_latency"`  // request to answer
	Delivery      Latency `json:"delivery_latency"` // first send to first receipt
}

const deliveriesPerSecond = "deliveries/s"

func newPair(baseline, p *Phase) Pair {
	return Pair{
		Value:         p.Rate(),
		BaselineValue: baseline.Rate(),
		Ratio:         p.Rate() / baseline.Rate(),
		Seconds:       p.Seconds(),
		Published:     p.Receipts.Published,
		Lost:          p.Receipts.Lost,
		Duplicates:    p.Receipts.Duplicates,
		Verified:      p.Receipts.Verified,
		Refused:       p.Burst.Refused,
		Failed:        p.Burst.Failed,
		Request:       p.Burst.Latency,
		Delivery:      p.Receipts.Latency,
	}
}

// newResult sums up the repeats of a scenario, of which there is at least one.
func newResult(s scenario, runs []Pair) Result {
	ratios := collect(runs, func(p Pair) float64 { return p.Ratio })
	r := Result{
		Name:          s.name,
		Value:         median(collect(runs, func(p Pair) float64 { return p.Value })),
		Unit:          deliveriesPerSecond,
		Baseline:      s.baseline,
		BaselineValue: median(collect(runs, func(p Pair) float64 { return p.BaselineValue })),
		Ratio:         median(ratios),
		Target:        s.target,
		RatioMin:      slices.Min(ratios),
		RatioMax:      slices.Max(ratios),
		Runs:          runs,
	}
	r.Met = r.Ratio >= r.Target
	for _, p := range runs {
		r.Published += p.Published
		r.Lost += p.Lost
		r.Duplicates += p.Duplicates
		r.Verified += p.Verified
	}
	return r
}

func collect(runs []Pair, value func(Pair) float64) []float64 {
	var all []float64
	for _, p := range runs {
		all = append(all, value(p))
	}
	return all
}

// median is the middle value, or the mean of the middle two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// WriteJSON writes the report as one indented JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	fmt.Fprintf(w, "machine: %s\n\n", r.Machine)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "scenario\tdelivered/s\tbaseline\tbaseline/s\tratio\tspread\ttarget\tmet\tlost\tduplicates\tsignatures\t")
	for _, s := range r.Scenarios {
		fmt.Fprintf(t, "%s\t%.0f\t%s\t%.0f\t%.2f\t%.2f..%.2f\t%.2f\t%s\t%d\t%d\t%d\t\n",
			s.Name, s.Value, s.Baseline, s.BaselineValue, s.Ratio, s.RatioMin, s.RatioMax,
			s.Target, yesNo(s.Met), s.Lost, s.Duplicates, s.Verified)
	}
	fmt.Fprintln(t)
	fmt.Fprintln(t, "run\tdelivered/s\tratio\trequest p50\tp99\tmax\tsend to receipt p50\tp90\tp99\tmax\t")
	for _, s := range r.Scenarios {
		for i, p := range s.Runs {
			fmt.Fprintf(t, "%s %d\t%.0f\t%.2f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", s.Name, i+1, p.Value, p.Ratio,
				formatMS(p.Request.P50), formatMS(p.Request.P99), formatMS(p.Request.Max),
				formatMS(p.Delivery.P50), formatMS(p.Delivery.P90), formatMS(p.Delivery.P99), formatMS(p.Delivery.Max))
		}
	}
	err := t.Flush()
	for _, note := range r.Notes {
		fmt.Fprintf(w, "\nnote: %s\n", note)
	}
	return err
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// formatMS prints milliseconds with about three digits.
func formatMS(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}
