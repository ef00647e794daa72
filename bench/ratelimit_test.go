package bench

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"posthaste/bench/report"
)

// paced are n arrivals: burst at once and then one every interval.
func paced(n, burst int, interval time.Duration) []int64 {
	times := make([]int64, n)
	for i := range times {
		times[i] = 1e18 + int64(max(i-burst+1, 0))*int64(interval)
	}
	return times
}

func TestLimitCase(t *testing.T) {
	for _, c := range []struct {
		limitCase
		each, burst int
	}{
		{limitCase{7, 1, time.Second}, 7, 2}, {limitCase{500, 1, 200 * time.Millisecond}, 100, 50},
		{limitCase{300, 2, 2 * time.Second}, 300, 15}, {limitCase{5000, 60, 2400 * time.Millisecond}, 200, 8},
		{limitCase{1, 1, time.Second}, 1, 1},
	} {
		if c.limitCase.each() != c.each || c.limitCase.burst() != c.burst {
			t.Errorf("%s: %d a window, burst %d", c, c.limitCase.each(), c.limitCase.burst())
		}
	}
	for _, quick := range []bool{true, false} {
		r := runner{Options: Options{Quick: quick}}
		for _, c := range r.limits() {
			if due := c.rate() * c.window.Seconds(); math.Abs(due-float64(c.each())) > 1e-6 {
				t.Errorf("%s: %v in %s is no whole number", c, due, c.window)
			}
		}
	}
}

func TestJudge(t *testing.T) {
	c := limitCase{100, 1, 100 * time.Millisecond} // 10 a window, burst 10
	exact := paced(140, 10, 10*time.Millisecond)
	for _, v := range []struct {
		name       string
		times      []int64
		posted     time.Duration
		rate       float64
		above      float64
		bunchingMS float64
		err        string
	}{
		{"exact", exact, 0, 100, 0, 0, ""},
		{"posted late", exact, 250 * time.Millisecond, 100, 0, 0, ""},
		{"posted too late", paced(140, 10, 11*time.Millisecond), time.Second, 0, 0, 0, "posting took so long"},
		{"2% fast", paced(140, 10, 9800*time.Microsecond), 0, 100 / 0.98, 2.1, 26, ""},
		{"slow", paced(140, 10, 11*time.Millisecond), 0, 100 / 1.1, 0, 0, ""},
		{"all at once", paced(140, 140, 0), time.Second, 1e11, 129.5, 1300, ""},
		{"burst of 13", paced(140, 13, 10*time.Millisecond), 0, 100, 2.5, 30, ""},
		{"few", exact[:100], 0, 0, 0, 0, "100 arrivals are fewer"},
	} {
		got, err := c.judge(v.times, v.times[0]+int64(v.posted))
		if v.err != "" || err != nil {
			if err == nil || v.err == "" || !strings.Contains(err.Error(), v.err) {
				t.Errorf("%s: %v, want %q", v.name, err, v.err)
			}
			continue
		}
		ms := milliseconds(int64(got.bunching))
		if math.Abs(got.rate/v.rate-1) > 1e-6 || math.Abs(got.above-v.above) > 1e-3 || math.Abs(ms-v.bunchingMS) > 0.01 {
			t.Errorf("%s: rate %v, above %v, bunching %v ms", v.name, got.rate, got.above, ms)
		}
	}
	series := c.windows(exact).Points
	if len(series) != 13 || series[0].Value != 1.9 || series[1].Value != 1 || series[12].Seconds != 1.3 {
		t.Errorf("series %v", series)
	}
}

// aboveBurst against its definition.
func TestAboveBurst(t *testing.T) {
	times := []int64{0, 0, 5e6, 9e6, 9e6, 9e6, 40e6, 41e6, 90e6}
	want := 0.0
	for i := range times {
		for j := i; j < len(times); j++ {
			want = max(want, float64(j-i+1)-2-100*float64(times[j]-times[i])/1e9)
		}
	}
	if got := aboveBurst(times, 100, 2); math.Abs(got-want) > 1e-9 || want < 3 {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestArrivals(t *testing.T) {
	a, err := newArrivals(2, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []struct {
		endpoint uint64
		ns       int64
	}{{0, 5}, {0, 3}, {2, 1}, {maxEndpoints, 1}, {0, 9}, {0, 10}} {
		a.note(n.endpoint, n.ns)
	}
	if got := a.times(0); len(got) != 3 || got[0] != 3 || got[2] != 9 {
		t.Errorf("got %v", got)
	}
	if a.times(1) != nil || a.times(2) != nil || a.times(-1) != nil {
		t.Error("times of endpoints that got nothing")
	}
	var none *arrivals
	none.note(0, 1)
	if none.times(0) != nil {
		t.Error("nothing was asked for and kept")
	}
	for _, bad := range [][2]int{{65, 1}, {1, maxArrivalTimes + 1}, {-1, 1}} {
		if _, err := newArrivals(bad[0], bad[1]); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func TestRatelimitRow(t *testing.T) {
	limits := []limitCase{{100, 1, 100 * time.Millisecond}, {200, 1, 100 * time.Millisecond}}
	for fault, obeyed := range map[string]bool{faultNone: true, faultNoLimit: false} {
		o := quickOptions(t, fault)
		o.EnsureDefaults()
		r := &runner{Options: o, progress: NewProgress(nil), secret: randomHex(16)}
		var row *report.Scenario
		var err error
		for range 5 { // on a busy machine posting takes too long, or what is measured stands still
			row, err = r.ratelimitOf(context.Background(), limits)
			if err == nil && obeyed == (row.Ratio >= 0.5 && row.Ratio <= 2) || err != nil && !strings.Contains(err.Error(), "posting took so long") {
				break
			}
		}
		if err != nil {
			t.Fatalf("%s: %v", fault, err)
		}
		if row.Published != limitPosted*30 || row.Lost != 0 || row.Verified == 0 || row.BaselineValue != 300 ||
			row.Target != 0.01 || len(row.Series) != 2 || len(row.Figures) != 7 || len(row.Checks) != 2 {
			t.Errorf("%s: %+v", fault, row)
		}
		if obeyed && (row.Ratio < 0.5 || row.Ratio > 2) || !obeyed && (row.Ratio < 2 || row.Met) {
			t.Errorf("%s: ratio %v, checks %+v", fault, row.Ratio, row.Checks)
		}
		checkEmpty(t, o.DataRoot)
	}
}

func TestRatelimitRowLoses(t *testing.T) {
	o := quickOptions(t, faultLose)
	o.TailLimit = 300 * time.Millisecond
	o.EnsureDefaults()
	r := &runner{Options: o, progress: NewProgress(nil), secret: randomHex(16)}
	if _, err := r.ratelimitOf(context.Background(), []limitCase{{1000, 1, 10 * time.Millisecond}}); err == nil || !strings.Contains(err.Error(), "did not arrive") {
		t.Errorf("error %v", err)
	}
}
