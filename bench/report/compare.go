package report

import (
	"fmt"
	"slices"
)

// Comparison is several reports side by side: what each found for the same
// figure, and how far they agree.
type Comparison struct {
	Reports []*Report // in the order given
	Rows    []ComparedRow
	Notes   []string // what makes the reports hard to compare
}

// ComparedRow is one figure of one scenario in all reports.
type ComparedRow struct {
	Scenario string
	Figure   string // "value", the baseline's name, "ratio", a check's name
	Unit     string
	Asked    string  // the target in words; empty if it has none
	Target   float64 // 0 without one
	AtMost   bool
	First    bool // of its scenario

	Cells            []ComparedCell // one for each report
	Median, Min, Max float64        // of the cells that are there
	Met, Of          int            // cells that meet their target, cells with one
}

// ComparedCell is what one report found.
type ComparedCell struct {
	There bool
	Value float64
	Asked bool // it has a target
	Met   bool
}

// figureOf finds a figure in a scenario.
type figureOf struct {
	name, unit string
	find       func(*Scenario) ComparedCell
}

// Compare puts reports side by side. Scenarios come in the order of the first
// report that has them.
func Compare(reports []*Report) *Comparison {
	c := &Comparison{Reports: reports, Notes: differences(reports)}
	for _, name := range scenarioNames(reports) {
		found := make([]*Scenario, len(reports))
		for i, r := range reports {
			found[i] = r.scenario(name)
		}
		first := true
		for _, f := range comparedFigures(found) {
			if row := compareRow(name, f, found); row != nil {
				row.First = first
				first = false
				c.Rows = append(c.Rows, *row)
			}
		}
	}
	return c
}

