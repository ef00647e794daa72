package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// checkIndent is where the checks of a row begin.
const checkIndent = 4

// WriteText writes the report for people, at most 110 columns wide.
func (r *Report) WriteText(w io.Writer) error {
	var out bytes.Buffer
	r.writeHead(&out)
	parts := []func() *textTable{r.rowTable, r.eventTable, r.runTable, r.usageTable, r.figureTable}
	for _, part := range parts {
		if t := part(); len(t.rows) > 0 {
			fmt.Fprintln(&out)
			if err := t.write(&out); err != nil {
				return err
			}
		}
	}
	for _, note := range r.Notes {
		writeLines(&out, "\nnote: "+plain(note), "      ")
	}
	writeLines(&out, "\n"+plain(r.Verdict().String()), "")
	_, err := w.Write(out.Bytes())
	return err
}

func (r *Report) writeHead(out *bytes.Buffer) {
	for _, f := range r.facts() {
		writeLines(out, fmt.Sprintf("%-11s%s", f.Name, plain(f.Value)), strings.Repeat(" ", 11))
	}
}

// writeLines breaks text where it is too long; the lines after the first are
// indented.
func writeLines(out *bytes.Buffer, text, indent string) {
	rest, blank := strings.CutPrefix(text, "\n")
	if blank {
		out.WriteByte('\n')
	}
	head := rest[:min(len(indent), len(rest))]
	for i, l := range wrap(strings.TrimPrefix(rest, head), textWidth-len(indent)) {
		if i > 0 {
			head = indent
		}
		fmt.Fprintf(out, "%s%s\n", head, l)
	}
}

// rowTable is what the report is about: each row and what is asked of it.
func (r *Report) rowTable() *textTable {
	t := &textTable{columns: []column{
		{title: "scenario", most: 16}, {title: "value", right: true, most: 24}, {title: "baseline", right: true, most: 28},
		{title: "ratio", right: true, most: 8}, {title: "spread", most: 20}, {title: "met", most: 3},
	}}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		baseline, ratio := s.against()
		met := yesNo(s.meets())
		if len(s.Checks) == 0 {
			met = none
		}
		t.row(s.Name, Format(s.Value, s.Unit), baseline, ratio, s.spread(), met)
		for _, c := range s.Checks {
			word := "met: "
			if !c.Met {
				word = "MISSED: "
			}
			t.line(checkIndent, word+c.String())
		}
	}
	return t
}

// against is the baseline and the ratio; en dashes where there is none.
func (s *Scenario) against() (baseline, ratio string) {
	if s.Baseline == "" {
		return none, none
	}
	return s.Baseline + " " + Short(s.BaselineValue, s.Unit), Format(s.Ratio, "")
}

// spread is that of the ratio, or of the value where there is no baseline; an en
// dash for one run.
func (s *Scenario) spread() string {
	switch {
	case len(s.Runs) < 2:
		return none
	case s.Baseline == "":
		return formatSpread(s.ValueMin, s.ValueMax, s.Unit)
	}
	return formatSpread(s.RatioMin, s.RatioMax, "")
}

func (r *Report) eventTable() *textTable {
	t := &textTable{columns: []column{
		{title: "events", most: 16}, {title: "published", right: true, most: 14}, {title: "lost", right: true, most: 10},
		{title: "duplicates", right: true, most: 12}, {title: "signatures", right: true, most: 12}, {title: "runs", right: true, most: 4},
	}}
	for _, s := range r.Scenarios {
		t.row(s.Name, count(s.Published), count(s.Lost), count(s.Duplicates), count(s.Verified), count(len(s.Runs)))
		if s.Title != "" {
			t.line(checkIndent, s.Title)
		}
	}
	return t
}

// runTable is each run's rates and latencies.
func (r *Report) runTable() *textTable {
	t := &textTable{columns: []column{
		{title: "run", most: 14}, {title: "value", right: true, most: 10}, {title: "baseline", right: true, most: 10},
		{title: "ratio", right: true, most: 6}, {title: "request p50", right: true, most: 11}, {title: "p99", right: true, most: 9},
		{title: "receipt p50", right: true, most: 11}, {title: "p90", right: true, most: 9}, {title: "p99", right: true, most: 9},
		{title: "max", right: true, most: 9},
	}}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for n, run := range s.Runs {
			baseline, ratio := none, none
			if s.Baseline != "" {
				baseline, ratio = Short(run.BaselineValue, s.Unit), Format(run.Ratio, "")
			}
			t.row(runName(s, n), Short(run.Value, s.Unit), baseline, ratio,
				run.Request.ms(run.Request.P50), run.Request.ms(run.Request.P99),
				run.Delivery.ms(run.Delivery.P50), run.Delivery.ms(run.Delivery.P90), run.Delivery.ms(run.Delivery.P99), run.Delivery.ms(run.Delivery.Max))
			if run.Refused > 0 || run.Failed > 0 {
				t.line(checkIndent, count(run.Refused)+" requests refused and repeated, "+count(run.Failed)+" failed")
			}
		}
	}
	return t
}

func runName(s *Scenario, n int) string {
	if len(s.Runs) == 1 {
		return s.Name
	}
	return fmt.Sprintf("%s %d", s.Name, n+1)
}

// ms is one of the percentiles; an en dash where nothing was measured.
func (l Latency) ms(v float64) string {
	if l.Count == 0 {
		return none
	}
	return FormatMS(v)
}

// usageTable is where the processor went, in runs that say so.
func (r *Report) usageTable() *textTable {
	t := &textTable{columns: []column{
		{title: "µs a delivery", most: 26}, {title: "server", right: true}, {title: "generator", right: true},
		{title: "receiver", right: true}, {title: "sum", right: true}, {title: "busy", right: true}, {title: "peak memory", right: true},
	}}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		for n, run := range s.Runs {
			usageRow(t, runName(s, n), run.Usage)
			usageRow(t, "  "+s.Baseline, run.BaselineUsage)
		}
	}
	return t
}

func usageRow(t *textTable, name string, u Usage) {
	if u.sum() == 0 {
		return
	}
	server, memory := none, none
	if u.Server > 0 {
		server = digits(u.Server)
	}
	if u.MaxRSS > 0 {
		memory = Format(float64(u.MaxRSS), "bytes")
	}
	t.row(name, server, digits(u.Generator), digits(u.Receiver), digits(u.sum()), percent(u.Busy), memory)
}

func (u Usage) sum() float64 { return u.Server + u.Generator + u.Receiver }

func (r *Report) figureTable() *textTable {
	t := &textTable{columns: []column{{title: "figures", most: 16}, {title: "", most: 60}, {title: "", right: true, most: 24}}}
	for _, s := range r.Scenarios {
		for _, f := range s.Figures {
			t.row(s.Name, f.Name, Format(f.Value, f.Unit))
		}
	}
	return t
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
