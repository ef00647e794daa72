package report

import (
	"math"
	"testing"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		value float64
		unit  string
		want  string
		short string
	}{
		{24311.6, "deliveries/s", "24,312 deliveries/s", "24,312"},
		{0.4, "deliveries/s", "0 deliveries/s", "0"},
		{0.8049, "", "0.80", "0.80"},
		{0.0123, "", "0.012", "0.012"},
		{12345, "", "12,345", "12,345"},
		{0.1124, "ms", "0.112 ms", "0.112 ms"},
		{1.4149, "ms", "1.41 ms", "1.41 ms"},
		{15.24, "ms", "15.2 ms", "15.2 ms"},
		{123.6, "ms", "124 ms", "124 ms"},
		{12_345, "ms", "12.3 s", "12.3 s"},
		{912, "bytes", "912 B", "912 B"},
		{1024, "bytes", "1.00 KiB", "1.00 KiB"},
		{447741952, "bytes", "427 MiB", "427 MiB"},
		{5.1e9, "bytes", "4.75 GiB", "4.75 GiB"},
		{5e15, "bytes", "4,547 TiB", "4,547 TiB"},
		{3 << 20, "bytes/s", "3.00 MiB/s", "3.00 MiB/s"},
		{3.4211, "s", "3.42 s", "3.42 s"},
		{76.24, "us", "76.2 µs", "76.2 µs"},
		{0.41, "%", "0.41 %", "0.41 %"},
		{5_000_000, "deliveries", "5,000,000 deliveries", "5,000,000"},
		{1.0851, "bytes a byte", "1.09 bytes a byte", "1.09"},
		{-1234567, "events", "-1,234,567 events", "-1,234,567"},
		{1e300, "events", "1e+300 events", "1e+300"},
		{math.NaN(), "ms", none, none},
		{math.Inf(1), "deliveries/s", none, none},
	} {
		if got := Format(c.value, c.unit); got != c.want {
			t.Errorf("%v %s: %q, want %q", c.value, c.unit, got, c.want)
		}
		if got := Short(c.value, c.unit); got != c.short {
			t.Errorf("%v %s in short: %q, want %q", c.value, c.unit, got, c.short)
		}
	}
}

func TestFormatSpread(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		unit      string
		want      string
	}{
		{0.79, 0.83, "", "0.79 to 0.83"},
		{1.39, 1.45, "ms", "1.39 to 1.45 ms"},
		{1000, 2 << 20, "bytes", "1,000 B to 2.00 MiB"},
		{23960, 25080, "deliveries/s", "23,960 to 25,080"},
	} {
		if got := formatSpread(c.low, c.high, c.unit); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// A miss never reads like a hit.
func TestCheckText(t *testing.T) {
	var s Scenario
	s.AtLeast("ratio", 0.81, "", 0.8)
	s.AtLeast("ratio", 0.7996, "", 0.8)
	s.AtLeast("ratio", math.Nextafter(0.8, 0), "", 0.8)
	s.AtMost("p99", 15.004, "ms", 15)
	s.AtMost("resident memory", 300<<20, "bytes", 512<<20)
	s.AtMost("start", math.NaN(), "s", 10)
	for i, want := range []string{
		"ratio 0.81, at least 0.80", "ratio 0.7996, at least 0.80", "ratio 0.7999999999999999, at least 0.80",
		"p99 15.004 ms, at most 15 ms", "resident memory 300 MiB, at most 512 MiB", "start –, at most 10 s",
	} {
		if got := s.Checks[i].String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if s.Checks[5].Met {
		t.Error("what was not measured is met")
	}
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{0.5: "0.50 s", 59: "59.0 s", 1463.2: "24 min 23 s", 7260: "2 h 1 min", math.Inf(1): none, 1e300: none} {
		if got := duration(seconds); got != want {
			t.Errorf("%v: %q, want %q", seconds, got, want)
		}
	}
}
