package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle template.CSS

// page is one HTML document without scripts and without anything from outside.
// html/template escapes what comes from a report: a file may hold anything.
var page = template.Must(template.New("page").Parse(pageText))

// pageView is what the template shows. One report has no comparison.
type pageView struct {
	Style   template.CSS
	Title   string
	Compare *comparisonView
	Reports []reportView
}

// reportView is a report, ready to be shown.
type reportView struct {
	Heading  string // of one among several
	Anchor   string
	Verdict  Verdict
	Facts    []fact
	Notes    []string
	Rows     []rowView
	Ratios   *barChart
	Shares   *barChart
	Latency  *latencyChart
	Usage    *usageChart
	Plots    []seriesPlot
	Figures  []figureView
	Runs     []runView
	RunUsage []runUsageView
}

type rowView struct {
	Name, Title, Value, Baseline, Ratio, Spread string

	Checks     []checkView
	Asked, Met bool
	Published  string
	Lost       string
	AnyLost    bool
	Duplicates string
	Verified   string
}

type checkView struct {
	Name, Found, Asked string
	Met                bool
}

type figureView struct{ Scenario, Name, Value string }

type runView struct {
	Name, Value, Baseline, Ratio, Seconds string
	Request, Delivery                     []string
	Refused, Failed                       string
}

type runUsageView struct {
	Name     string
	Baseline bool
	Cells    []string
}

// WriteHTML writes the report as one HTML page.
func (r *Report) WriteHTML(w io.Writer) error {
	title := "posthaste bench"
	if !r.Started.IsZero() {
		title += r.Started.UTC().Format(", 2006-01-02")
	}
	return writePage(w, pageView{Title: title, Reports: []reportView{r.view()}})
}

// WriteHTML writes the comparison and each of its reports as one HTML page.
func (c *Comparison) WriteHTML(w io.Writer) error {
	v := pageView{Title: fmt.Sprintf("posthaste bench, %d runs", len(c.Reports)), Compare: c.view()}
	for i, r := range c.Reports {
		one := r.view()
		one.Heading, one.Anchor = fmt.Sprintf("Run %d", i+1), fmt.Sprintf("run%d", i+1)
		v.Reports = append(v.Reports, one)
	}
	return writePage(w, v)
}

