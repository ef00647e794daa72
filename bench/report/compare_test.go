package report

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func reportWith(ratio, p99 float64) *Report {
	s := Scenario{Name: "single", Unit: "deliveries/s", Baseline: "null_pipe"}
	s.Add(Run{Value: ratio * 1000, BaselineValue: 1000, Ratio: ratio, Usage: Usage{Server: 50, Generator: 10, Receiver: 5}})
	s.AtLeast("ratio", s.Ratio, "", 0.8)
	l := Scenario{Name: "latency", Unit: "ms"}
	l.Add(Run{Value: p99})
	l.AtMost("p99", p99, "ms", 15)
	return &Report{Machine: Machine{Cores: 2}, Scenarios: []Scenario{s, l}}
}

func TestCompare(t *testing.T) {
	third := reportWith(0.799, 12)
	third.Scenarios = third.Scenarios[:1] // latency was not run
	c := Compare([]*Report{reportWith(0.9, 16), reportWith(0.82, 10), third})
	var text bytes.Buffer
	if err := c.WriteMarkdown(&text); err != nil {
		t.Fatal(err)
	}
	want := `| scenario | figure | target | run 1 | run 2 | run 3 | median | spread | met |
| --- | --- | --- | ---: | ---: | ---: | ---: | --- | --- |
| single | deliveries/s |  | 900 | 820 | 799 | 820 | 799 to 900 | 2/3 |
|  | null_pipe |  | 1,000 | 1,000 | 1,000 | 1,000 | 1,000 to 1,000 |  |
|  | ratio | at least 0.80 | 0.90 | 0.82 | 0.799 | 0.82 | 0.80 to 0.90 | 2/3 |
|  | CPU |  | 65.0 µs | 65.0 µs | 65.0 µs | 65.0 µs | 65.0 to 65.0 µs |  |
| latency | p99 | at most 15 ms | 16.0 ms | 10.0 ms | – | 13.0 ms | 10.0 to 16.0 ms | 1/2 |

0 of 2 rows meet their targets. Missed: single (met in 2 of 3 runs), latency (met in 1 of 2 runs).
`
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
	if len(c.Notes) != 0 {
		t.Errorf("notes %q", c.Notes)
	}
}

func TestCompareSaysWhatDiffers(t *testing.T) {
	a, b := reportWith(0.9, 10), reportWith(0.9, 10)
	b.Machine.Cores, b.Quick, b.Version = 8, true, "v2"
	notes := strings.Join(Compare([]*Report{a, b}).Notes, "\n")
	for _, want := range []string{"run 2 differs from run 1 in its machine: 8 cores", "version: v2", "sizes: quick, not full"} {
		if !strings.Contains(notes, want) {
			t.Errorf("no %q in %s", want, notes)
		}
	}
}

// More runs than have a column of their own still show median and spread.
func TestCompareOfMany(t *testing.T) {
	var reports []*Report
	for i := range 7 {
		reports = append(reports, reportWith(0.8+float64(i)/100, 10))
	}
	var text bytes.Buffer
	if err := Compare(reports).WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "run 1  ") && strings.Contains(text.String(), "  run 1") || !strings.Contains(text.String(), "0.80 to 0.86") {
		t.Errorf("got\n%s", text.String())
	}
}

// Nothing is wider than a terminal.
func TestTextWidth(t *testing.T) {
	r := example(t)
	long := example(t)
	long.Command = strings.Repeat("x", 300)
	for i := range long.Scenarios {
		s := &long.Scenarios[i]
		s.Name, s.Baseline = strings.Repeat("name", 30), strings.Repeat("long ", 30)
		s.Value, s.BaselineValue, s.Title = 1e300, 1e14, strings.Repeat("a word ", 40)
		s.Checks[0].Name = strings.Repeat("check ", 40)
	}
	var out bytes.Buffer
	for _, one := range []*Report{r, long} {
		if err := one.WriteText(&out); err != nil {
			t.Fatal(err)
		}
		if err := Compare([]*Report{one, one, one}).WriteText(&out); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > textWidth {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}
