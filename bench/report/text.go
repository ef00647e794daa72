package report

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

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
	fmt.Fprintln(t, "scenario\tvalue\tunit\tbaseline\tits value\tratio\tspread\ttarget\tmet\tlost\tduplicates\tsignatures\t")
	for _, s := range r.Scenarios {
		fmt.Fprintf(t, "%s\t%.0f\t%s\t%s\t%.0f\t%.2f\t%.2f..%.2f\t%.2f\t%s\t%d\t%d\t%d\t\n",
			s.Name, s.Value, s.Unit, s.Baseline, s.BaselineValue, s.Ratio, s.RatioMin, s.RatioMax,
			s.Target, yesNo(s.Met), s.Lost, s.Duplicates, s.Verified)
	}
	fmt.Fprintln(t)
	fmt.Fprintln(t, "run\tdelivered/s\tratio\trequest p50\tp99\tmax\tsend to receipt p50\tp90\tp99\tmax\t")
	for _, s := range r.Scenarios {
		for i, p := range s.Runs {
			fmt.Fprintf(t, "%s %d\t%.0f\t%.2f\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", s.Name, i+1, p.Value, p.Ratio,
				FormatMS(p.Request.P50), FormatMS(p.Request.P99), FormatMS(p.Request.Max),
				FormatMS(p.Delivery.P50), FormatMS(p.Delivery.P90), FormatMS(p.Delivery.P99), FormatMS(p.Delivery.Max))
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
