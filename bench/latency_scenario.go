package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"posthaste/bench/report"
)

// What is asked of latency, in milliseconds from when an event was to be sent to
// its first receipt. That is stricter than from its acceptance.
const (
	latencyP50 = 3.0
	latencyP99 = 15.0
)

// findMaximum bounds the closed loop that finds the maximum of single, where no
// row tells it.
const findMaximum = 3 * time.Second

// latencyRun is one repeat of latency: both open loops.
type latencyRun struct{ baseline, server *Phase }

func (r *runner) latency(ctx context.Context) (*report.Scenario, error) {
	rate, why, err := r.latencyRate(ctx)
	if err != nil {
		return nil, fmt.Errorf("find the rate: %w", err)
	}
	open := *r
	open.shape.rate = rate
	row := &report.Scenario{
		Name: "latency", Unit: "ms", Baseline: nullPipeBaseline,
		Title: fmt.Sprintf("p99 from intended send to receipt, open loop of %.0f events/s (%s), at most %d in flight, %d endpoints, %s",
			rate, why, r.Connections, r.Endpoints, r.payloadText()),
	}
	var runs []latencyRun
	err = r.repeated(ctx, row, func(repeat int) (*report.Run, error) {
		both, err := open.latencyPair(ctx, repeat)
		if both.server == nil {
			return nil, err
		}
		runs = append(runs, both)
		return both.run(), err
	})
	if len(runs) == 0 {
		return nil, err
	}
	describeLatency(row, runs)
	return row, err
}

// latencyRate is half of what a closed loop of single reaches, or what the
// options say.
func (r *runner) latencyRate(ctx context.Context) (rate float64, why string, err error) {
	if r.Rate > 0 {
		return float64(r.Rate), "as asked", nil
	}
	maximum := 0.0
	if row, ok := r.row("single"); ok && len(r.Fail) == 0 {
		maximum = row.Value
	} else {
		short := *r
		short.Duration = min(r.Duration, findMaximum)
		p, err := short.underTest(ctx, ModeSingle, "latency: the maximum", "")
		if err != nil {
			return 0, "", err
		}
		if err := p.Check(); err != nil {
			return 0, "", err
		}
		maximum = p.Rate()
	}
	return max(math.Round(maximum/2), 1), fmt.Sprintf("half of %.0f/s", maximum), nil
}

// latencyPair measures the null pipe and then the server, at the same rate. What
// was measured may come with an error.
func (r *runner) latencyPair(ctx context.Context, repeat int) (both latencyRun, err error) {
	label := func(what string) string { return fmt.Sprintf("latency %d/%d %s", repeat, r.Repeat, what) }
	baseline, err := r.baseline(ctx, nullPipeBaseline, label(nullPipeBaseline))
	if err == nil {
		err = baseline.Check()
	}
	if err != nil {
		return both, fmt.Errorf("%s: %w", nullPipeBaseline, err)
	}
	r.notePace(label(nullPipeBaseline), baseline)
	phase, err := r.underTest(ctx, ModeSingle, label("server"), r.profileOf("latency", repeat))
	if phase == nil {
		return both, err
	}
	both = latencyRun{baseline, phase}
	r.notePace(label("server"), phase)
	return both, errors.Join(err, phase.Check())
}

// unsentEvents is the check of rows with an open loop that no event was given up:
// its latency would be missing.
const unsentEvents = "events that were due and not sent"

// notePace notes a rate that was not held, and whose fault that was.
func (r *runner) notePace(label string, p *Phase) {
	pace := p.Burst.Pace
	switch {
	case pace.Held():
	case pace.Unsent > 0:
		r.note("%s: %.0f events/s are more than was taken: %d were not sent, so that the latencies lack the longest", label, pace.Rate, pace.Unsent)
	case pace.Waited > 0:
		r.note("%s: %.0f of %.0f events/s were sent: %d requests had to wait for one of the connections", label, pace.Achieved, pace.Rate, pace.Waited)
	default:
		r.note("%s: %.0f of %.0f events/s were sent: the generator could not keep up", label, pace.Achieved, pace.Rate)
	}
}

// unsent is how many events the latencies lack.
func (l *latencyRun) unsent() int { return l.baseline.Burst.Pace.Unsent + l.server.Burst.Pace.Unsent }

func (l latencyRun) run() *report.Run {
	run := newRun(l.baseline, l.server)
	run.Value, run.BaselineValue = l.server.Receipts.Latency.P99, l.baseline.Receipts.Latency.P99
	run.Ratio = run.Value / run.BaselineValue
	return &run
}

// describeLatency adds what is asked of the row and the figures beside it.
func describeLatency(row *report.Scenario, runs []latencyRun) {
	of := func(figure func(latencyRun) float64) float64 {
		var all []float64
		for _, l := range runs {
			all = append(all, figure(l))
		}
		return report.Median(all)
	}
	row.AtMost("p99", row.Value, "ms", latencyP99)
	row.AtMost("p50", of(func(l latencyRun) float64 { return l.server.Receipts.Latency.P50 }), "ms", latencyP50)
	row.AtMost(unsentEvents, of(func(l latencyRun) float64 { return float64(l.unsent()) }), "", 0)
	pace := func(l latencyRun) *Pace { return l.server.Burst.Pace }
	row.Note("rate", of(func(l latencyRun) float64 { return pace(l).Rate }), "events/s")
	row.Note("rate achieved", of(func(l latencyRun) float64 { return pace(l).Achieved }), "events/s")
	row.Note("p90", of(func(l latencyRun) float64 { return l.server.Receipts.Latency.P90 }), "ms")
	row.Note("p99.9", of(func(l latencyRun) float64 { return l.server.Receipts.Latency.P999 }), "ms")
	row.Note("max", of(func(l latencyRun) float64 { return l.server.Receipts.Latency.Max }), "ms")
	row.Note("request p50", of(func(l latencyRun) float64 { return l.server.Burst.Latency.P50 }), "ms")
	row.Note("request p99", of(func(l latencyRun) float64 { return l.server.Burst.Latency.P99 }), "ms")
	row.Note("null pipe p50", of(func(l latencyRun) float64 { return l.baseline.Receipts.Latency.P50 }), "ms")
	row.Note("null pipe p99.9", of(func(l latencyRun) float64 { return l.baseline.Receipts.Latency.P999 }), "ms")
	row.Note("sent late p99", of(func(l latencyRun) float64 { return pace(l).Late.P99 }), "ms")
	row.Note("due and not yet sent, most", of(func(l latencyRun) float64 { return float64(pace(l).MaxBacklog) }), "events")
	row.Series = append(row.Series,
		latencySeries("server", runs, func(l latencyRun) *Phase { return l.server }),
		latencySeries("null pipe", runs, func(l latencyRun) *Phase { return l.baseline }))
}

// latencySeries is the distribution by percentile: the median over the runs at
// each position that all of them reach.
func latencySeries(of string, runs []latencyRun, phase func(latencyRun) *Phase) report.Series {
	s := report.Series{Name: of + ": latency by percentile", Unit: "ms", XUnit: report.Nines}
	for i, p := range phase(runs[0]).Receipts.Percentiles {
		var all []float64
		for _, l := range runs {
			if of := phase(l).Receipts.Percentiles; i < len(of) {
				all = append(all, of[i].Value)
			}
		}
		if len(all) < len(runs) {
			break
		}
		s.Points = append(s.Points, report.Point{Seconds: p.Seconds, Value: report.Median(all)})
	}
	return s
}
