package bench

import (
	"context"
	"errors"
	"fmt"

	"posthaste/bench/report"
)

const deliveriesPerSecond = "deliveries/s"

// Why batch and fanout are left out.
var (
	errNoBatch  = fmt.Errorf("%w: the server has no batch route", errLeftOut)
	errNoFanout = fmt.Errorf("%w: the server has no fan-out route", errLeftOut)
)

// throughput is a closed loop against a baseline.
type throughput struct {
	name, title string
	mode        Mode
	baseline    string
	target      float64 // of the ratio
	fanout      int     // endpoints that each event goes to; 0: one
}

func (r *runner) single(ctx context.Context) (*report.Scenario, error) {
	return r.throughput(ctx, throughput{
		name: "single", mode: ModeSingle, baseline: nullPipeBaseline, target: 0.80,
		title: fmt.Sprintf("one event a request, %d connections, %d endpoints, %s", r.Connections, r.Endpoints, r.payloadText()),
	})
}

func (r *runner) batch(ctx context.Context) (*report.Scenario, error) {
	return r.throughput(ctx, throughput{
		name: "batch", mode: ModeBatch, baseline: bareLoopBaseline, target: 0.65,
		title: fmt.Sprintf("%d events a request, %d connections, %d endpoints, %s", r.BatchSize, r.BatchConnections, r.Endpoints, r.payloadText()),
	})
}

// throughput repeats baseline and scenario in turn.
func (r *runner) throughput(ctx context.Context, t throughput) (*report.Scenario, error) {
	if len(r.Fail) > 0 {
		t.title += fmt.Sprintf("; to the healthy endpoints while others fail (per cent: %s)", r.Fail)
	}
	row := &report.Scenario{Name: t.name, Title: t.title, Unit: deliveriesPerSecond, Baseline: t.baseline}
	err := r.repeated(ctx, row, func(repeat int) (*report.Run, error) { return r.pair(ctx, t, repeat) })
	if len(row.Runs) == 0 {
		return nil, err
	}
	row.AtLeast("ratio", row.Ratio, "", t.target)
	row.NotePayloadRate()
	return row, err
}

// repeated adds one run after the other to row. A run may come with an error; the
// others are still measured, unless it says that the scenario is left out.
func (r *runner) repeated(ctx context.Context, row *report.Scenario, one func(repeat int) (*report.Run, error)) error {
	var errs []error
	for i := 1; i <= r.Repeat && ctx.Err() == nil; i++ {
		run, err := one(i)
		if errors.Is(err, errLeftOut) {
			return err
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("repeat %d: %w", i, err))
		}
		if run != nil {
			row.Add(*run)
		}
	}
	if len(errs) == 0 {
		errs = append(errs, ctx.Err())
	}
	return errors.Join(errs...)
}

// pair measures the baseline and then the scenario. A run may come with an
// error: it was measured, and events were lost.
func (r *runner) pair(ctx context.Context, t throughput, repeat int) (*report.Run, error) {
	label := func(what string) string { return fmt.Sprintf("%s %d/%d %s", t.name, repeat, r.Repeat, what) }
	baseline, err := r.baseline(ctx, t.baseline, label(t.baseline))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.baseline, err)
	}
	if err := baseline.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", t.baseline, err)
	}
	phase, err := r.fannedOut(t.fanout).failing(r.Fail).underTest(ctx, t.mode, label("server"), r.profileOf(t.name, repeat))
	if phase == nil {
		return nil, err
	}
	run := newRun(baseline, phase)
	return &run, errors.Join(err, phase.Check())
}

// newRun is a phase beside its baseline.
func newRun(baseline, p *Phase) report.Run {
	return report.Run{
		Value:         p.Rate(),
		BaselineValue: baseline.Rate(),
		Ratio:         p.Rate() / baseline.Rate(),
		Seconds:       p.Seconds(),
		PayloadRate:   p.PayloadRate(),
		Published:     p.Receipts.Published,
		Lost:          p.Receipts.Lost,
		Duplicates:    p.Receipts.Duplicates,
		Verified:      p.Receipts.Verified,
		Refused:       p.Burst.Refused,
		Failed:        p.Burst.Failed,
		Request:       p.Burst.Latency,
		Delivery:      p.Receipts.Healthy.Latency,
		Usage:         p.Usage,
		BaselineUsage: baseline.Usage,
	}
}
