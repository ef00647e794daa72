package report

import "fmt"

// String is the percentiles, for people.
func (l Latency) String() string {
	if l.Count == 0 {
		return "none"
	}
	return fmt.Sprintf("p50 %s, p90 %s, p99 %s, max %s", FormatMS(l.P50), FormatMS(l.P90), FormatMS(l.P99), FormatMS(l.Max))
}

// String is the machine in one line.
func (m Machine) String() string {
	return fmt.Sprintf("%d cores, %s, %s, %s %s, data on %s, fsync p50 %s p99 %s",
		m.Cores, m.CPU, m.Kernel, m.Go, m.Platform, m.Filesystem, FormatMS(m.FsyncP50), FormatMS(m.FsyncP99))
}

// FormatMS prints milliseconds with about three digits.
func FormatMS(ms float64) string {
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}
