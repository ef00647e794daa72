package bench

import (
	"math"
	"sync"
	"testing"
	"time"

	"posthaste/bench/report"
)

func TestLatencySummary(t *testing.T) {
	r := newRecorder()
	var wg sync.WaitGroup
	for i := 1; i <= 1000; i++ {
		wg.Go(func() { r.record(uint64(i), time.Duration(i)*time.Millisecond) })
	}
	wg.Wait()
	got := r.summary()
	want := report.Latency{Count: 1000, P50: 500, P90: 900, P99: 990, Max: 1000}
	for _, v := range [][2]float64{{got.P50, want.P50}, {got.P90, want.P90}, {got.P99, want.P99}, {got.Max, want.Max}} {
		if math.Abs(v[0]-v[1]) > 0.002*v[1] {
			t.Errorf("got %+v, want %+v within two thousandths", got, want)
			break
		}
	}
	if got.Count != want.Count {
		t.Errorf("count %d, want %d", got.Count, want.Count)
	}
	r.reset()
	if got := r.summary(); got != (report.Latency{}) || got.String() != "none" {
		t.Errorf("after reset: %+v, %s", got, got)
	}
}

// A clock that is set back makes a negative duration; one beyond the range must
// not vanish either.
func TestLatencyOutOfRange(t *testing.T) {
	r := newRecorder()
	r.record(0, -time.Second)
	r.record(0, 100*time.Hour)
	got := r.summary()
	if hour := milliseconds(int64(time.Hour)); got.Count != 2 || math.Abs(got.Max-hour) > 0.002*hour {
		t.Errorf("got %+v", got)
	}
}

func TestFormatMS(t *testing.T) {
	for ms, want := range map[float64]string{0.123: "0.123 ms", 9.9: "9.90 ms", 42.25: "42.2 ms", 512.4: "512 ms", 12_345: "12.3 s"} {
		if got := report.FormatMS(ms); got != want {
			t.Errorf("%v: got %q, want %q", ms, got, want)
		}
	}
}
