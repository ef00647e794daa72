package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// The vertical measures of a plot over time, in pixels. The line is drawn in a
// box of 1000 units that is stretched to the width.
const (
	plotTop    = 8
	plotHeight = 148
	plotUnits  = 1000
	// plotPoints bounds the points of a line: of more, each few are drawn as their
	// largest.
	plotPoints = 1000
)

// seriesPlot is a figure over time.
type seriesPlot struct {
	Scenario, Name, Unit string
	Summary              string
	Line, Area           string // points in plotUnits by pixels
	DotX, DotY           string // where there is but one point; percent, pixels
	Times                []tick // along the bottom, percent
	Values               []tick // along the right, pixels
	Limit, LimitLabel    string // pixels; empty: none
	LimitShift           int    // of the label against the line, in pixels
	Over                 bool   // a value is above the limit
	Top, Height, Bottom  int
	Labels, Whole        int
	Units                int
}

// Desc is the plot for who does not see it.
func (p seriesPlot) Desc() string { return p.Scenario + ", " + p.Name + ": " + p.Summary }

// seriesPlots are those of all scenarios; series without points are left out.
func (r *Report) seriesPlots() []seriesPlot {
	var plots []seriesPlot
	for _, s := range r.Scenarios {
		for _, series := range s.Series {
			if points := drawable(series.Points); len(points) > 0 {
				plots = append(plots, plotSeries(s.Name, series, points))
			}
		}
	}
	return plots
}

// drawable are the points in the order of time, finite and not too many.
func drawable(points []Point) []Point {
	var all []Point
	for _, p := range points {
		if finite(p.Seconds) && finite(p.Value) {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b Point) int { return cmp.Compare(a.Seconds, b.Seconds) })
	if len(all) <= plotPoints {
		return all
	}
	each := (len(all) + plotPoints - 1) / plotPoints
	var thin []Point
	for few := range slices.Chunk(all, each) {
		thin = append(thin, slices.MaxFunc(few, func(a, b Point) int { return cmp.Compare(a.Value, b.Value) }))
	}
	return thin
}

func plotSeries(scenario string, s Series, points []Point) seriesPlot {
	first, last := points[0], points[len(points)-1]
	least := slices.MinFunc(points, func(a, b Point) int { return cmp.Compare(a.Value, b.Value) })
	most := slices.MaxFunc(points, func(a, b Point) int { return cmp.Compare(a.Value, b.Value) })
	y, values := linear(least.Value, max(most.Value, s.Limit), stepFor(s.Unit))
	length := last.Seconds - first.Seconds
	step, label := timeStep, timeLabel(length)
	if s.XUnit == Nines {
		step, label = nineStep, nineLabel
	}
	_, times := linear(0, length, step)
	x := axis{low: first.Seconds, high: last.Seconds}
	if x.high == x.low {
		x.low, x.high = x.low-1, x.high+1
		times = nil
	}
	p := seriesPlot{
		Scenario: scenario, Name: s.Name, Unit: captionUnit(s.Unit),
		Top: plotTop, Height: plotHeight, Bottom: plotTop + plotHeight, Labels: plotTop + plotHeight + 18, Whole: plotTop + plotHeight + 24, Units: plotUnits,
	}
	for i := range times {
		times[i] += first.Seconds
	}
	times = slices.DeleteFunc(times, func(t float64) bool { return t > last.Seconds+length/1000 })
	p.Times = x.horizontal(times, label)
	pixel := func(v float64) string { return attribute(plotHeight * (1 - y.share(v))) }
	offset := func(v float64) string { return attribute(plotTop + plotHeight*(1-y.share(v))) }
	for _, v := range values {
		p.Values = append(p.Values, tick{At: offset(v), Label: axisLabel(v, s.Unit)})
	}
	var line strings.Builder
	for _, point := range points {
		fmt.Fprintf(&line, "%s,%s ", attribute(plotUnits*x.share(point.Seconds)), pixel(point.Value))
	}
	p.Line = strings.TrimSpace(line.String())
	p.Area = fmt.Sprintf("%s,%s %s %s,%s", attribute(plotUnits*x.share(first.Seconds)), pixel(0), p.Line, attribute(plotUnits*x.share(last.Seconds)), pixel(0))
	if len(points) == 1 {
		p.DotX, p.DotY = x.percent(first.Seconds), offset(first.Value)
	}
	p.Summary = fmt.Sprintf("least %s, most %s, last %s", Format(least.Value, s.Unit), Format(most.Value, s.Unit), Format(last.Value, s.Unit))
	if s.Limit > 0 && finite(s.Limit) {
		p.Limit, p.LimitLabel, p.LimitShift = offset(s.Limit), "limit "+formatTarget(s.Limit, s.Unit), -4
		if y.share(s.Limit) > 0.9 {
			p.LimitShift = 14 // beneath: above it would leave the plot
		}
		p.Over = most.Value > s.Limit
		p.Summary += ", " + p.LimitLabel
	}
	return p
}

// captionUnit is the unit where the labels of the axis do not carry it.
func captionUnit(unit string) string {
	if brief(unit) {
		return ""
	}
	return unit
}
