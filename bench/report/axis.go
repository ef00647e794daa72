package report

import (
	"fmt"
	"math"
	"strconv"
)

// tick is a line across a plot and what it stands for.
type tick struct {
	At    string // percent, or pixels on a vertical axis
	Label string
	Side  string // text-anchor: start, middle or end
}

// axis maps values to shares of its length, 0 to 1.
type axis struct {
	low, high float64
	log       bool
}

// share is where a value lies; what is outside lies on the edge.
func (a axis) share(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		v, low, high = math.Log10(max(v, a.low)), math.Log10(a.low), math.Log10(a.high)
	}
	s := (v - low) / (high - low)
	if math.IsNaN(s) {
		return 0
	}
	return min(max(s, 0), 1)
}

// percent is where a value lies, for an attribute of SVG.
func (a axis) percent(v float64) string { return attribute(100*a.share(v)) + "%" }

// width is the length between two values, for an attribute of SVG.
func (a axis) width(from, to float64) string {
	return attribute(100*max(a.share(to)-a.share(from), 0)) + "%"
}

// attribute is a number as SVG reads it.
func attribute(v float64) string {
	if !finite(v) {
		v = 0
	}
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

// linear is an axis from 0 (or below, if there is less) to a round value not
// below high, and its ticks.
func linear(low, high float64, steps func(length float64) float64) (axis, []float64) {
	const most = 1e300 // beyond it sums overflow
	low, high = max(min(low, 0), -most), min(max(high, 0), most)
	if high-low < 1e-300 {
		high = low + 1
	}
	step := steps(high - low)
	a := axis{low: math.Floor(low/step) * step, high: math.Ceil(high/step) * step}
	var ticks []float64
	for i := range 20 {
		if v := a.low + float64(i)*step; v <= a.high+step/2 {
			ticks = append(ticks, v)
		}
	}
	return a, ticks
}

// decimalStep is 1, 2 or 5 times a power of ten, about a quarter of the length.
func decimalStep(length float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(length/4)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= length/5 {
			return m * power
		}
	}
	return 10 * power
}

// binaryStep is a power of two, for bytes.
func binaryStep(length float64) float64 {
	return math.Pow(2, math.Ceil(math.Log2(length/5)))
}

// timeStep is a round part of a minute or an hour.
func timeStep(length float64) float64 {
	for _, s := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400} {
		if s >= length/6 && length > 4 {
			return s
		}
	}
	return decimalStep(length)
}

// nineStep is one percentile, or several where there are many.
func nineStep(length float64) float64 { return max(1, math.Ceil(length/6)) }

// nineLabel is the percentile with so many nines.
func nineLabel(nines float64) string {
	return "p" + strconv.FormatFloat(100-100*math.Pow(10, -nines), 'f', max(0, int(nines)-2), 64)
}

// stepFor is the step of a vertical axis.
func stepFor(unit string) func(float64) float64 {
	if unit == "bytes" || unit == "bytes/s" {
		return binaryStep
	}
	return decimalStep
}

// decades is a logarithmic axis around values above zero, and its ticks; not ok
// without any.
func decades(values []float64) (a axis, ticks []float64, ok bool) {
	low, high := math.Inf(1), 0.0
	for _, v := range values {
		if finite(v) && v > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	if high == 0 {
		return a, nil, false
	}
	from := max(math.Floor(math.Log10(low)), -4)
	to := min(max(math.Ceil(math.Log10(high)), from+1), from+12)
	for e := from; e <= to; e++ {
		ticks = append(ticks, math.Pow(10, e))
	}
	return axis{low: math.Pow(10, from), high: math.Pow(10, to), log: true}, ticks, true
}

// horizontal places ticks; the labels of the outermost stay within the plot.
func (a axis) horizontal(values []float64, label func(float64) string) []tick {
	var ticks []tick
	for _, v := range values {
		t := tick{At: a.percent(v), Label: label(v), Side: "middle"}
		switch s := a.share(v); {
		case s < 0.01:
			t.Side = "start"
		case s > 0.99:
			t.Side = "end"
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// timeLabel says a moment in the unit of the axis's length.
func timeLabel(length float64) func(float64) string {
	per, unit := 1.0, "s"
	switch {
	case length > 3*3600:
		per, unit = 3600, "h"
	case length > 180:
		per, unit = 60, "min"
	}
	return func(v float64) string {
		if v == 0 {
			return "0"
		}
		return fmt.Sprintf("%s %s", strconv.FormatFloat(v/per, 'g', 4, 64), unit)
	}
}

// axisLabel is a tick of a vertical axis, as short as it can be.
func axisLabel(v float64, unit string) string {
	if v == 0 {
		return "0"
	}
	if brief(unit) && unit != "" && unit != "%" {
		return formatTarget(v, unit)
	}
	suffix := ""
	if unit == "%" {
		suffix = " %"
	}
	for _, p := range []struct {
		from float64
		name string
	}{{1e9, " G"}, {1e6, " M"}, {1e4, " k"}} {
		if math.Abs(v) >= p.from {
			if p.name == " k" {
				return strconv.FormatFloat(v/1e3, 'g', 4, 64) + p.name
			}
			return strconv.FormatFloat(v/p.from, 'g', 4, 64) + p.name
		}
	}
	return strconv.FormatFloat(v, 'g', 4, 64) + suffix
}
