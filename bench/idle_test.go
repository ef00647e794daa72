package bench

import (
	"context"
	"strings"
	"testing"

	"posthaste/bench/report"
)

func idleOptions(t *testing.T, fault string) Options {
	o := quickOptions(t, fault)
	o.Scenarios, o.Quick, o.IdleEndpoints, o.Repeat = []string{"idle"}, true, 1500, 2
	return o
}

func TestIdle(t *testing.T) {
	o := idleOptions(t, faultNone)
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Scenarios) == 0 {
		t.Skip(got.Notes)
	}
	row := got.Scenarios[0]
	if row.Published != awakeOf(1500) || row.Lost != 0 || row.Duplicates != 0 || row.Verified == 0 || len(row.Runs) != 1 {
		t.Errorf("row %+v", row)
	}
	if len(row.Checks) != 2 || row.Checks[1].Value <= 0 || row.Checks[1].Target != 10 || row.Target != 1024 {
		t.Errorf("checks %+v", row.Checks)
	}
	for _, name := range []string{"start until ready", "endpoints created one by one", "endpoints created by bulk onboarding", "empty store: resident (VmRSS)", "all endpoints: resident (VmRSS)"} {
		if figureNamed(&row, name) <= 0 {
			t.Errorf("no figure %q in %+v", name, row.Figures)
		}
	}
	if len(row.Series) != 2 || len(row.Series[1].Points) < 2 {
		t.Errorf("series %+v", row.Series)
	}
	checkEmpty(t, o.DataRoot)
}

func figureNamed(row *report.Scenario, name string) float64 {
	for _, f := range row.Figures {
		if f.Name == name {
			return f.Value
		}
	}
	return 0
}

func TestIdleFindsLoss(t *testing.T) {
	o := idleOptions(t, faultLose)
	o.TailLimit = 300e6
	got, err := Run(context.Background(), o)
	if err == nil || !strings.Contains(err.Error(), "did not arrive") || len(got.Scenarios) == 0 || got.Scenarios[0].Lost == 0 {
		t.Errorf("error %v, report %+v", err, got)
	}
	checkEmpty(t, o.DataRoot)
}

func TestIdleIsCancelled(t *testing.T) {
	o := idleOptions(t, faultNone)
	o.IdleEndpoints = 100_000
	var progress cancelOnWrite
	ctx, cancel := context.WithCancel(context.Background())
	progress.cancel = cancel
	o.Progress = &progress
	if _, err := Run(ctx, o); err == nil {
		t.Error("no error")
	}
	checkEmpty(t, o.DataRoot)
}

// Memory is what it is once it has stopped to change, or at the end of patience.
func TestIdleWeight(t *testing.T) {
	of := func(empty, full int64) residenceSample {
		return residenceSample{now: []residence{{all: empty << 20}, {all: full << 20}}}
	}
	w := idleWeight{more: 1 << 20, samples: []residenceSample{of(40, 3000), of(40, 840)}}
	if got := w.residentEach(); got != 800 {
		t.Errorf("each %v, want 800", got)
	}
	a, b, c := of(100, 1000), of(100, 1009), of(102, 1000)
	if !alike(&a, &b) || alike(&a, &c) {
		t.Error("a change of a hundredth is the border")
	}
}
