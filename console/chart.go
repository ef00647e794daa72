package console

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// Charts are SVG that the server writes: x in percent of the width and y in pixels, so
// that nothing is stretched and no style is needed in the page. Only lines are stretched,
// in an svg of their own. The script adds a crosshair and the choice of a span.

// series is one row of numbers of a chart. Where there is none it has NaN.
type series struct {
	Name, Class string
	V           []float64
}

// tick is a mark on an axis: in percent along x, in pixels along y.
type tick struct {
	P     float64
	Label string
}

// The kinds of charts.
const (
	bars = "bars" // stacked, each in the part of the series
	line = "line"
	area = "area"
)

// chart is one of them.
type chart struct {
	Title, Now, Sub string // what it is of, its latest value, and what that is
	Unit, Kind      string
	Per             string // the unit in words
	Href            string // where a chosen span leads to
	H               int    // pixels
	Min, Max        float64
	Series, Legend  []series
	Times           []time.Time // when each step begins
	Step            time.Duration
	Ticks, XTicks   []tick
	Summary         string // for those who do not see it
}

// scale finds the upper end of the y axis, if none is set, and labels it.
func (c *chart) scale(label func(float64) string) {
	if c.Max == 0 {
		for i := range c.Times {
			c.Max = max(c.Max, c.top(i))
		}
		c.Max = round125(c.Max)
	}
	middle := c.Min + (c.Max-c.Min)/2
	c.Ticks = []tick{{c.y(c.Max), label(c.Max)}}
	if c.Kind != line || c.Min == 0 {
		c.Ticks = append(c.Ticks, tick{c.y(middle), label(middle)})
	} else {
		c.Ticks = append(c.Ticks, tick{c.y(c.Min), label(c.Min)})
	}
	c.Summary = fmt.Sprintf("%s: %s, %s.", c.Title, c.Now, c.Sub)
}

// top is the highest point of a step.
func (c *chart) top(i int) (top float64) {
	for _, s := range c.Series {
		switch v := s.V[i]; {
		case math.IsNaN(v):
		case c.Kind == bars:
			top += v
		default:
			top = max(top, v)
		}
	}
	return top
}

// round125 is the next round number.
func round125(v float64) float64 {
	if v <= 0 {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 1.5, 2, 3, 4, 5, 6, 8} {
		if m*power >= v {
			return m * power
		}
	}
	return 10 * power
}

func (c *chart) y(v float64) float64 {
	h := float64(c.H)
	return math.Round((h-(v-c.Min)/(c.Max-c.Min)*h)*10) / 10
}

// rect is a bar of a chart.
type rect struct {
	X, W  string
	Y, H  float64
	Class string
}

// leastPixels is how tall something other than success is at least: no failure is lost to
// rounding.
const leastPixels = 1.5

// Bars are the parts of all bars, each on top of the one before.
func (c *chart) Bars() []rect {
	var out []rect
	n := float64(len(c.Times))
	for i := range c.Times {
		base := 0.0
		for _, s := range c.Series {
			v := s.V[i]
			if v <= 0 || math.IsNaN(v) {
				continue
			}
			low, high := c.y(base), c.y(base+v)
			if low-high < leastPixels && s.Class != "ok" {
				high = low - leastPixels
			}
			out = append(out, rect{X: percent(float64(i) / n * 100), W: percent(max(100/n-0.28, 60/n)), Y: high, H: math.Round((low-high)*10) / 10, Class: s.Class})
			base += v
		}
	}
	return out
}

// Runs are the points of a series' line, in a box of 1000 by H: a run for each stretch
// without gaps.
func (c *chart) Runs(s series) []string {
	var runs []string
	var b strings.Builder
	n := float64(len(s.V))
	for i, v := range s.V {
		if math.IsNaN(v) {
			if b.Len() > 0 {
				runs = append(runs, b.String())
				b.Reset()
			}
			continue
		}
		x, y := (float64(i)+.5)/n*1000, c.y(min(max(v, c.Min), c.Max))
		if b.Len() == 0 { // a run of one point is a short line
			fmt.Fprintf(&b, "%.1f,%.1f ", x-min(3, 500/n), y)
		}
		fmt.Fprintf(&b, "%.1f,%.1f ", x, y)
	}
	if b.Len() > 0 {
		runs = append(runs, b.String())
	}
	return runs
}

// Area is the outline of what is below a series that has no gaps.
func (c *chart) Area(s series) string {
	if len(s.V) == 0 {
		return ""
	}
	n := float64(len(s.V))
	return fmt.Sprintf("%.1f,%d %s%.1f,%d", .5/n*1000, c.H, strings.Join(c.Runs(s), ""), (n-.5)/n*1000, c.H)
}

// Data is what the script reads: times in seconds, and values to two places; -1 for none.
func (c *chart) Data() (string, error) {
	type numbers struct {
		N string    `json:"n"`
		V []float64 `json:"v"`
	}
	out := struct {
		T    []int64   `json:"t"`
		Step int       `json:"d"`
		S    []numbers `json:"s"`
		U    string    `json:"u"`
	}{U: c.Unit, Step: int(c.Step.Seconds())}
	for _, t := range c.Times {
		out.T = append(out.T, t.Unix())
	}
	for _, s := range c.Series {
		v := make([]float64, len(s.V))
		for i := range v {
			v[i] = math.Round(s.V[i]*100) / 100
			if math.IsNaN(v[i]) {
				v[i] = -1
			}
		}
		out.S = append(out.S, numbers{s.Name, v})
	}
	text, err := json.Marshal(out)
	return string(text), err
}

// table is charts of one axis of time in numbers: for those who do not see them, and on
// paper.
type table struct {
	Head []string
	Rows [][]string
}

// tableOf has a column for each series, with what its chart says that it is.
func tableOf(charts []*chart) table {
	t := table{Head: []string{"From (UTC)"}}
	for _, at := range charts[0].Times {
		t.Rows = append(t.Rows, []string{at.UTC().Format("2006-01-02 15:04")})
	}
	for _, c := range charts {
		for _, s := range c.Series {
			t.Head = append(t.Head, s.Name+", "+c.Per)
			for i, v := range s.V {
				text := "–"
				if !math.IsNaN(v) {
					text = number(v)
				}
				t.Rows[i] = append(t.Rows[i], text)
			}
		}
	}
	return t
}