func writePage(w io.Writer, v pageView) error {
	v.Style = pageStyle
	var out bytes.Buffer
	if err := page.Execute(&out, v); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

func (r *Report) view() reportView {
	v := reportView{
		Verdict: r.Verdict(), Facts: r.facts(), Notes: r.Notes,
		Ratios: r.ratioChart(), Shares: r.shareChart(), Latency: r.latencyChart(), Usage: r.usageChart(), Plots: r.seriesPlots(),
	}
	for i := range r.Scenarios {
		s := &r.Scenarios[i]
		v.Rows = append(v.Rows, s.view())
		for n, f := range s.Figures {
			v.Figures = append(v.Figures, figureView{s.Name, f.Name, Format(f.Value, f.Unit)})
			if n > 0 {
				v.Figures[len(v.Figures)-1].Scenario = ""
			}
		}
		for n, run := range s.Runs {
			v.Runs = append(v.Runs, run.view(s, n))
			v.RunUsage = append(v.RunUsage, run.usageViews(s, n)...)
		}
	}
	return v
}

func (s *Scenario) view() rowView {
	baseline, ratio := s.against()
	v := rowView{
		Name: s.Name, Title: s.Title, Value: Format(s.Value, s.Unit), Baseline: baseline, Ratio: ratio, Spread: s.spread(),
		Asked: len(s.Checks) > 0, Met: s.meets(),
		Published: count(s.Published), Lost: count(s.Lost), AnyLost: s.Lost > 0, Duplicates: count(s.Duplicates), Verified: count(s.Verified),
	}
	for _, c := range s.Checks {
		v.Checks = append(v.Checks, checkView{c.Name, c.Found(), c.Asked(), c.Met})
	}
	return v
}

func (run Run) view(s *Scenario, n int) runView {
	v := runView{
		Name: runName(s, n), Value: Short(run.Value, s.Unit), Baseline: none, Ratio: none, Seconds: duration(run.Seconds),
		Refused: count(run.Refused), Failed: count(run.Failed),
	}
	if s.Baseline != "" {
		v.Baseline, v.Ratio = Short(run.BaselineValue, s.Unit), Format(run.Ratio, "")
	}
	l := run.Request
	for _, ms := range []float64{l.P50, l.P99, l.Max} {
		v.Request = append(v.Request, l.ms(ms))
	}
	l = run.Delivery
	for _, ms := range []float64{l.P50, l.P90, l.P99, l.P999, l.Max} {
		v.Delivery = append(v.Delivery, l.ms(ms))
	}
	return v
}

// usageViews are the run's and its baseline's, as far as they are known.
func (run Run) usageViews(s *Scenario, n int) []runUsageView {
	t := &textTable{}
	usageRow(t, runName(s, n), run.Usage)
	own := len(t.rows)
	usageRow(t, cmp.Or(s.Baseline, "baseline"), run.BaselineUsage)
	var views []runUsageView
	for i, cells := range t.rows {
		views = append(views, runUsageView{Name: cells[0], Baseline: i >= own, Cells: cells[1:]})
	}
	return views
}

// comparisonView is the table of several runs.
type comparisonView struct {
	Verdict Verdict
	Notes   []string
	Runs    []runFact
	Rows    []comparedView
}

type runFact struct{ Name, Anchor, Text string }

type comparedView struct {
	Scenario, Figure, Asked string
	Cells                   []checkView // Asked is empty where there is no target
	Median, Spread, Met     string
	All                     bool // met in all

	Dots   []dot // places of the runs, percent; none without a target
	Target string
	Desc   string
}

type dot struct {
	At  string
	Met bool
}

func (c *Comparison) view() *comparisonView {
	v := &comparisonView{Verdict: c.Verdict(), Notes: c.Notes}
	for i, r := range c.Reports {
		v.Runs = append(v.Runs, runFact{fmt.Sprintf("Run %d", i+1), fmt.Sprintf("#run%d", i+1), r.headline()})
	}
	for i := range c.Rows {
		row := &c.Rows[i]
		cells := row.cells(len(row.Cells))
		n := len(cells)
		one := comparedView{
			Scenario: cells[0], Figure: cells[1], Asked: cells[2], Median: cells[n-3], Spread: cells[n-2], Met: cells[n-1],
			All: row.Met == row.Of,
		}
		for j, cell := range row.Cells {
			one.Cells = append(one.Cells, checkView{Found: cells[3+j], Asked: map[bool]string{true: row.Asked}[cell.Asked], Met: cell.Met})
		}
		one.place(row)
		v.Rows = append(v.Rows, one)
	}
	return v
}

// place puts the runs on a line around the target, which lies in its middle.
func (v *comparedView) place(row *ComparedRow) {
	if row.Target <= 0 || !finite(row.Target) {
		return
	}
	reach := 0.1 * row.Target
	for _, cell := range row.Cells {
		if cell.There {
			reach = max(reach, min(cell.Value-row.Target, row.Target), min(row.Target-cell.Value, row.Target))
		}
	}
	a := axis{low: row.Target - 1.1*reach, high: row.Target + 1.1*reach}
	for _, cell := range row.Cells {
		if cell.There {
			v.Dots = append(v.Dots, dot{a.percent(cell.Value), cell.Met})
		}
	}
	v.Target = a.percent(row.Target)
	v.Desc = fmt.Sprintf("%s, %s in %d runs around the target, %s", row.Scenario, row.Figure, len(v.Dots), row.Asked)
}

// Names are the scenarios that miss a target, without the reasons.
func (r reportView) Names() []string {
	var names []string
	for _, row := range r.Rows {
		if row.Asked && !row.Met {
			names = append(names, row.Name)
		}
	}
	return names
}
