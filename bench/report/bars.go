package report

import (
	"fmt"
	"strings"
)

// The longest that a bar gets: what is beyond it is drawn as open-ended.
const (
	mostRatio = 2.0
	mostShare = 2.0
)

// barChart is a table with a bar in each row.
type barChart struct {
	Rows  []barRow
	Ticks []tick
}

// barRow is a value against a target. Lengths and places are percent.
type barRow struct {
	Name, Of string // the scenario, and what the value is of it
	Number   string
	Asked    string
	Met      bool
	Beyond   bool // the value is outside of the axis

	Width, Target   string
	Spread          string // in words; empty for a single run
	Low, SpreadSpan string // where the spread begins, and its length
	High            string
	Ticks           []tick
}

// Desc is the row for who does not see it.
func (r barRow) Desc() string {
	text := fmt.Sprintf("%s, %s: %s, %s", r.Name, r.Of, r.Number, r.Asked)
	if r.Spread != "" {
		text += ", spread " + r.Spread
	}
	return text
}

// ratioChart is each ratio with a floor, and its spread over the runs.
func (r *Report) ratioChart() *barChart {
	high := 1.0
	for _, s := range r.Scenarios {
		for _, c := range s.Checks {
			if c.isRatio() && finite(c.Value) {
				high = max(high, c.Value, c.Target)
			}
		}
	}
	a, ticks := linear(0, min(high, mostRatio), func(float64) float64 { return 0.2 })
	chart := &barChart{Ticks: a.horizontal(ticks, func(v float64) string { return fmt.Sprintf("%.1f", v) })}
	for _, s := range r.Scenarios {
		for _, c := range s.Checks {
			if !c.isRatio() {
				continue
			}
			row := newBarRow(a, s.Name, c, c.Value, c.Target)
			if s.Baseline != "" {
				row.Of = strings.TrimSpace(c.Name + " to " + s.Baseline)
			}
			if len(s.Runs) > 1 && c.Value == s.Ratio {
				row.Spread = formatSpread(s.RatioMin, s.RatioMax, "")
				row.Low, row.High = a.percent(s.RatioMin), a.percent(s.RatioMax)
				row.SpreadSpan = a.width(s.RatioMin, s.RatioMax)
			}
			chart.Rows = append(chart.Rows, row)
		}
	}
	return chart.withGrid()
}

// isRatio reports whether the check is a ratio with a floor.
func (c Check) isRatio() bool { return c.Unit == "" && !c.AtMost }

// shareChart is each value with a ceiling, as a share of that.
func (r *Report) shareChart() *barChart {
	high := 1.0
	for _, s := range r.Scenarios {
		for _, c := range s.Checks {
			if c.AtMost && c.Target > 0 && finite(c.Value/c.Target) {
				high = max(high, c.Value/c.Target)
			}
		}
	}
	a, ticks := linear(0, min(high, mostShare), func(float64) float64 { return 0.25 })
	chart := &barChart{Ticks: a.horizontal(ticks, percent)}
	for _, s := range r.Scenarios {
		for _, c := range s.Checks {
			if c.AtMost && c.Target > 0 {
				chart.Rows = append(chart.Rows, newBarRow(a, s.Name, c, c.Value/c.Target, 1))
			}
		}
	}
	return chart.withGrid()
}

func newBarRow(a axis, scenario string, c Check, at, target float64) barRow {
	return barRow{
		Name: scenario, Of: c.Name, Number: c.Found(), Asked: c.Asked(), Met: c.Met,
		Beyond: !(at <= a.high), Width: a.percent(at), Target: a.percent(target),
	}
}

func (c *barChart) withGrid() *barChart {
	if len(c.Rows) == 0 {
		return nil
	}
	for i := range c.Rows {
		c.Rows[i].Ticks = c.Ticks
	}
	return c
}
