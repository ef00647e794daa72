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
	o.Scenarios, o.Repeat, o.Rate = []string{"latency"}, 2, 200
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	row := got.Scenarios[0]
	unsent := row.Checks[len(row.Checks)-1] // some on a machine that stalls for seconds
	if row.Unit != "ms" || len(row.Runs) != 2 || row.Value <= 0 || row.BaselineValue <= 0 || row.Lost != 0 || row.Verified == 0 || row.Published != 80 && unsent.Met {
		t.Errorf("%+v", row)
	}
	if len(row.Checks) != 3 || unsent.Name != unsentEvents || row.Checks[0].Name != "p99" || row.Checks[0].Value != row.Value || row.Target != latencyP99 || !row.Checks[1].AtMost {
		t.Errorf("checks %+v", row.Checks)
	}
	if rate := row.Figures[0]; rate.Name != "rate" || rate.Value != 200 {
		t.Errorf("rate %+v", rate)
	}
	for _, s := range row.Series {
		if s.XUnit != report.Nines || len(s.Points) < nineSteps || s.Points[0].Seconds != 0 || s.Points[0].Value > s.Points[len(s.Points)-1].Value {
			t.Errorf("series %+v", s)
		}
	}
}

// The rate is the one asked for, or half of what single reached in this run if it
// lost nothing, or half of what is found out.
func TestLatencyRate(t *testing.T) {
	r := &runner{Options: quickOptions(t, faultNone), progress: NewProgress(nil), secret: goldenSecret, report: new(report.Report)}
	r.EnsureDefaults()
	if rate, _, err := r.latencyRate(context.Background()); err != nil || rate < 1 {
		t.Errorf("found out: %v, %v", rate, err)
	}
	r.report.Scenarios = []report.Scenario{{Name: "batch", Value: 9000}, {Name: "single", Value: 7001}}
	if rate, _, err := r.latencyRate(context.Background()); err != nil || rate != 3501 {
		t.Errorf("from the row of single: %v, %v", rate, err)
	}
	r.report.Scenarios[1].Lost = 1
	if _, ok := r.row("single"); ok {
		t.Error("a row with loss tells a rate")
	}
	r.Rate = 123
	if rate, _, err := r.latencyRate(context.Background()); err != nil || rate != 123 {
		t.Errorf("as asked: %v, %v", rate, err)
	}
}

// Who did not keep the pace is named.
func TestNotePace(t *testing.T) {
	for want, pace := range map[string]*Pace{
		"":                        {Rate: 100, Achieved: 99.5},
		"3 requests had to wait":  {Rate: 100, Achieved: 90, Waited: 3},
		"the generator could not": {Rate: 100, Achieved: 90},
		"7 were not sent":         {Rate: 100, Achieved: 99.5, Unsent: 7},
		"100 events/s are mo":     {Rate: 100, Achieved: 50, Unsent: 7, Waited: 9},
	} {
		r := &runner{report: new(report.Report)}
		r.notePace("x", &Phase{Burst: BurstResult{Pace: pace}})
		said := strings.Join(r.report.Notes, "\n")
		if !strings.Contains(said, want) || (want == "") != (said == "") {
			t.Errorf("%+v: notes %q, want %q", pace, said, want)
		}
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
