package console

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// group writes digits with a comma for thousands.
func group(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	whole, frac, _ := strings.Cut(digits, ".")
	for k := len(whole) - 3; k > 0; k -= 3 {
		whole = whole[:k] + "," + whole[k:]
	}
	if frac != "" {
		whole += "." + frac
	}
	return sign + whole
}

// number writes a number, with one decimal if it is small and has some.
func number(v any) string {
	switch n := v.(type) {
	case int:
		return group(strconv.Itoa(n))
	case int64:
		return group(strconv.FormatInt(n, 10))
	case float64:
		if n < 10 && n != math.Trunc(n) {
			return group(strconv.FormatFloat(n, 'f', 1, 64))
		}
		return group(strconv.FormatFloat(math.Round(n), 'f', -1, 64))
	}
	return fmt.Sprint(v)
}

// short is a length of time in one or two units.
func short(d time.Duration) string {
	switch d = d.Abs(); {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		if m := int(d.Minutes()) % 60; m > 0 && d < 10*time.Hour {
			return fmt.Sprintf("%d h %d min", int(d.Hours()), m)
		}
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// millis is a time that something took, of which the API tells in milliseconds.
func millis(ms float64) string {
	switch {
	case ms >= 10_000:
		return strconv.FormatFloat(ms/1000, 'f', 1, 64) + " s"
	case ms < 10 && ms > 0:
		return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
	}
	return number(ms) + " ms"
}

// percent is a place on a chart.
func percent(f float64) string { return strconv.FormatFloat(f, 'f', 3, 64) + "%" }

// bytesText is a size.
func bytesText(n int) string {
	switch {
	case n < 1<<10:
		return fmt.Sprintf("%d bytes", n)
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}

// sizeText is a size that the API tells of as a number of any kind.
func sizeText(n int64) string {
	size, unit := float64(max(n, 0)), "bytes"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if size < 1024 {
			break
		}
		size, unit = size/1024, next
	}
	if size == math.Trunc(size) {
		return strconv.FormatFloat(size, 'f', -1, 64) + " " + unit
	}
	return strconv.FormatFloat(size, 'f', 1, 64) + " " + unit
}

// cutID is the end of an id, which tells it from others of the same moment.
func cutID(id string) string {
	if len(id) <= 7 {
		return id
	}
	return id[len(id)-7:]
}

func headID(id string) string { return id[:min(6, len(id))] }

// hostOf is the host of a URL as it is shown beside a name.
func hostOf(raw string) string {
	_, rest, found := strings.Cut(raw, "://")
	if !found {
		return raw
	}
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// dict makes a map of names and values, for a template that takes several.
func dict(pairs ...any) (map[string]any, error) {
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is not a name", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}

// countdown is the numbers from n-1 to 0.
func countdown(n int) []int {
	out := make([]int, 0, n)
	for i := n - 1; i >= 0; i-- {
		out = append(out, i)
	}
	return out
}

func (c *Console) funcs() template.FuncMap {
	return template.FuncMap{
		"asset": c.assets.path, "icon": icon, "pretty": prettyLines, "raw": rawLines,
		"num": number, "short": short, "ms": millis, "pct": percent, "bytes": bytesText,
		"tail": cutID, "head": headID, "host": hostOf, "dict": dict, "countdown": countdown,
		"lower": strings.ToLower, "join": strings.Join,
		"ago":   func(t time.Time) string { return short(c.o.Now().Sub(t)) + " ago" },
		"until": func(t time.Time) string { return short(max(time.Second, t.Sub(c.o.Now()))) },
		"at":    func(t time.Time, l *time.Location) string { return t.In(l).Format("15:04:05") },
		"day":   func(t time.Time, l *time.Location) string { return t.In(l).Format("2 Jan 2006, 15:04") },
		"when":  c.when,
		"iso":   func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") },
		"unix":  func(t time.Time) int64 { return t.Unix() },
		"add":   func(a, b int) int { return a + b },
		"mul":   func(a, b int) int { return a * b },
		"mulf":  func(a, b float64) float64 { return a * b },
		"deref": func(n *int) int { return *n },

		"fld": fieldOf, "setword": setWord, "outcomes": func() []string { return []string{"done", "refused", "begun", "failed"} }, "size": sizeText,
	}
}

// when is a time of day, with the day if that is not today.
func (c *Console) when(t time.Time, l *time.Location) string {
	t, now := t.In(l), c.o.Now().In(l)
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04:05")
	}
	if t.Year() == now.Year() {
		return t.Format("2 Jan 15:04:05")
	}
	return t.Format("2 Jan 2006 15:04")
}
