package bench

import (
	"context"
	"errors"
	"fmt"

	"posthaste/bench/report"
)

// quietBaseline is the same load while all endpoints are well. It counts what
// the noisy measurement counts: deliveries to those that stay healthy there.
const quietBaseline = "quiet"

// noisyMix is who makes the noise.
var noisyMix = Mix{{BehaveHang, 5}, {BehaveFail, 5}}

// minNoisyEndpoints is the least of which each share of noisyMix is one.
const minNoisyEndpoints = 10

// calmFirst is the first sequence number of the calm phase.
const calmFirst = 2 * measuredFirst

// neighbourhood is what one server did with all of its endpoints well, or not.
type neighbourhood struct {
	full *Phase // as much load as it takes: for the throughput
	calm *Phase // half of what quiet took: for the latency
}

// noisy measures what endpoints that hang and fail cost those that do not.
func (r *runner) noisy(ctx context.Context) (*report.Scenario, error) {
	with := *r
	with.Endpoints, with.Fail = r.NoisyEndpoints, noisyMix
	with.Duration = min(r.Duration, maxMixDuration)
	if r.Quick {
		with.Duration = max(r.Duration/2, minDuration) // there are two phases
	}
	return with.neighbours(ctx)
}

// neighbours repeats the pair of quiet and noisy.
func (r *runner) neighbours(ctx context.Context) (*report.Scenario, error) {
	row := &report.Scenario{
		Name: "noisy", Unit: deliveriesPerSecond, Baseline: quietBaseline,
		Title: fmt.Sprintf("to the healthy of %d endpoints while others fail (per cent: %s), %d connections, %d bytes",
			r.Endpoints, r.Fail, r.Connections, r.PayloadBytes),
	}
	var pairs []noisyPair
	var errs []error
	for i := 1; i <= r.Repeat && ctx.Err() == nil; i++ {
		p, err := r.noisyPair(ctx, i)
		if err != nil {
			errs = append(errs, fmt.Errorf("repeat %d: %w", i, err))
		}
		if p != nil {
			pairs = append(pairs, *p)
			row.Add(p.run())
		}
	}
	if len(errs) == 0 {
		errs = append(errs, ctx.Err())
	}
	if len(pairs) == 0 {
		return nil, errors.Join(errs...)
	}
	addNoisyFigures(row, pairs)
	return row, errors.Join(errs...)
}

// noisyPair is one repeat.
type noisyPair struct{ quiet, noisy neighbourhood }

// noisyPair measures quiet and then noisy. A pair may come with an error: it was
// measured, and events were lost.
func (r *runner) noisyPair(ctx context.Context, repeat int) (*noisyPair, error) {
	label := func(what string) string { return fmt.Sprintf("noisy %d/%d %s", repeat, r.Repeat, what) }
	quiet, err := r.neighbourhood(ctx, label("quiet"), "", nil)
	if err == nil {
		err = errors.Join(quiet.full.Check(), quiet.calm.Check())
	}
	if err != nil {
		return nil, fmt.Errorf("quiet: %w", err)
	}
	noisy, err := r.neighbourhood(ctx, label("noisy"), r.profileOf("noisy", repeat), quiet)
	if noisy == nil {
		return nil, err
	}
	return &noisyPair{*quiet, *noisy}, errors.Join(err, noisy.full.Check(), noisy.calm.Check())
}

// neighbourhood measures a server of its own, or the target. Without a quiet one
// all of its endpoints are well; otherwise those of the mix misbehave, and the
// calm load is quiet's.
func (r *runner) neighbourhood(ctx context.Context, label, profile string, quiet *neighbourhood) (_ *neighbourhood, err error) {
	l, load, profiler, err := r.prepare(ctx, ModeSingle, profile)
	if err != nil {
		return nil, err
	}
	defer l.end(&err)
	if quiet == nil {
		l.illness.spans = nil
	}
	rate, err := l.begin(ctx, load)
	if err != nil {
		return nil, err
	}
	n := new(neighbourhood)
	if n.full, err = l.measureBurst(ctx, r.measuredBurst(rate), label, profiler); err != nil {
		return nil, err
	}
	if quiet == nil {
		quiet = n
	}
	n.calm, err = l.measureBurst(ctx, r.calmBurst(quiet.full.TotalRate()), label+", half the load", nil)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// calmBurst is half of the rate that a quiet server takes.
func (r *runner) calmBurst(rate float64) Burst {
	b := r.measuredBurst(rate / 2)
	b.First = calmFirst
	return b // closed loop: with Burst.Rate set to rate/2 it is an open one
}

// run is the pair as a row's run: throughput under full load, latency under half.
func (p *noisyPair) run() report.Run {
	run := newRun(p.quiet.full, p.noisy.full)
	calm := &p.noisy.calm.Receipts
	run.Published += calm.Published
	run.Lost += calm.Lost
	run.Duplicates += calm.Duplicates
	run.Verified += calm.Verified
	run.Refused += p.noisy.calm.Burst.Refused
	run.Failed += p.noisy.calm.Burst.Failed
	run.Delivery = calm.Healthy.Latency
	return run
}

// addNoisyFigures adds the checks, and what else the pairs tell, as medians.
func addNoisyFigures(row *report.Scenario, pairs []noisyPair) {
	median := func(value func(*noisyPair) float64) float64 {
		var all []float64
		for i := range pairs {
			all = append(all, value(&pairs[i]))
		}
		return report.Median(all)
	}
	row.AtLeast("healthy throughput", row.Ratio, "of quiet", 0.9)
	row.AtMost("healthy p99", median(func(p *noisyPair) float64 {
		return p.noisy.calm.healthyP99() / p.quiet.calm.healthyP99()
	}), "of quiet", 2)
	row.Note("quiet p99", median(func(p *noisyPair) float64 { return p.quiet.calm.healthyP99() }), "ms")
	row.Note("noisy p99", median(func(p *noisyPair) float64 { return p.noisy.calm.healthyP99() }), "ms")
	row.Note("owed to sick endpoints", median(func(p *noisyPair) float64 { return float64(p.noisy.full.Receipts.Sick.Delivered) }), "")
	for _, s := range noisyMix {
		row.Note("attempts answered "+string(s.Behaviour), median(func(p *noisyPair) float64 {
			return float64(p.noisy.full.Receipts.Misbehaved[s.Behaviour])
		}), "")
	}
	row.Note("drained after healing", median(func(p *noisyPair) float64 { return p.noisy.full.DrainSeconds() }), "s")
	row.Note("duplicates", float64(row.Duplicates), "")
}

// healthyP99 is in milliseconds.
func (p *Phase) healthyP99() float64 { return p.Receipts.Healthy.Latency.P99 }
