package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// String is what is asked and what was found, such as "p99 12.1 ms, at most 15 ms".
func (c Check) String() string {
	return fmt.Sprintf("%s %s, %s", c.Name, c.Found(), c.Asked())
}

// Found is the value, with more digits where rounding would show a miss as a hit.
func (c Check) Found() string {
	text := Format(c.Value, c.Unit)
	if c.Met || text != Format(c.Target, c.Unit) || !finite(c.Value) {
		return text
	}
	return strings.TrimSpace(exactly(c.Value, c.Target) + " " + c.Unit)
}

// exactly prints v with as many digits as tell it from another number.
func exactly(v, other float64) string {
	for n := 3; n < 8; n++ {
		if text := strconv.FormatFloat(v, 'g', n, 64); text != strconv.FormatFloat(other, 'g', n, 64) {
			return text
		}
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// Asked is the target in words.
func (c Check) Asked() string { return c.bound() + formatTarget(c.Target, c.Unit) }

// askedShort is Asked without a unit that a column of numbers does not bear.
func (c Check) askedShort() string {
	if brief(c.Unit) {
		return c.Asked()
	}
	return c.bound() + Short(c.Target, c.Unit)
}

func (c Check) bound() string {
	if c.AtMost {
		return "at most "
	}
	return "at least "
}

// formatTarget leaves the zeros out that say nothing of a round target.
func formatTarget(v float64, unit string) string {
	if v == math.Trunc(v) && math.Abs(v) < 1000 && (unit == "ms" || unit == "s" || unit == "us") {
		return strings.TrimSpace(grouped(v) + " " + strings.Replace(unit, "us", "µs", 1))
	}
	text := Format(v, unit)
	number, rest, spaced := strings.Cut(text, " ")
	if spaced && strings.Contains(number, ".") {
		return strings.TrimRight(strings.TrimRight(number, "0"), ".") + " " + rest
	}
	return text
}
