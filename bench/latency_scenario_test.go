package bench

import (
	"context"
	"strings"
	"testing"
	"time"

	"posthaste/bench/report"
)

func TestLatencyScenario(t *testing.T) {
	o := quickOptions(t, faultNone)
	o.Scenarios, o.Repeat = []string{"single", "latency"}, 2
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	single, row := got.Scenarios[0], got.Scenarios[1]
	rate := row.Figures[0]
	if rate.Name != "rate" || rate.Value < single.Value/2-1 || rate.Value > single.Value/2+1 {
		t.Errorf("rate %+v, single reached %v", rate, single.Value)
	}
	if row.Unit != "ms" || len(row.Runs) != 2 || row.Value <= 0 || row.BaselineValue <= 0 || row.Lost != 0 || row.Verified == 0 {
		t.Errorf("%+v", row)
	}
	if len(row.Checks) != 2 || row.Checks[0].Name != "p99" || row.Checks[0].Value != row.Value || row.Target != latencyP99 || !row.Checks[1].AtMost {
		t.Errorf("checks %+v", row.Checks)
	}
	for _, s := range row.Series {
		if len(s.Points) < nineSteps || s.Points[0].Seconds != 0 || s.Points[0].Value > s.Points[len(s.Points)-1].Value {
			t.Errorf("series %+v", s)
		}
	}
}

// Without a row of single the rate is found out, and with a rate it is that.
func TestLatencyRate(t *testing.T) {
	o := quickOptions(t, faultNone)
	o.Scenarios = []string{"latency"}
	got, err := Run(context.Background(), o)
	if err != nil || len(got.Scenarios) != 1 || got.Scenarios[0].Figures[0].Value < 1 {
		t.Errorf("%+v, %v", got, err)
	}
	r := &runner{Options: Options{Rate: 123}}
	if rate, _, err := r.latencyRate(context.Background()); rate != 123 || err != nil {
		t.Errorf("rate %v, %v", rate, err)
	}
}

func TestFanoutScenario(t *testing.T) {
	o := quickOptions(t, faultNone)
	o.Scenarios, o.Fanout = []string{"fanout"}, 7
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	row := got.Scenarios[0]
	if row.Published == 0 || row.Published%7 != 0 || row.Lost != 0 || row.Duplicates != 0 || row.Verified == 0 || row.Target != 0.65 || row.Baseline != bareLoopBaseline {
		t.Errorf("%+v", row)
	}
}

// A delivery of a fan-out that is missing is lost, also when the event reached
// the other endpoints.
func TestFanoutFindsLoss(t *testing.T) {
	o := quickOptions(t, faultLose)
	o.Scenarios, o.Fanout, o.TailLimit = []string{"fanout"}, 7, 300*time.Millisecond
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "did not arrive") {
		t.Errorf("got %v", err)
	}
}

// A server of ours that signs nothing is at fault; another's may.
func TestUnsignedIsAFault(t *testing.T) {
	o := quickOptions(t, faultUnsigned)
	o.Scenarios = []string{"single"}
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "carried no signature") {
		t.Errorf("got %v", err)
	}
}

func TestLatencySeries(t *testing.T) {
	phases := func(values ...float64) latencyRun {
		p := new(Phase)
		for i, v := range values {
			p.Receipts.Percentiles = append(p.Receipts.Percentiles, report.Point{Seconds: float64(i), Value: v})
		}
		return latencyRun{server: p}
	}
	runs := []latencyRun{phases(1, 5, 9), phases(3, 4), phases(2, 9, 10)}
	got := latencySeries("x", runs, func(l latencyRun) *Phase { return l.server })
	if len(got.Points) != 2 || got.Points[0].Value != 2 || got.Points[1].Value != 5 {
		t.Errorf("%+v", got)
	}
}

func TestPercentiles(t *testing.T) {
	r := newRecorder()
	if got := percentiles(merged(r)); got != nil {
		t.Errorf("of nothing: %v", got)
	}
	for i := range 1000 {
		r.record(uint64(i), time.Duration(i+1)*time.Millisecond)
	}
	got := percentiles(merged(r))
	for at, want := range map[int]float64{0: 1, 10: 900, 20: 990, 30: 999} {
		if v := got[at].Value; v < 0.99*want || v > 1.01*want || got[at].Seconds != float64(at)/10 {
			t.Errorf("position %d: %+v, want %v", at, got[at], want)
		}
	}
	if len(got) != 31 {
		t.Errorf("%d positions of a thousand", len(got))
	}
}
