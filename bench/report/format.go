package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// none stands where there is no number.
const none = "–"

// String is the percentiles, for people.
func (l Latency) String() string {
	if l.Count == 0 {
		return "none"
	}
	return fmt.Sprintf("p50 %s, p90 %s, p99 %s, max %s", FormatMS(l.P50), FormatMS(l.P90), FormatMS(l.P99), FormatMS(l.Max))
}

// FormatMS prints milliseconds with about three digits.
func FormatMS(ms float64) string {
	switch {
	case !finite(ms):
		return none
	case ms != 0 && math.Abs(ms) < 1:
		return fmt.Sprintf("%.3f ms", ms)
	case ms < 10_000:
		return digits(ms) + " ms"
	}
	return Format(ms/1000, "s")
}

// Format prints a value with its unit and as many digits as the unit deserves:
// rates and counts none after the point, ratios two, bytes by powers of 1024,
// times about three digits in all. What is not finite is an en dash.
func Format(value float64, unit string) string {
	switch {
	case !finite(value):
		return none
	case unit == "":
		return formatRatio(value)
	case unit == "ms":
		return FormatMS(value)
	case unit == "us":
		return digits(value) + " µs"
	case unit == "bytes":
		return formatBytes(value)
	case unit == "bytes/s":
		return formatBytes(value) + "/s"
	case strings.HasSuffix(unit, "/s") || value == math.Trunc(value):
		return grouped(value) + " " + unit
	}
	return digits(value) + " " + unit
}

// brief reports whether a unit is a few letters that a column of numbers can bear.
func brief(unit string) bool {
	switch unit {
	case "", "ms", "us", "s", "bytes", "bytes/s", "%":
		return true
	}
	return false
}

// Short is Format without a unit of many letters, for columns that name it once.
func Short(value float64, unit string) string {
	text := Format(value, unit)
	if !brief(unit) {
		text = strings.TrimSuffix(text, " "+unit)
	}
	return text
}

// formatSpread is from the least to the most.
func formatSpread(low, high float64, unit string) string {
	from, to := Short(low, unit), Short(high, unit)
	if i := strings.LastIndexByte(to, ' '); i >= 0 {
		from = strings.TrimSuffix(from, to[i:]) // the unit once, if it is the same
	}
	return from + " to " + to
}

// formatRatio has two digits after the point, three where two would be mostly zeros.
func formatRatio(v float64) string {
	switch {
	case v != 0 && math.Abs(v) < 0.1:
		return fmt.Sprintf("%.3f", v)
	case math.Abs(v) < 1000:
		return fmt.Sprintf("%.2f", v)
	}
	return grouped(v)
}

func formatBytes(v float64) string {
	if math.Abs(v) < 1024 {
		if v == math.Trunc(v) {
			return grouped(v) + " B"
		}
		return digits(v) + " B"
	}
	for _, unit := range []string{"KiB", "MiB", "GiB"} {
		if v /= 1024; math.Abs(v) < 1024 {
			return digits(v) + " " + unit
		}
	}
	return digits(v/1024) + " TiB"
}

// digits prints about three digits.
func digits(v float64) string {
	switch a := math.Abs(v); {
	case a == 0:
		return "0"
	case a < 0.01:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a < 9.995:
		return fmt.Sprintf("%.2f", v)
	case a < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return grouped(v)
}

// grouped prints a whole number with a comma for each thousand.
func grouped(v float64) string {
	if math.Abs(v) >= 1e15 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	text := strconv.FormatFloat(math.Round(math.Abs(v)), 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	if v < 0 && text != "0" {
		text = "-" + text
	}
	return text
}

func count[N int | int64](n N) string { return grouped(float64(n)) }

// percent prints a share of one.
func percent(v float64) string {
	if !finite(v) {
		return none
	}
	return fmt.Sprintf("%.0f %%", 100*v)
}

// duration prints seconds as a person says them.
func duration(seconds float64) string {
	s := int64(math.Round(seconds))
	switch {
	case !finite(seconds) || seconds >= 1e9:
		return none
	case seconds < 100:
		return digits(seconds) + " s"
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s/60%60)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// plain makes text of a report fit for one line of a terminal: a file may hold
// anything, escape sequences among it.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
}