func scenarioNames(reports []*Report) []string {
	var names []string
	for _, r := range reports {
		for _, s := range r.Scenarios {
			if !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

func (r *Report) scenario(name string) *Scenario {
	for i := range r.Scenarios {
		if r.Scenarios[i].Name == name {
			return &r.Scenarios[i]
		}
	}
	return nil
}

// comparedFigures are those worth a row: value, baseline and ratio unless a check
// says the same, the checks, and the processor time.
func comparedFigures(found []*Scenario) []figureOf {
	var figures []figureOf
	last := lastOf(found)
	if !last.checked(func(c Check) bool { return c.Value == last.Value && c.Unit == last.Unit }) {
		figures = append(figures, figureOf{"value", last.Unit, func(s *Scenario) ComparedCell {
			return ComparedCell{There: true, Value: s.Value, Asked: len(s.Checks) > 0, Met: s.meets()}
		}})
	}
	if last.Baseline != "" {
		figures = append(figures, plainFigure(last.Baseline, last.Unit, func(s *Scenario) float64 { return s.BaselineValue }))
		if !last.checked(func(c Check) bool { return c.Name == "ratio" || c.Unit == "" && c.Value == last.Ratio }) {
			figures = append(figures, plainFigure("ratio", "", func(s *Scenario) float64 { return s.Ratio }))
		}
	}
	for _, s := range found {
		if s == nil {
			continue
		}
		for _, c := range s.Checks {
			if !slices.ContainsFunc(figures, func(f figureOf) bool { return f.name == c.Name }) {
				figures = append(figures, checkFigure(c))
			}
		}
	}
	figures = append(figures, plainFigure("CPU", "us", func(s *Scenario) float64 { return s.usage(false).sum() }))
	if last.Baseline != "" {
		figures = append(figures, plainFigure("CPU of "+last.Baseline, "us", func(s *Scenario) float64 { return s.usage(true).sum() }))
	}
	return figures
}

func lastOf(found []*Scenario) *Scenario {
	var last *Scenario
	for _, s := range found {
		if s != nil {
			last = s
		}
	}
	return last
}

func (s *Scenario) checked(is func(Check) bool) bool { return slices.ContainsFunc(s.Checks, is) }

// plainFigure has no target and is left out where it is zero.
func plainFigure(name, unit string, value func(*Scenario) float64) figureOf {
	return figureOf{name, unit, func(s *Scenario) ComparedCell {
		v := value(s)
		return ComparedCell{There: v != 0, Value: v}
	}}
}

func checkFigure(c Check) figureOf {
	return figureOf{c.Name, c.Unit, func(s *Scenario) ComparedCell {
		for _, own := range s.Checks {
			if own.Name == c.Name {
				return ComparedCell{There: true, Value: own.Value, Asked: true, Met: own.Met}
			}
		}
		return ComparedCell{}
	}}
}

// compareRow is nil if no report has the figure.
func compareRow(name string, f figureOf, found []*Scenario) *ComparedRow {
	row := &ComparedRow{Scenario: name, Figure: f.name, Unit: f.unit}
	var values []float64
	for _, s := range found {
		var cell ComparedCell
		if s != nil {
			cell = f.find(s)
			cell.There = cell.There && finite(cell.Value)
		}
		row.Cells = append(row.Cells, cell)
		if !cell.There {
			continue
		}
		values = append(values, cell.Value)
		if cell.Asked {
			row.Of++
		}
		if cell.Met {
			row.Met++
		}
		if i := slices.IndexFunc(s.Checks, func(c Check) bool { return c.Name == f.name }); i >= 0 {
			row.Asked, row.Target, row.AtMost = s.Checks[i].askedShort(), s.Checks[i].Target, s.Checks[i].AtMost
		}
	}
	if len(values) == 0 {
		return nil
	}
	row.Median, row.Min, row.Max = Median(values), slices.Min(values), slices.Max(values)
	return row
}

// usage is the median of the runs' processor times.
func (s *Scenario) usage(baseline bool) Usage {
	var u Usage
	if len(s.Runs) == 0 {
		return u
	}
	middle := func(of func(Usage) float64) float64 {
		return Median(s.collect(func(r Run) float64 {
			if baseline {
				return of(r.BaselineUsage)
			}
			return of(r.Usage)
		}))
	}
	u.Server = middle(func(u Usage) float64 { return u.Server })
	u.Generator = middle(func(u Usage) float64 { return u.Generator })
	u.Receiver = middle(func(u Usage) float64 { return u.Receiver })
	u.Busy = middle(func(u Usage) float64 { return u.Busy })
	return u
}

// differences are what reports should have in common and do not.
func differences(reports []*Report) []string {
	var notes []string
	check := func(what string, of func(*Report) string) {
		for i, r := range reports {
			if i > 0 && of(r) != of(reports[0]) {
				notes = append(notes, fmt.Sprintf("run %d differs from run 1 in its %s: %s, not %s", i+1, what, of(r), of(reports[0])))
			}
		}
	}
	check("machine", func(r *Report) string { return r.Machine.hardware() + "; " + r.Machine.system() })
	check("file system", func(r *Report) string { return r.Machine.Filesystem })
	check("version", func(r *Report) string { return r.Version })
	check("sizes", func(r *Report) string { return map[bool]string{true: "quick", false: "full"}[r.Quick] })
	return notes
}

// Verdict counts scenarios that meet their targets in every report that has them.
func (c *Comparison) Verdict() Verdict {
	var v Verdict
	for _, name := range scenarioNames(c.Reports) {
		runs, met, asked := 0, 0, 0
		for _, r := range c.Reports {
			s := r.scenario(name)
			if s == nil || len(s.Checks) == 0 {
				continue
			}
			asked += len(s.Checks)
			runs++
			if s.meets() {
				met++
			}
		}
		switch {
		case asked == 0:
			v.Untested++
			continue
		case met == runs:
			v.Met++
		default:
			v.Missed = append(v.Missed, fmt.Sprintf("%s (met in %d of %d runs)", name, met, runs))
		}
		v.Of++
	}
	return v
}
